"""Counters, meters and registers, direct and indexed; value sets; replication; digest configuration."""

import pytest
from finsy.proto import p4d, p4i, p4r

from switch.api import CounterValue, Marked, Match, MeterRates, Replica
from switch.p4rt import meters, p4info
from switch.p4rt.errors import P4RuntimeError

from .client import Client, RefusedError
from .memory_pipeline import MemoryPipeline
from .messages import DELETE, IDS, INSERT, MODIFY, action, canonical, entry, match, shown_all

STATION = {"dst_addr": 1}


def counter(
    index: int | None = None, data: p4r.CounterData | None = None, name: str = "per_port"
) -> p4r.Entity:
    at = None if index is None else p4r.Index(index=index)
    return p4r.Entity(counter_entry=p4r.CounterEntry(counter_id=IDS[name], index=at, data=data))


def meter(index: int | None = None, config: p4r.MeterConfig | None = None) -> p4r.Entity:
    at = None if index is None else p4r.Index(index=index)
    return p4r.Entity(meter_entry=p4r.MeterEntry(meter_id=IDS["port_rate"], index=at, config=config))


def register(index: int | None = None, value: int | bytes | None = None) -> p4r.Entity:
    at = None if index is None else p4r.Index(index=index)
    bits = canonical(value) if isinstance(value, int) else value
    data = None if bits is None else p4d.P4Data(bitstring=bits)
    return p4r.Entity(register_entry=p4r.RegisterEntry(register_id=IDS["totals"], index=at, data=data))


def counted(packets: int, size: int = 0) -> p4r.CounterData:
    return p4r.CounterData(packet_count=packets, byte_count=size)


RATES = p4r.MeterConfig(cir=1, cburst=2, pir=3, pburst=4)


async def test_counters(client: Client, pipeline: MemoryPipeline) -> None:
    await client.modify(counter(3, counted(5, 600)), counter(4))
    assert pipeline.counters["ingress.per_port"][3] == CounterValue(5, 600)
    assert shown_all(await client.read(counter(3))) == shown_all([counter(3, counted(5, 600))])
    everything = p4r.Entity(counter_entry=p4r.CounterEntry())
    expected = [counter(index, counted(5, 600) if index == 3 else counted(0)) for index in range(8)]
    assert shown_all(await client.read(counter())) == shown_all(expected)
    assert shown_all(await client.read(everything)) == shown_all(expected)
    await client.modify(counter(None, counted(1)))
    assert pipeline.counters["ingress.per_port"] == [CounterValue(1, 0)] * 8


async def test_meters(client: Client, pipeline: MemoryPipeline) -> None:
    await client.modify(meter(2, RATES))
    assert pipeline.meters["ingress.port_rate"] == {2: MeterRates(1, 2, 3, 4)}
    expected = [meter(index, RATES if index == 2 else None) for index in range(8)]
    assert shown_all(await client.read(meter())) == shown_all(expected)
    await client.modify(meter())
    assert pipeline.meters["ingress.port_rate"] == {}


MARKED = Marked(CounterValue(1, 100), CounterValue(2, 200), CounterValue(3, 300))


def marked(*counts: tuple[int, int]) -> p4r.MeterCounterData:
    green, yellow, red = (p4r.CounterData(packet_count=packets, byte_count=size) for packets, size in counts)
    return p4r.MeterCounterData(green=green, yellow=yellow, red=red)


ALL_MARKED = marked(*MARKED)
NONE_MARKED = marked((0, 0), (0, 0), (0, 0))


