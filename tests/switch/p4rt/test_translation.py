"""Types that clients see otherwise than the data plane: 32 bits for ports of 9, strings for labels of 10."""

import asyncio

import grpc
import pytest
from finsy.proto import p4i, p4r

from switch.api import Action, Digest, Match
from switch.p4rt.errors import P4RuntimeError
from switch.p4rt.translation import Names

from .client import Client, RefusedError
from .memory_pipeline import MemoryDevice, MemoryPipeline
from .messages import shown_all
from .translated import (
    CONFIG,
    IDS,
    action,
    between,
    entry,
    exact,
    metadata,
    optional,
    prefix,
    register,
    seen,
    ternary,
)

PORT, LABEL = 0x1FF, 0x3FF
BLUE = LABEL  # strings get the highest value that is free


@pytest.fixture
async def client(primary: Client) -> Client:
    await primary.push(config=CONFIG)
    return primary


def entries(pipeline: MemoryPipeline, table: str) -> list[tuple[object, object]]:
    return [(item.key, item.target) for item in pipeline.tables[f"ingress.{table}"].entries.values()]


async def test_values_reach_the_data_plane_and_come_back(client: Client, pipeline: MemoryPipeline) -> None:
    written = [
        entry("labelled", action("forward", 7), exact(b"blue"), optional(4), priority=1),
        entry("labelled", action("forward", 8), exact(b"12"), priority=1),
        entry("arrival", action("set_label", b"blue", 5), ternary(4), priority=2),
        entry("arrival", action("set_label", b"green", 6), ternary(5), priority=2),
        entry("ranged", action("forward", 1), between(4, 4), priority=3),
        entry("prefixed", action("forward", 2), prefix(4)),
    ]
    await client.insert(*written)
    four = Match(4, PORT)
    assert entries(pipeline, "labelled") == [
        ((Match(BLUE, LABEL), four), Action("ingress.forward", (7,))),
        ((Match(12, LABEL), Match(0)), Action("ingress.forward", (8,))),
    ]
    assert entries(pipeline, "arrival") == [
        ((four, Match(0)), Action("ingress.set_label", (BLUE, 5))),
        ((Match(5, PORT), Match(0)), Action("ingress.set_label", (BLUE - 1, 6))),
    ]
    assert entries(pipeline, "ranged") == [((Match(4, 0, 4),), Action("ingress.forward", (1,)))]
    assert entries(pipeline, "prefixed") == [((four,), Action("ingress.forward", (2,)))]
    assert shown_all(await client.read(p4r.Entity(table_entry=p4r.TableEntry()))) == shown_all(written)


FORWARD = action("forward", 1)

