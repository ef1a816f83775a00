"""The same server on native code: what is written is what packets see. Needs a C compiler, not root."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from finsy.proto import p4r

from switch.dataplane import Dataplane
from switch.device import Device
from switch.p4rt.server import serve

from . import translated
from .client import Client, RefusedError, connect
from .messages import (
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    action,
    action_set,
    canonical,
    counter_of,
    default,
    entry,
    group,
    member,
    route,
    shown_all,
)
from .test_arrays import RATES, counted, digest, direct_counter, register, station, tunnels
from .test_batches import CHANGES, MORE_CHANGES, STATE, everything
from .test_profiles import forward, selected, to_group

SET = p4r.SetForwardingPipelineConfigRequest
DEVICE_ID = 3
CPU_PORT = 510
ETHERNET = bytes.fromhex("000000000001 000000000002")


class Inspected(Device):
    """Lets the test at the pipeline that runs."""

    def __init__(self) -> None:
        super().__init__({}, CPU_PORT)
        self.pipeline: Dataplane

    def run(self, pipeline: Dataplane) -> None:
        super().run(pipeline)
        self.pipeline = pipeline


@pytest.fixture
async def device() -> AsyncGenerator[Inspected]:
    device = Inspected()
    yield device
    device.close()


@pytest.fixture
async def client(device: Inspected, tmp_path: Path) -> AsyncGenerator[Client]:
    address = f"unix:{tmp_path}/native.sock"
    async with serve(device, DEVICE_ID, address), connect(address, DEVICE_ID) as client:
        assert await client.arbitrate() == 0
        await client.push()
        yield client


def ipv4(destination: int, source: int = 1) -> bytes:
    header = (
        bytes.fromhex("4500001c00000000401100 00".replace(" ", ""))
        + source.to_bytes(4)
        + destination.to_bytes(4)
    )
    return ETHERNET + b"\x08\x00" + header + bytes(8)


def ports(device: Inspected, packet: bytes, port: int = 1) -> list[int]:
    return [out for out, _ in device.pipeline.inject(port, packet)]


async def test_everything_reads_back(client: Client) -> None:
    await client.insert(*STATE)
    await client.update(*CHANGES)
    written = [
        route(0x0A000000, 8, 3, metadata=b"x"),
        route(0x0B000000, 8, 2),
        entry("selected", {"dst_addr": (0x0A000000, 8)}, action_set((forward(5), 1))),
        entry("profiled", {"src_addr": 1}, p4r.TableAction(action_profile_member_id=1)),
    ]
    read = await client.read(p4r.Entity(table_entry=p4r.TableEntry()))
    assert shown_all(item for item in read if not item.table_entry.is_const) == shown_all(written)
    cells = await client.read(counter_of(1), register(3))
    assert shown_all(cells) == shown_all([counter_of(1, 5), register(3, 5)])


@pytest.mark.parametrize("atomicity", [p4r.WriteRequest.ROLLBACK_ON_ERROR, p4r.WriteRequest.DATAPLANE_ATOMIC])
@pytest.mark.parametrize("changes", [CHANGES, MORE_CHANGES], ids=["changes", "more changes"])
async def test_a_failed_batch_leaves_nothing_behind(
    client: Client, changes: tuple[tuple[int, p4r.Entity], ...], atomicity: int
) -> None:
    await client.insert(*STATE)
    before = await everything(client)
    with pytest.raises(RefusedError):
        await client.update(*changes, (DELETE, route(9, 32, 1)), atomicity=atomicity)
    assert await everything(client) == before
    await client.update(*changes)


async def test_packets_follow_the_entries(client: Client, device: Inspected) -> None:
    assert ports(device, ipv4(0x0A000001)) == []
    await client.insert(route(0x0A000000, 8, 2))
    assert ports(device, ipv4(0x0A000001)) == [2]
    await client.modify(route(0x0A000000, 8, 3))
    assert ports(device, ipv4(0x0A000001)) == [3]
    await client.insert(entry("acl", {"src_addr": (7, 0xFF), "ingress_port": 1}, action("drop"), priority=1))
    assert ports(device, ipv4(0x0A000001, source=7)) == []
    higher = entry("acl", {"ingress_port": 1}, action("multicast", group=4), priority=2)
    await client.insert(higher)
    await client.delete(route(0x0A000000, 8, 3))
    await client.modify(default("route", action("forward", port=9)))
    assert ports(device, ipv4(0x0A000001)) == []  # the multicast group does not exist
    await client.delete(higher)
    assert ports(device, ipv4(0x0A000001)) == [9]
    await client.modify(default("route"))
    assert ports(device, ipv4(0x0A000001)) == []


async def test_packets_follow_groups_and_sets(client: Client, device: Inspected) -> None:
    flows = [ipv4(0x0A000001, source) for source in range(64)]

    def seen() -> set[int]:
        return {port for flow in flows for port in ports(device, flow)}

    await client.insert(selected(action_set((forward(1), 1), (forward(2), 3))))
    assert seen() == {1, 2}
    await client.modify(selected(action_set((forward(3), 1))))
    assert seen() == {3}
    await client.delete(selected(action_set()))
    await client.insert(*(member("paths", number, forward(number)) for number in (4, 5)))
    await client.insert(group("paths", 1, {4: 1, 5: 1}))
    await client.insert(selected(to_group(1)))
    assert seen() == {4, 5}
    await client.modify(member("paths", 4, forward(6)))
    assert seen() == {5, 6}
    await client.modify(group("paths", 1, {5: 2}))
    assert seen() == {5}


async def test_counters_count(client: Client, device: Inspected) -> None:
    await client.insert(station(counter_data=counted(10, 1000), meter_config=RATES))
    packet = ipv4(1)
    device.pipeline.inject(1, packet)
    device.pipeline.inject(1, packet)
    assert shown_all(await client.read(direct_counter())) == shown_all(
        [direct_counter(counted(12, 1000 + 2 * len(packet)))]
    )
    (read,) = await client.read(counter_of(1))
    assert (read.counter_entry.data.packet_count, read.counter_entry.data.byte_count) == (2, 2 * len(packet))
    assert shown_all(await client.read(register(0))) == shown_all([register(0, 2)])
    kinds = await client.read(
        p4r.Entity(
            direct_counter_entry=p4r.DirectCounterEntry(table_entry=p4r.TableEntry(table_id=IDS["kind"]))
        )
    )
    counts = {
        item.direct_counter_entry.table_entry.priority: item.direct_counter_entry.data.packet_count
        for item in kinds
    }
    assert set(counts) == {1, 2, 3}


async def test_value_sets_steer_the_parser(client: Client, device: Inspected) -> None:
    packet = ETHERNET + b"\x88\x99" + ipv4(0x0A000001)[14:]
    await client.insert(route(0x0A000000, 8, 2))
    await client.modify(tunnels(0x8899))
    assert ports(device, packet) == [2]


def to_port(port: int) -> list[p4r.PacketMetadata]:
    return [
        p4r.PacketMetadata(metadata_id=number, value=canonical(value))
        for number, value in ((1, port), (2, 0))
    ]


async def test_packets_out_and_in(client: Client) -> None:
    """A packet-out to the CPU port comes back, the start of its payload taken for the packet-in header."""
    packet = ipv4(0x0A000001)
    payload = (9 << 7 | 5).to_bytes(2) + packet
    await client.say(packet=p4r.PacketOut(payload=payload, metadata=to_port(CPU_PORT)))
    back = await client.hear("packet")
    assert back.payload == packet
    assert [(item.metadata_id, item.value) for item in back.metadata] == [(1, b"\x09"), (2, b"\5")]


async def test_translated_values_in_packets_and_digests(client: Client) -> None:
    await client.push(config=translated.CONFIG)
    learning = p4r.DigestEntry(
        digest_id=translated.IDS["seen_t"], config=p4r.DigestEntry.Config(max_list_size=1)
    )
    to_cpu = translated.action("to_cpu", 9)
    learn, port = translated.action("learn"), translated.ternary(CPU_PORT)
    await client.insert(
        p4r.Entity(digest_entry=learning),
        translated.entry("labelled", to_cpu, translated.exact(b"blue"), priority=1),
        translated.entry("arrival", learn, port, priority=1),
    )
    packet = bytes.fromhex("000000000001 000000000002 9000")
    await client.say(packet=p4r.PacketOut(payload=packet, metadata=translated.metadata(b"blue", 5)))
    heard = [await client.hear_any() for _ in range(2)]
    (back,) = (message.packet for message in heard if message.HasField("packet"))
    assert back == p4r.PacketIn(payload=packet, metadata=translated.metadata(CPU_PORT, b"blue", 9))
    (digests,) = (message.digest for message in heard if message.HasField("digest"))
    assert digests.data == [
        translated.seen(source=2, port=CPU_PORT, label=b"blue", colour="GREEN", failed="PacketTooShort")
    ]


async def test_packets_out_need_a_cpu_port(tmp_path: Path) -> None:
    device, address = Device({}), f"unix:{tmp_path}/native.sock"
    try:
        async with serve(device, DEVICE_ID, address), connect(address, DEVICE_ID) as client:
            await client.arbitrate()
            await client.push()
            await client.say(packet=p4r.PacketOut(payload=b"x", metadata=to_port(1)))
            assert (await client.hear("error")).canonical_code == 9
    finally:
        device.close()


async def test_digests(client: Client, device: Inspected) -> None:
    await client.insert(
        digest(max_list_size=2, max_timeout_ns=10**15),
        entry("acl", {"ingress_port": 5}, action("learn"), priority=1),
        entry("acl", {"ingress_port": 6}, action("learn"), priority=1),
    )
    for port in (5, 5, 6):
        await asyncio.to_thread(device.pipeline.inject, port, ipv4(1))
    heard = await client.hear("digest")
    assert [[cell.bitstring for cell in item.struct.members] for item in heard.data] == [
        [b"\2", b"\5"],
        [b"\2", b"\6"],
    ]


async def test_idle_entries(client: Client) -> None:
    await client.insert(station(idle_timeout_ns=1_000_000))
    first = await client.hear("idle_timeout_notification")
    assert shown_all(p4r.Entity(table_entry=item) for item in first.table_entry) == shown_all(
        [entry("station", {"dst_addr": 1}, idle_timeout_ns=1_000_000)]
    )
    await client.hear("idle_timeout_notification")


async def test_a_table_holds_what_it_promises(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.insert(*(route(number, 32, 1) for number in range(9)))
    assert refused.value.codes == [None] * 8 + ["RESOURCE_EXHAUSTED"]


async def test_reconcile_keeps_packets_going_the_same_way(client: Client, device: Inspected) -> None:
    await client.insert(*STATE)
    await client.update((MODIFY, counter_of(2, 7)), (INSERT, route(0x0B000000, 8, 4)))
    before, written = device.pipeline, await everything(client)
    await client.push(SET.RECONCILE_AND_COMMIT)
    assert device.pipeline is not before
    assert await everything(client) == written
    assert ports(device, ipv4(0x0B000001)) == [4]


async def test_a_saved_pipeline_waits_for_its_commit(client: Client, device: Inspected) -> None:
    await client.insert(route(0x0A000000, 8, 2))
    await client.push(SET.VERIFY_AND_SAVE)
    await client.insert(route(0x0A000000, 8, 3))
    assert ports(device, ipv4(0x0A000001)) == [2]
    await client.push(SET.COMMIT, None)
    assert ports(device, ipv4(0x0A000001)) == [3]


async def test_a_program_that_cannot_run_says_why(client: Client) -> None:
    broken = p4r.ForwardingPipelineConfig(
        p4info=p4r.ForwardingPipelineConfig().p4info, p4_device_config=b"{}"
    )
    broken.p4info.SetInParent()
    with pytest.raises(RefusedError, match="device config") as refused:
        await client.push(SET.VERIFY_AND_COMMIT, broken)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert await client.config()