async def test_meters_count_per_colour(client: Client, pipeline: MemoryPipeline) -> None:
    pipeline.meter_marked_set("ingress.port_rate", 2, MARKED)
    asked = p4r.MeterEntry(
        meter_id=IDS["port_rate"], index=p4r.Index(index=2), counter_data=p4r.MeterCounterData()
    )
    (read,) = await client.read(p4r.Entity(meter_entry=asked))
    assert read.meter_entry.counter_data == ALL_MARKED
    (bare,) = await client.read(meter(2))
    assert not bare.meter_entry.HasField("counter_data")
    read.meter_entry.config.CopyFrom(RATES)
    with pytest.raises(RefusedError) as refused:
        await client.modify(read)
    assert refused.value.codes == ["INVALID_ARGUMENT"]
    read.meter_entry.counter_data.CopyFrom(NONE_MARKED)
    await client.modify(read)
    assert pipeline.meter_marked("ingress.port_rate", 2) == Marked()
    assert pipeline.meters["ingress.port_rate"] == {2: MeterRates(1, 2, 3, 4)}


async def test_direct_meters_count_per_colour(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(station())
    (found,) = pipeline.tables["ingress.station"].entries.values()
    found.marked = MARKED
    asked = p4r.TableEntry(table_id=IDS["station"], meter_counter_data=p4r.MeterCounterData())
    (read,) = await client.read(p4r.Entity(table_entry=asked))
    assert read.table_entry.meter_counter_data == ALL_MARKED
    of_meter = direct_meter()
    of_meter.direct_meter_entry.counter_data.SetInParent()
    (read,) = await client.read(of_meter)
    assert read.direct_meter_entry.counter_data == ALL_MARKED
    with pytest.raises(RefusedError):
        await client.update(
            (MODIFY, of_meter),
            (MODIFY, station(meter_counter_data=NONE_MARKED)),
            (DELETE, station()),
            (DELETE, station()),
            atomicity=p4r.WriteRequest.ROLLBACK_ON_ERROR,
        )
    (found,) = pipeline.tables["ingress.station"].entries.values()
    assert found.marked == MARKED
    await client.modify(station(meter_counter_data=NONE_MARKED))
    assert found.marked == Marked()


def test_the_meters_type_bounds_its_configuration() -> None:
    def decode(kind: int, **config: int) -> MeterRates:
        return meters.decode(p4info.MeterSpec(1, "m", 1, kind), p4r.MeterConfig(**config))

    single = {"cir": 5, "cburst": 6, "pir": 5, "pburst": 6, "eburst": 7}
    assert decode(p4i.MeterSpec.SINGLE_RATE_THREE_COLOR, **single) == MeterRates(5, 6, 5, 6, 7)
    for kind in (p4i.MeterSpec.SINGLE_RATE_TWO_COLOR, p4i.MeterSpec.TWO_RATE_THREE_COLOR):
        with pytest.raises(P4RuntimeError, match="eburst"):
            decode(kind, **single)
    with pytest.raises(P4RuntimeError, match="pir = cir"):
        decode(p4i.MeterSpec.SINGLE_RATE_THREE_COLOR, cir=1, pir=2)


async def test_registers(client: Client, pipeline: MemoryPipeline) -> None:
    await client.modify(register(7, b"\0\0\0\0\xff"))
    assert pipeline.registers["ingress.totals"][7] == 255
    assert shown_all(await client.read(register(7))) == shown_all([register(7, 255)])
    await client.modify(register(None, 1))
    assert shown_all(await client.read(register())) == shown_all(register(index, 1) for index in range(8))


WRONG_CELLS = {
    "counter past the end": (MODIFY, counter(8, counted(1)), "OUT_OF_RANGE"),
    "counter negative index": (MODIFY, counter(-1, counted(1)), "INVALID_ARGUMENT"),
    "counter negative": (MODIFY, counter(0, counted(-1)), "INVALID_ARGUMENT"),
    "counter inserted": (INSERT, counter(0, counted(1)), "INVALID_ARGUMENT"),
    "counter deleted": (DELETE, counter(0), "INVALID_ARGUMENT"),
    "counter unknown": (MODIFY, p4r.Entity(counter_entry=p4r.CounterEntry(counter_id=1)), "INVALID_ARGUMENT"),
    "meter past the end": (MODIFY, meter(8, RATES), "OUT_OF_RANGE"),
    "meter negative": (MODIFY, meter(0, p4r.MeterConfig(cir=-1)), "INVALID_ARGUMENT"),
    "meter pir below cir": (MODIFY, meter(0, p4r.MeterConfig(cir=2, pir=1)), "INVALID_ARGUMENT"),
    "meter eburst": (MODIFY, meter(0, p4r.MeterConfig(eburst=1)), "INVALID_ARGUMENT"),
    "meter inserted": (INSERT, meter(0, RATES), "INVALID_ARGUMENT"),
    "register past the end": (MODIFY, register(8, 1), "OUT_OF_RANGE"),
    "register too wide": (MODIFY, register(0, 1 << 32), "OUT_OF_RANGE"),
    "register empty": (MODIFY, register(0, b""), "OUT_OF_RANGE"),
    "register of another type": (
        MODIFY,
        p4r.Entity(register_entry=p4r.RegisterEntry(register_id=IDS["totals"], data=p4d.P4Data(bool=True))),
        "INVALID_ARGUMENT",
    ),
    "register without data": (MODIFY, register(0), "INVALID_ARGUMENT"),
    "register deleted": (DELETE, register(0), "INVALID_ARGUMENT"),
    "extern": (MODIFY, p4r.Entity(extern_entry=p4r.ExternEntry()), "UNIMPLEMENTED"),
}


async def test_all_externs_are_none(client: Client) -> None:
    assert await client.read(p4r.Entity(extern_entry=p4r.ExternEntry())) == []
    with pytest.raises(RefusedError) as refused:
        await client.read(p4r.Entity(extern_entry=p4r.ExternEntry(extern_type_id=0x81)))
    assert refused.value.codes == ["UNIMPLEMENTED"]


@pytest.mark.parametrize("name", WRONG_CELLS)
async def test_wrong_cells(client: Client, pipeline: MemoryPipeline, name: str) -> None:
    kind, entity, code = WRONG_CELLS[name]
    before = pipeline.summary()
    with pytest.raises(RefusedError) as refused:
        await client.update((kind, entity))
    assert refused.value.codes == [code]
    assert pipeline.summary() == before


def direct_counter(data: p4r.CounterData | None = None, **key: object) -> p4r.Entity:
    table_entry = p4r.TableEntry(table_id=IDS["station"], match=match("station", **STATION), **key)
    return p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=table_entry, data=data))


