"""finsy, as the controller uses it: connect, push, write, read, packets, digests, errors."""

import asyncio
from contextlib import AsyncExitStack

import finsy as fy
import pytest

from .conftest import DEVICE_ID
from .memory_pipeline import MemoryDevice
from .messages import PROGRAMS
from .test_stream import messages

OPTIONS = fy.SwitchOptions(
    p4info=PROGRAMS / "everything.p4info.txtpb", p4blob=PROGRAMS / "everything.json", device_id=DEVICE_ID
)

ENTITIES = (
    +fy.P4TableEntry("route", match=fy.Match(dst_addr="10.0.0.0/8"), action=fy.Action("forward", port=1)),
    +fy.P4TableEntry(
        "acl",
        match=fy.Match(src_addr="10.0.0.1/&255.0.0.255", protocol=6, ingress_port=3),
        action=fy.Action("set_tag", tag=5),
        priority=10,
    ),
    +fy.P4TableEntry(
        "selected",
        match=fy.Match(dst_addr="10.0.0.0/8"),
        action=fy.IndirectAction([2 * fy.Action("forward", port=1), 3 * fy.Action("forward", port=2)]),
    ),
    ~fy.P4TableEntry("options", is_default_action=True, action=fy.Action("set_tag", tag=1)),
    +fy.P4MulticastGroupEntry(1, replicas=[1, (2, 3)]),
    +fy.P4CloneSessionEntry(100, replicas=[510]),
    ~fy.P4CounterEntry("per_port", index=1, data=fy.P4CounterData(byte_count=60, packet_count=1)),
    ~fy.P4RegisterEntry("totals", index=2, data=5),
)


async def test_everything_finsy_says(address: str) -> None:
    async with fy.Switch("s", address, OPTIONS) as switch:
        assert switch.is_primary
        await switch.write(ENTITIES)
        read = {str(entry) async for entry in switch.read([fy.P4TableEntry("route"), fy.P4TableEntry("acl")])}
        assert len(read) == 2
        (selected,) = [entry async for entry in switch.read(fy.P4TableEntry("selected"))]
        assert selected.action == fy.IndirectAction(
            [2 * fy.Action("forward", port=1), 3 * fy.Action("forward", port=2)]
        )
        (register,) = [entry async for entry in switch.read(fy.P4RegisterEntry("totals", index=2))]
        assert register.data == 5
        await switch.delete_all()
        assert [entry async for entry in switch.read(fy.P4TableEntry("route"))] == []


async def test_errors_name_the_update(address: str) -> None:
    async with fy.Switch("s", address, OPTIONS) as switch:
        wrong = +fy.P4TableEntry(
            "selected", match=fy.Match(dst_addr="10.0.0.0/8"), action=fy.IndirectAction(group_id=1)
        )
        with pytest.raises(fy.P4ClientError) as error:
            await switch.write([ENTITIES[0], wrong, ENTITIES[0]])
        assert error.value.code == fy.GRPCStatusCode.UNKNOWN
        assert {at: detail.canonical_code for at, detail in error.value.details.items()} == {
            1: fy.GRPCStatusCode.NOT_FOUND,
            2: fy.GRPCStatusCode.ALREADY_EXISTS,
        }


async def test_streams(address: str, device: MemoryDevice) -> None:
    async with fy.Switch("s", address, OPTIONS) as switch:
        assert device.running is not None
        await switch.write([+fy.P4DigestEntry("seen_t", max_list_size=1, ack_timeout_ns=10**15)])
        packets, digests = switch.read_packets(), switch.read_digests("seen_t")
        first_packet, first_digest = (
            asyncio.ensure_future(anext(packets)),
            asyncio.ensure_future(anext(digests)),
        )
        await asyncio.sleep(0)
        await asyncio.to_thread(device.running.packet_in, (3 << 7 | 5).to_bytes(2) + b"payload")
        packet = await asyncio.wait_for(first_packet, 10)
        assert (packet["ingress_port"], packet["reason"], packet.payload) == (3, 5, b"payload")
        await asyncio.to_thread(device.running.digest, messages((1, 2)))
        digest = await asyncio.wait_for(first_digest, 10)
        assert digest.data == [{"src_addr": 1, "port": 2}]
        await switch.write([fy.P4DigestListAck("seen_t", digest.list_id)])
        await switch.write([fy.P4PacketOut(b"payload", egress_port=1, queue=2)])
        await switch.write([])
        assert [entry async for entry in switch.read(fy.P4DigestEntry("seen_t"))]
        assert device.running.sent == [(1 << 7 | 2).to_bytes(2) + b"payload"]


async def test_two_controllers(address: str) -> None:
    """The second finsy finds the election id taken, bids lower, and takes over when the first goes."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(fy.Switch("a", address, OPTIONS))
        async with fy.Switch("b", address, OPTIONS) as second:
            assert not second.is_primary
            became = second.ee.event_future(fy.SwitchEvent.BECOME_PRIMARY)
            await stack.aclose()
            await asyncio.wait_for(became, 10)
            await second.write(ENTITIES[:1])