WRONG = {
    "port in a key": entry("labelled", FORWARD, exact(b"a"), optional(512), priority=1),
    "port in an action": entry("labelled", action("forward", 512), exact(b"a"), priority=1),
    "port wider than 32 bits": entry("labelled", action("forward", 1 << 32), exact(b"a"), priority=1),
    "mask of a part": entry("arrival", action("NoAction"), ternary(1, 0x1FF), priority=1),
    "prefix of a part": entry("prefixed", FORWARD, prefix(0x100, 24)),
    "prefix of the data plane's width": entry("prefixed", FORWARD, prefix(1, 9)),
    "range of several": entry("ranged", FORWARD, between(1, 2), priority=1),
    "empty label": entry("labelled", FORWARD, exact(b""), priority=1),
    "number above all labels": entry("labelled", FORWARD, exact(b"1024"), priority=1),
    "number of 5000 digits": entry("labelled", FORWARD, exact(b"1" * 5000), priority=1),
    "number of another label": entry("labelled", FORWARD, exact(str(BLUE).encode()), priority=1),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_stands_for_no_value(client: Client, name: str) -> None:
    await client.insert(entry("labelled", FORWARD, exact(b"blue"), priority=9))
    with pytest.raises(RefusedError) as refused:
        await client.insert(WRONG[name])
    assert refused.value.codes == ["INVALID_ARGUMENT"]


async def test_registers(client: Client, pipeline: MemoryPipeline) -> None:
    await client.modify(register("labels", 1, b"blue"), register("ports", 1, 4))
    assert (pipeline.registers["ingress.labels"][1], pipeline.registers["ingress.ports"][1]) == (BLUE, 4)
    read = await client.read(register("labels", 1), register("labels", 0), register("ports", 1))
    assert shown_all(read) == shown_all(
        [register("labels", 1, b"blue"), register("labels", 0, b"0"), register("ports", 1, 4)]
    )
    with pytest.raises(RefusedError) as refused:
        await client.modify(register("ports", 0, 512), register("labels", 0, b""))
    assert refused.value.codes == ["OUT_OF_RANGE", "OUT_OF_RANGE"]


async def test_packets_have_the_programs_header(client: Client, pipeline: MemoryPipeline) -> None:
    await client.say(packet=p4r.PacketOut(payload=b"out", metadata=metadata(b"blue", 4)))
    await client.arbitrate()
    assert pipeline.sent == [(BLUE << 9 | 4).to_bytes(3) + b"out"]
    await asyncio.to_thread(pipeline.packet_in, (0x7F << 25 | 5 << 16 | BLUE << 6 | 9).to_bytes(4) + b"in")
    assert await client.hear("packet") == p4r.PacketIn(payload=b"in", metadata=metadata(5, b"blue", 9))
    await client.say(packet=p4r.PacketOut(payload=b"out", metadata=metadata(b"blue", 512)))
    assert (await client.hear("error")).canonical_code == 3


async def test_digests(client: Client, pipeline: MemoryPipeline) -> None:
    config = p4r.DigestEntry.Config(max_list_size=1)
    await client.insert(
        p4r.Entity(digest_entry=p4r.DigestEntry(digest_id=IDS["seen_t"], config=config)),
        entry("labelled", FORWARD, exact(b"blue"), priority=1),
    )
    message = Digest("seen_t", (1, 2, 0x9000, 5, BLUE, 1, 7, 1, 1))
    await asyncio.to_thread(pipeline.digest, [message])
    (heard,) = (await client.hear("digest")).data
    assert heard == seen(source=2, port=5, label=b"blue", colour="GREEN", failed="PacketTooShort")


async def test_strings_keep_their_values_over_a_reconciliation(client: Client, device: MemoryDevice) -> None:
    first, second = (entry("labelled", FORWARD, exact(name), priority=1) for name in (b"a", b"b"))
    await client.insert(first, second)
    await client.delete(first)
    await client.push(p4r.SetForwardingPipelineConfigRequest.RECONCILE_AND_COMMIT, CONFIG)
    assert device.running is not None
    assert len(device.pipelines) == 2
    assert entries(device.running, "labelled") == [
        ((Match(LABEL - 1, LABEL), Match(0)), Action("ingress.forward", (1,)))
    ]


async def test_reads_give_no_string_a_value(client: Client) -> None:
    unheard, number = (entry("labelled", FORWARD, exact(name), priority=1) for name in (b"new", b"1023"))
    for priority in (0, 1):
        unheard.table_entry.priority = priority
        assert await client.read(unheard) == []
        assert await client.read(number) == []
    await client.insert(entry("labelled", FORWARD, exact(b"blue"), priority=1))
    assert await client.read(unheard, number) == []


def test_asking_for_a_number_gives_it_no_name() -> None:
    names = Names()
    label = names.wire(2)
    names.asking = True
    assert label.decode(b"3") == 3
    names.asking = False
    assert label.decode(b"a") == 3


def test_strings_run_out_of_values() -> None:
    names = Names()
    wide, narrow = names.wire(8), names.wire(2)
    assert [wide.decode(name) for name in (b"a", b"2", b"b", b"a", b"0")] == [3, 2, 1, 3, 0]
    assert [narrow.encode(value) for value in range(4)] == [b"0", b"b", b"2", b"a"]
    names.asking = True
    assert [wide.decode(name) for name in (b"a", b"2")] == [3, 2]
    for unheard in (b"c", b"3"):
        with pytest.raises(P4RuntimeError, match="nothing has"):
            wide.decode(unheard)
    names.asking = False
    with pytest.raises(P4RuntimeError, match="2 bits") as refused:
        wide.decode(b"c")
    assert refused.value.status_code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_strings_are_matched_whole(primary: Client) -> None:
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    (labelled,) = (table for table in config.p4info.tables if table.preamble.alias == "labelled")
    labelled.match_fields[0].match_type = p4i.MatchField.TERNARY
    with pytest.raises(RefusedError, match=r"meta\.label is a string") as refused:
        await primary.push(config=config)
    assert refused.value.code == "INVALID_ARGUMENT"


async def test_a_translated_header_has_to_be_found(primary: Client) -> None:
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    config.p4info.controller_packet_metadata[0].metadata[0].name = "elsewhere"
    with pytest.raises(RefusedError, match="packet_in: which header") as refused:
        await primary.push(config=config)
    assert refused.value.code == "INVALID_ARGUMENT"