def direct_meter(config: p4r.MeterConfig | None = None) -> p4r.Entity:
    table_entry = p4r.TableEntry(table_id=IDS["station"], match=match("station", **STATION))
    return p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry(table_entry=table_entry, config=config))


def station(**other: object) -> p4r.Entity:
    return entry("station", STATION, action("metered_forward", port=1), **other)


async def test_direct_resources_come_with_the_entry(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(station(counter_data=counted(1, 100), meter_config=RATES))
    (found,) = pipeline.tables["ingress.station"].entries.values()
    assert (found.counter, found.rates) == (CounterValue(1, 100), MeterRates(1, 2, 3, 4))
    assert pipeline.log[-1] == ["insert ingress.station"]
    bare = p4r.TableEntry(table_id=IDS["station"])
    assert shown_all(await client.read(p4r.Entity(table_entry=bare))) == shown_all([station()])
    asked = p4r.TableEntry(
        table_id=IDS["station"], counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig()
    )
    assert shown_all(await client.read(p4r.Entity(table_entry=asked))) == shown_all(
        [station(counter_data=counted(1, 100), meter_config=RATES)]
    )


async def test_modify_resets_the_meter_and_keeps_the_counter(
    client: Client, pipeline: MemoryPipeline
) -> None:
    await client.insert(station(counter_data=counted(1, 100), meter_config=RATES))
    await client.modify(station())
    (found,) = pipeline.tables["ingress.station"].entries.values()
    assert (found.counter, found.rates) == (CounterValue(1, 100), None)


async def test_direct_resources_on_their_own(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(station())
    await client.modify(direct_counter(counted(7)), direct_meter(RATES))
    assert shown_all(await client.read(direct_counter())) == shown_all([direct_counter(counted(7))])
    assert shown_all(await client.read(direct_meter())) == shown_all([direct_meter(RATES)])
    await client.modify(direct_counter(), direct_meter())
    (found,) = pipeline.tables["ingress.station"].entries.values()
    assert (found.counter, found.rates) == (CounterValue(7, 0), None)


async def test_direct_wildcards(client: Client) -> None:
    await client.insert(station(counter_data=counted(7)))
    of_table = p4r.DirectCounterEntry(table_entry=p4r.TableEntry(table_id=IDS["station"]))
    of_all = p4r.DirectCounterEntry()
    read = await client.read(p4r.Entity(direct_counter_entry=of_table))
    assert shown_all(read) == shown_all([direct_counter(counted(7))])
    read = await client.read(p4r.Entity(direct_counter_entry=of_all))
    assert len(read) == 1 + 3  # and the const entries of `kind`
    meters = await client.read(p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry()))
    assert shown_all(meters) == shown_all([direct_meter()])


async def test_wrong_direct_resources(client: Client) -> None:
    nowhere = p4r.TableEntry(table_id=IDS["route"])
    missed = p4r.TableEntry(table_id=IDS["station"], is_default_action=True)
    with pytest.raises(RefusedError) as refused:
        await client.update(
            (MODIFY, direct_counter(counted(1))),
            (INSERT, direct_counter(counted(1))),
            (DELETE, direct_meter()),
            (MODIFY, p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=nowhere))),
            (MODIFY, p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry(table_entry=missed))),
        )
    assert refused.value.codes == [
        "NOT_FOUND",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "UNIMPLEMENTED",
    ]


