"""Packets, digests and idle notifications on the stream."""

import asyncio
import threading

import pytest
from finsy.proto import p4d, p4r, stratum

from switch.api import Digest

from .client import Client
from .conftest import Clients
from .memory_pipeline import MemoryPipeline
from .messages import IDS, action, canonical, entry, route
from .test_arbitration import role
from .test_arrays import digest

EGRESS_PORT, QUEUE = 1, 2
INGRESS_PORT, REASON = 1, 2


def metadata(**values: int | bytes) -> list[p4r.PacketMetadata]:
    numbers = {"first": 1, "second": 2, "third": 3}
    return [
        p4r.PacketMetadata(
            metadata_id=numbers[name], value=value if isinstance(value, bytes) else canonical(value)
        )
        for name, value in values.items()
    ]


async def settled(client: Client) -> None:
    """Stream messages and calls run in one loop: a call that is answered came after what was said before."""
    await client.arbitrate()


async def test_packet_out_carries_its_metadata(client: Client, pipeline: MemoryPipeline) -> None:
    packet = p4r.PacketOut(payload=b"payload", metadata=metadata(second=0x55, first=b"\0\0\1\2"))
    await client.say(packet=packet)
    await settled(client)
    assert pipeline.sent == [(0x102 << 7 | 0x55).to_bytes(2) + b"payload"]


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        metadata(first=1),
        metadata(first=512, second=0),
        metadata(first=b"", second=0),
        metadata(first=1, second=0, third=1),
        metadata(first=1, second=0) + metadata(second=0),
    ],
)
async def test_wrong_packet_out_metadata(
    client: Client, pipeline: MemoryPipeline, wrong: list[p4r.PacketMetadata]
) -> None:
    packet = p4r.PacketOut(payload=b"x", metadata=wrong)
    await client.say(packet=packet)
    error = await client.hear("error")
    assert (error.canonical_code, error.packet_out.packet_out) == (3, packet)
    assert pipeline.sent == []


async def test_only_the_primary_sends_packets(
    client: Client, clients: Clients, pipeline: MemoryPipeline
) -> None:
    backup = await clients(1)
    await backup.arbitrate()
    await backup.say(packet=p4r.PacketOut(payload=b"x"))
    assert (await backup.hear("error")).canonical_code == 7
    stranger = await clients(2)
    await stranger.say(packet=p4r.PacketOut(payload=b"x"))
    assert (await stranger.hear("error")).canonical_code == 7
    assert pipeline.sent == []


async def test_packet_out_without_a_pipeline(primary: Client) -> None:
    await primary.say(packet=p4r.PacketOut(payload=b"x"))
    assert (await primary.hear("error")).canonical_code == 9


async def test_packet_in_goes_to_the_primary(
    client: Client, clients: Clients, pipeline: MemoryPipeline
) -> None:
    backup = await clients(1)
    await backup.arbitrate()
    await asyncio.to_thread(pipeline.packet_in, (0x1FE << 7 | 5).to_bytes(2) + b"payload")
    packet = await client.hear("packet")
    assert packet == p4r.PacketIn(payload=b"payload", metadata=metadata(first=0x1FE, second=5))
    await settled_backup(backup)


async def settled_backup(backup: Client) -> None:
    """Nothing but the answer to a new bid has come."""
    assert await backup.arbitrate() == 6


async def test_packet_in_shorter_than_its_header_is_lost(client: Client, pipeline: MemoryPipeline) -> None:
    await asyncio.to_thread(pipeline.packet_in, b"x")
    await asyncio.to_thread(pipeline.packet_in, b"\0\0")
    assert (await client.hear("packet")).payload == b""


async def test_roles_hear_the_packets_they_asked_for(
    client: Client, clients: Clients, pipeline: MemoryPipeline
) -> None:
    wanted = stratum.P4RoleConfig.PacketFilter(metadata_id=REASON, value=b"\5")
    filtered = await clients(1, role("filtered", receives_packet_ins=True, packet_in_filter=wanted))
    deaf = await clients(1, role("deaf"))
    assert await filtered.arbitrate() == await deaf.arbitrate() == 0
    for reason in (4, 5):
        await asyncio.to_thread(pipeline.packet_in, reason.to_bytes(2))
    assert (await filtered.hear("packet")).metadata[1].value == b"\5"
    assert [(await client.hear("packet")).metadata[1].value[0] for _ in range(2)] == [4, 5]
    assert await deaf.arbitrate() == 0


async def test_a_flood_of_packet_ins_holds_up_nobody(client: Client, pipeline: MemoryPipeline) -> None:
    """The client does not read its stream: packets are dropped, writes are answered."""
    flooding = True

    def flood() -> None:
        while flooding:
            pipeline.packet_in(bytes(1500))

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for number in range(200):
            await asyncio.wait_for(client.insert(route(number, 32, 1)), 5)
            await client.delete(route(number, 32, 1))
    finally:
        flooding = False
        await asyncio.to_thread(thread.join)
    assert await client.config()


def seen(source: int, port: int) -> p4d.P4Data:
    members = [p4d.P4Data(bitstring=canonical(source)), p4d.P4Data(bitstring=canonical(port))]
    return p4d.P4Data(struct=p4d.P4StructLike(members=members))