def tunnels(*types: int) -> p4r.Entity:
    members = [
        p4r.ValueSetMember(
            match=[p4r.FieldMatch(field_id=1, exact=p4r.FieldMatch.Exact(value=canonical(number)))]
        )
        for number in types
    ]
    return p4r.Entity(value_set_entry=p4r.ValueSetEntry(value_set_id=IDS["tunnel_types"], members=members))


async def test_value_sets(client: Client, pipeline: MemoryPipeline) -> None:
    everything = p4r.Entity(value_set_entry=p4r.ValueSetEntry())
    assert shown_all(await client.read(everything)) == shown_all([tunnels()])
    await client.modify(tunnels(0x22F3, 0x893B))
    assert pipeline.value_sets["parse.tunnel_types"] == [(Match(0x22F3, 0xFFFF),), (Match(0x893B, 0xFFFF),)]
    assert shown_all(await client.read(everything)) == shown_all([tunnels(0x22F3, 0x893B)])
    with pytest.raises(RefusedError) as refused:
        await client.update(
            (MODIFY, tunnels(1, 2, 3, 4, 5)),
            (MODIFY, tunnels(1, 1)),
            (INSERT, tunnels(1)),
            (MODIFY, tunnels(0x10000)),
        )
    assert refused.value.codes == [
        "RESOURCE_EXHAUSTED",
        "ALREADY_EXISTS",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
    ]
    await client.modify(tunnels())
    assert pipeline.value_sets["parse.tunnel_types"] == []


def replicas(*pairs: tuple[int, int]) -> list[p4r.Replica]:
    return [p4r.Replica(port=canonical(port), instance=instance) for port, instance in pairs]


def multicast(number: int, *pairs: tuple[int, int], metadata: bytes = b"") -> p4r.Entity:
    message = p4r.MulticastGroupEntry(multicast_group_id=number, replicas=replicas(*pairs), metadata=metadata)
    return p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(multicast_group_entry=message)
    )


def clone(number: int, *pairs: tuple[int, int], length: int = 0) -> p4r.Entity:
    message = p4r.CloneSessionEntry(
        session_id=number, replicas=replicas(*pairs), class_of_service=2, packet_length_bytes=length
    )
    return p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(clone_session_entry=message)
    )


async def test_replication(client: Client, pipeline: MemoryPipeline) -> None:
    group, session = multicast(1, (5, 1), (5, 2), (12, 0), metadata=b"note"), clone(100, (511, 1), length=64)
    await client.insert(group, session, multicast(2))
    assert pipeline.multicast_groups[1] == [Replica(5, 1), Replica(5, 2), Replica(12, 0)]
    assert pipeline.clone_sessions[100] == ([Replica(511, 1)], 64)
    assert shown_all(await client.read(multicast(0), clone(0))) == shown_all([group, session, multicast(2)])
    assert shown_all(await client.read(multicast(1))) == shown_all([group])
    await client.modify(multicast(1, (6, 0)))
    assert pipeline.multicast_groups[1] == [Replica(6, 0)]
    await client.delete(multicast(1), clone(100))
    assert pipeline.multicast_groups[1] == []
    assert pipeline.clone_sessions[100] == ([], 0)


async def test_wrong_replication(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.update(
            (INSERT, multicast(0, (1, 1))),
            (INSERT, multicast(1 << 16)),
            (INSERT, multicast(1, (512, 1))),
            (INSERT, multicast(1, (1, 1), (1, 1))),
            (INSERT, multicast(1, (1, 1 << 16))),
            (MODIFY, multicast(9)),
            (DELETE, clone(9)),
            (INSERT, clone(0)),
            (INSERT, clone(1, (1, 1), (1, 1))),
            (INSERT, clone(1, length=-1)),
            (INSERT, p4r.Entity(packet_replication_engine_entry=p4r.PacketReplicationEngineEntry())),
            (INSERT, multicast(1)),
            (INSERT, multicast(1)),
        )
    assert refused.value.codes == [
        "INVALID_ARGUMENT",
        "OUT_OF_RANGE",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "NOT_FOUND",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        None,
        "ALREADY_EXISTS",
    ]


def digest(**config: int) -> p4r.Entity:
    return p4r.Entity(
        digest_entry=p4r.DigestEntry(digest_id=IDS["seen_t"], config=p4r.DigestEntry.Config(**config))
    )


async def test_digest_configuration(client: Client) -> None:
    everything = p4r.Entity(digest_entry=p4r.DigestEntry())
    assert await client.read(everything) == []
    await client.insert(digest(max_timeout_ns=1, max_list_size=2, ack_timeout_ns=3))
    assert shown_all(await client.read(everything)) == shown_all(
        [digest(max_timeout_ns=1, max_list_size=2, ack_timeout_ns=3)]
    )
    await client.modify(digest(max_list_size=5))
    assert shown_all(await client.read(digest())) == shown_all([digest(max_list_size=5)])
    with pytest.raises(RefusedError) as refused:
        await client.update((INSERT, digest()), (MODIFY, digest(max_list_size=-1)), (DELETE, digest()))
    assert refused.value.codes == ["ALREADY_EXISTS", "INVALID_ARGUMENT", None]
    with pytest.raises(RefusedError) as refused:
        await client.update((MODIFY, digest()), (DELETE, digest()))
    assert refused.value.codes == ["NOT_FOUND", "NOT_FOUND"]


async def test_reads_answer_what_they_can(client: Client) -> None:
    await client.modify(counter(1, counted(9)))
    found: list[p4r.Entity] = []
    with pytest.raises(RefusedError) as refused:
        await client.read_into(found, [counter(1), counter(8), p4r.Entity(), register(0)])
    assert (refused.value.code, refused.value.codes) == (
        "UNKNOWN",
        [None, "OUT_OF_RANGE", "INVALID_ARGUMENT", None],
    )
    assert shown_all(found) == shown_all([counter(1, counted(9)), register(0, 0)])