def messages(*values: tuple[int, int]) -> list[Digest]:
    return [Digest("seen_t", value) for value in values]


async def test_digests_are_gathered_until_the_list_is_full(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(digest(max_list_size=2, max_timeout_ns=10**15))
    await asyncio.to_thread(pipeline.digest, messages((1, 1), (1, 1), (2, 1), (3, 1)))
    first = await client.hear("digest")
    assert (first.digest_id, list(first.data)) == (IDS["seen_t"], [seen(1, 1), seen(2, 1)])
    assert first.timestamp > 0
    await asyncio.to_thread(pipeline.digest, messages((0, 0)))
    second = await client.hear("digest")
    assert list(second.data) == [seen(3, 1), seen(0, 0)]
    assert second.list_id != first.list_id


async def test_digests_wait_no_longer_than_their_timeout(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(digest(max_list_size=100, max_timeout_ns=20_000_000))
    await asyncio.to_thread(pipeline.digest, messages((1, 1)))
    assert list((await client.hear("digest")).data) == [seen(1, 1)]


async def test_a_shorter_timeout_holds_for_digests_that_wait(
    client: Client, pipeline: MemoryPipeline
) -> None:
    await client.insert(digest(max_list_size=100, max_timeout_ns=10**15))
    await asyncio.to_thread(pipeline.digest, messages((1, 1)))
    await client.modify(digest(max_list_size=100, max_timeout_ns=1))
    assert list((await client.hear("digest")).data) == [seen(1, 1)]


async def test_acknowledged_digests_come_again(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(digest(max_list_size=1, ack_timeout_ns=10**15))
    await asyncio.to_thread(pipeline.digest, messages((1, 1)))
    first = await client.hear("digest")
    await asyncio.to_thread(pipeline.digest, messages((1, 1), (2, 2)))
    assert list((await client.hear("digest")).data) == [seen(2, 2)]
    await client.say(digest_ack=p4r.DigestListAck(digest_id=IDS["seen_t"], list_id=first.list_id))
    await settled(client)
    await asyncio.to_thread(pipeline.digest, messages((2, 2), (1, 1)))
    assert list((await client.hear("digest")).data) == [seen(1, 1)]


async def test_acks_are_of_the_pipeline_that_runs(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(digest(max_list_size=1, ack_timeout_ns=10**15))
    await asyncio.to_thread(pipeline.digest, messages((1, 1)))
    first = await client.hear("digest")
    await client.push(p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_SAVE)
    await client.say(digest_ack=p4r.DigestListAck(digest_id=IDS["seen_t"], list_id=first.list_id))
    await settled(client)
    await asyncio.to_thread(pipeline.digest, messages((1, 1)))
    assert list((await client.hear("digest")).data) == [seen(1, 1)]


async def test_digests_nobody_asked_for(client: Client, pipeline: MemoryPipeline) -> None:
    await asyncio.to_thread(pipeline.digest, [*messages((1, 1)), Digest("unknown", (1,))])
    await settled(client)


async def test_ack_of_an_unknown_digest(client: Client) -> None:
    ack = p4r.DigestListAck(digest_id=5, list_id=1)
    await client.say(digest_ack=ack)
    error = await client.hear("error")
    assert (error.canonical_code, error.digest_list_ack.digest_list_ack) == (3, ack)


async def test_ack_of_another_roles_digest(client: Client, clients: Clients) -> None:
    stranger, learner = (
        await clients(1, role("stranger", shared_p4_ids=[IDS["route"]])),
        await clients(1, role("learner", shared_p4_ids=[IDS["seen_t"]])),
    )
    assert await stranger.arbitrate() == await learner.arbitrate() == 0
    ack = p4r.DigestListAck(digest_id=IDS["seen_t"], list_id=1)
    await stranger.say(digest_ack=ack)
    error = await stranger.hear("error")
    assert (error.canonical_code, error.digest_list_ack.digest_list_ack) == (7, ack)
    await learner.say(digest_ack=ack)
    assert await learner.arbitrate() == 0  # nothing but the answer has come


async def test_other_stream_messages(client: Client) -> None:
    await client.say()
    assert (await client.hear("error")).canonical_code == 12


async def test_idle_entries_are_told(client: Client, pipeline: MemoryPipeline) -> None:
    written = entry(
        "station", {"dst_addr": 7}, action("metered_forward", port=1), idle_timeout_ns=1000, metadata=b"m"
    )
    await client.insert(written)
    ((handle, found),) = pipeline.tables["ingress.station"].entries.items()
    assert found.timeout_ns == 1000
    await asyncio.to_thread(pipeline.idle, "ingress.station", handle)
    await asyncio.to_thread(pipeline.idle, "ingress.station", 5)
    notification = await client.hear("idle_timeout_notification")
    written.table_entry.ClearField("action")
    assert list(notification.table_entry) == [written.table_entry]
    assert notification.timestamp > 0


async def test_events_of_a_replaced_pipeline_are_lost(client: Client, pipeline: MemoryPipeline) -> None:
    await client.push()
    await asyncio.to_thread(pipeline.packet_in, b"\0\0old")
    await settled(client)
