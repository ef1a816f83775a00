"""Table entries: written, refused, read back. One case: pytest tests/switch/p4rt/test_tables.py -k lpm."""

import pytest
from finsy.proto import p4r

from switch.api import Action, CounterValue, Match

from .client import Client, RefusedError
from .memory_pipeline import MemoryPipeline
from .messages import IDS, P4INFO, action, action_set, default, entry, match, route, shown, shown_all

ANY_ROUTE = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["route"]))


ACL_KEY = {"ingress_port": 3}


async def test_entries_read_back_as_written(client: Client) -> None:
    written = [
        route(0x0A000000, 8, 1),
        entry("route", {}, action("drop"), metadata=b"all the rest"),
        entry("route", {"dst_addr": (0x0A010000, 16)}, action("rewrite", dst_addr=0, port=511)),
        entry(
            "station", {"dst_addr": 0xFFFFFFFFFFFF}, action("metered_forward", port=1), idle_timeout_ns=10**9
        ),
        entry(
            "acl",
            {"src_addr": (0x0A000001, 0xFF0000FF), "total_len": (64, 128), "protocol": 0} | ACL_KEY,
            action("set_tag", tag=7),
            priority=5,
            controller_metadata=1 << 63,
        ),
        entry("acl", ACL_KEY, action("drop"), priority=2**31 - 1),
        entry(
            "selected",
            {"dst_addr": (1 << 31, 1)},
            action_set((action("forward", port=1), 2, 1), (action("NoAction"), 1)),
        ),
    ]
    await client.insert(*written)
    read = await client.read(p4r.Entity(table_entry=p4r.TableEntry()))
    assert shown_all(item for item in read if not item.table_entry.is_const) == shown_all(written)


async def test_pipeline_gets_the_programs_values(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(
        entry(
            "acl",
            {"src_addr": (0x0A00, 0xFF00), "total_len": (64, 128)} | ACL_KEY,
            action("drop"),
            priority=5,
        ),
        route(0x0A000000, 8, 1),
    )
    (acl,) = pipeline.tables["ingress.acl"].entries.values()
    assert acl.key == (Match(0x0A00, 0xFF00), Match(64, 0, 128), Match(0, 0), Match(3, 0x1FF))
    assert (acl.priority, acl.target) == (5, Action("ingress.drop"))
    (found,) = pipeline.tables["ingress.route"].entries.values()
    assert (found.key, found.target) == ((Match(0x0A000000, 0xFF000000),), Action("ingress.forward", (1,)))


async def test_leading_zeros_are_taken_and_read_back_without(client: Client) -> None:
    long = entry("route", {}, action("forward", port=b"\0\0\0\1"))
    lpm = long.table_entry.match.add(field_id=1).lpm
    lpm.value, lpm.prefix_len = b"\0\0\x0a\0\0\0", 8
    await client.insert(long)
    (read,) = await client.read(ANY_ROUTE)
    assert shown(read) == shown(route(0x0A000000, 8, 1))


async def test_fields_may_come_in_any_order(client: Client) -> None:
    ordered = entry("acl", {"src_addr": (1, 1), "protocol": 6} | ACL_KEY, action("drop"), priority=1)
    shuffled = p4r.Entity()
    shuffled.CopyFrom(ordered)
    del shuffled.table_entry.match[:]
    shuffled.table_entry.match.extend(reversed(ordered.table_entry.match))
    await client.insert(shuffled)
    with pytest.raises(RefusedError) as refused:
        await client.insert(ordered)
    assert refused.value.codes == ["ALREADY_EXISTS"]


def raw(table: str, *matches: p4r.FieldMatch, priority: int = 0) -> p4r.Entity:
    made = entry(table, {}, action("drop"), priority=priority)
    made.table_entry.match.extend(matches)
    return made


def call(name: str, *params: int) -> p4r.Action:
    return p4r.Action(
        action_id=IDS[name], params=[p4r.Action.Param(param_id=number, value=b"\1") for number in params]
    )


def field(number: int, **kind: object) -> p4r.FieldMatch:
    return p4r.FieldMatch(field_id=number, **kind)


LPM, TERNARY, RANGE = p4r.FieldMatch.LPM, p4r.FieldMatch.Ternary, p4r.FieldMatch.Range


EXACT, OPTIONAL = p4r.FieldMatch.Exact, p4r.FieldMatch.Optional


PORT = field(4, exact=EXACT(value=b"\3"))


MALFORMED = {
    "unknown table": p4r.Entity(table_entry=p4r.TableEntry(table_id=0x02FFFFFF)),
    "no table": p4r.Entity(table_entry=p4r.TableEntry()),
    "unknown field": raw("route", field(9, lpm=LPM(value=b"\1", prefix_len=32))),
    "field twice": raw("route", *[field(1, lpm=LPM(value=b"\1", prefix_len=32))] * 2),
    "kind unset": raw("route", field(1)),
    "wrong kind": raw("route", field(1, exact=EXACT(value=b"\1"))),
    "lpm too wide": raw("route", field(1, lpm=LPM(value=b"\1\0\0\0\0", prefix_len=32))),
    "lpm value empty": raw("route", field(1, lpm=LPM(value=b"", prefix_len=32))),
    "lpm prefix 0": raw("route", field(1, lpm=LPM(value=b"\0", prefix_len=0))),
    "lpm prefix -1": raw("route", field(1, lpm=LPM(value=b"\0", prefix_len=-1))),
    "lpm prefix 33": raw("route", field(1, lpm=LPM(value=b"\0", prefix_len=33))),
    "lpm bits beyond prefix": raw("route", field(1, lpm=LPM(value=b"\x0a\0\0\1", prefix_len=8))),
    "exact missing": raw("acl", priority=1),
    "exact too wide": raw("acl", field(4, exact=EXACT(value=b"\2\0")), priority=1),
    "exact empty": raw("acl", field(4, exact=EXACT()), priority=1),
    "mask 0": raw("acl", PORT, field(1, ternary=TERNARY(value=b"\0", mask=b"\0")), priority=1),
    "value outside mask": raw("acl", PORT, field(1, ternary=TERNARY(value=b"\3", mask=b"\1")), priority=1),
    "mask too wide": raw("acl", PORT, field(1, ternary=TERNARY(value=b"\0", mask=b"\1" * 5)), priority=1),
    "range backwards": raw("acl", PORT, field(2, range=RANGE(low=b"\2", high=b"\1")), priority=1),
    "range of all": raw("acl", PORT, field(2, range=RANGE(low=b"\0", high=b"\xff\xff")), priority=1),
    "range too wide": raw("acl", PORT, field(2, range=RANGE(low=b"\0", high=b"\1\0\0")), priority=1),
    "optional empty": raw("acl", PORT, field(3, optional=OPTIONAL()), priority=1),
    "priority missing": raw("acl", PORT),
    "priority negative": raw("acl", PORT, priority=-1),
    "priority too many": route(1, 32, 1, priority=1),
    "no action": entry("route", {}),
    "action unset": entry("route", {}, p4r.TableAction()),
    "unknown action": entry("route", {}, p4r.Action(action_id=0x01FFFFFF)),
    "action of another table": entry("route", {}, action("learn")),
    "param missing": entry("route", {}, action("rewrite", port=1)),
    "param unknown": entry("route", {}, call("drop", 1)),
    "param twice": entry("route", {}, call("forward", 1, 1)),
    "param too wide": entry("route", {}, action("forward", port=512)),
    "param empty": entry("route", {}, action("forward", port=b"")),
    "member in a direct table": entry("route", {}, p4r.TableAction(action_profile_member_id=1)),
    "action in an indirect table": entry("profiled", {"src_addr": 1}, action("drop")),
    "group without selector": entry("profiled", {"src_addr": 1}, p4r.TableAction(action_profile_group_id=1)),
    "set without selector": entry("profiled", {"src_addr": 1}, action_set((action("drop"), 1))),
    "idle timeout unsupported": route(1, 32, 1, idle_timeout_ns=1),
    "idle timeout negative": entry(
        "station", {"dst_addr": 1}, action("metered_forward", port=1), idle_timeout_ns=-1
    ),
    "time since last hit": entry("station", {}, time_since_last_hit=p4r.TableEntry.IdleTimeout()),
    "is_const": route(1, 32, 1, is_const=True),
    "counter without direct counter": route(1, 32, 1, counter_data=p4r.CounterData()),
    "meter without direct meter": route(1, 32, 1, meter_config=p4r.MeterConfig()),
    "keyless table": entry("options", {}, action("NoAction")),
    "inserted default": default("route", action("drop")),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_entries_are_invalid(client: Client, pipeline: MemoryPipeline, name: str) -> None:
    before = pipeline.summary()
    with pytest.raises(RefusedError) as refused:
        await client.insert(MALFORMED[name])
    assert (refused.value.code, refused.value.codes) == ("UNKNOWN", ["INVALID_ARGUMENT"])
    assert pipeline.summary() == before


DENIED = {
    "defaultonly in an entry": (1, entry("station", {"dst_addr": 1}, action("no_station"))),
    "tableonly as default": (2, default("acl", action("set_tag", tag=1))),
    "const default": (2, default("acl", action("NoAction"))),
    "const default reset": (2, default("kind")),
    "insert into const": (
        1,
        entry("kind", {"ether_type": (1, 1), "$valid$": 1}, action("count_kind"), priority=9),
    ),
    "delete of const": (3, entry("kind", {"$valid$": 0}, priority=1)),
    "delete from const": (3, entry("kind", {"ether_type": (1, 1), "$valid$": 1}, priority=9)),
    "action of const": (2, entry("kind", {"$valid$": 0}, action("count_kind"), priority=1)),
    "metadata of const": (2, entry("kind", {"$valid$": 0}, priority=1, metadata=b"mine")),
    "cookie of const": (2, entry("kind", {"$valid$": 0}, priority=1, controller_metadata=1)),
}


@pytest.mark.parametrize("name", DENIED)
async def test_what_the_program_fixes_is_denied(client: Client, name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.update(DENIED[name])
    assert refused.value.codes == ["PERMISSION_DENIED"]


async def test_errors_are_told_for_each_update(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.update(
            (p4r.Update.INSERT, route(1, 32, 1)),
            (p4r.Update.INSERT, route(1, 32, 2)),
            (p4r.Update.MODIFY, route(2, 32, 2)),
            (p4r.Update.DELETE, route(2, 32, 2)),
            (p4r.Update.UNSPECIFIED, route(3, 32, 2)),
            (p4r.Update.INSERT, p4r.Entity()),
            (p4r.Update.INSERT, route(4, 32, 4)),
        )
    assert refused.value.codes == [
        None, "ALREADY_EXISTS", "NOT_FOUND", "NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ARGUMENT", None,
    ]  # fmt: skip
    assert shown_all(await client.read(ANY_ROUTE)) == shown_all([route(1, 32, 1), route(4, 32, 4)])


async def test_full_table(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.insert(*(route(number, 32, 1) for number in range(9)))
    assert refused.value.codes == [None] * 8 + ["RESOURCE_EXHAUSTED"]
    await client.delete(route(0, 32, 1))
    await client.insert(route(8, 32, 1))


async def test_modify_replaces_and_delete_needs_only_the_key(
    client: Client, pipeline: MemoryPipeline
) -> None:
    key = {"dst_addr": 1}
    await client.insert(
        entry("station", key, action("metered_forward", port=1), metadata=b"one", controller_metadata=1)
    )
    changed = entry("station", key, action("metered_forward", port=2), metadata=b"two", idle_timeout_ns=5)
    await client.modify(changed)
    station = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["station"]))
    assert shown_all(await client.read(station)) == shown_all([changed])
    await client.delete(entry("station", key, action("drop"), metadata=b"nonsense"))
    assert await client.read(station) == []
    assert pipeline.tables["ingress.station"].entries == {}


async def test_modify_without_action_keeps_it(client: Client) -> None:
    await client.insert(route(1, 32, 1))
    await client.modify(entry("route", {"dst_addr": (1, 32)}, metadata=b"note"))
    assert shown_all(await client.read(ANY_ROUTE)) == shown_all([route(1, 32, 1, metadata=b"note")])


async def test_default_entries(client: Client, pipeline: MemoryPipeline) -> None:
    options = default("options")
    assert shown_all(await client.read(options)) == shown_all([default("options", action("set_tag", tag=7))])
    changed = default("options", action("set_tag", tag=9), metadata=b"mine")
    await client.modify(changed)
    assert shown_all(await client.read(options)) == shown_all([changed])
    assert pipeline.tables["ingress.options"].default == Action("ingress.set_tag", (9,))
    await client.modify(options)
    assert shown_all(await client.read(options)) == shown_all([default("options", action("set_tag", tag=7))])
    assert pipeline.tables["ingress.options"].default is None


async def test_all_default_entries_at_once(client: Client) -> None:
    everything = p4r.Entity(table_entry=p4r.TableEntry(is_default_action=True))
    assert shown_all(await client.read(everything)) == shown_all(
        [
            default("station", action("no_station")),
            default("route", action("drop")),
            default("acl", action("NoAction"), is_const=True),
            default("profiled", action("NoAction"), is_const=True),
            default("selected", action("NoAction"), is_const=True),
            default("kind", action("count_kind"), is_const=True),
            default("options", action("set_tag", tag=7)),
        ]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        default("route", action("drop"), priority=1),
        default("station", action("no_station"), idle_timeout_ns=1),
        p4r.Entity(table_entry=p4r.TableEntry(
            table_id=IDS["route"], is_default_action=True, match=match("route", dst_addr=(1, 32))
        )),
        default("route", action("learn")),
        default("selected", action("NoAction")),
    ],
)  # fmt: skip
async def test_malformed_default_entries(client: Client, wrong: p4r.Entity) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.modify(wrong)
    assert refused.value.codes == ["INVALID_ARGUMENT"]


async def test_const_entries_let_their_counters_be_set(client: Client, pipeline: MemoryPipeline) -> None:
    data = p4r.CounterData(packet_count=5)
    await client.modify(entry("kind", {"$valid$": 0}, priority=1, counter_data=data))
    counters = {item.priority: item.counter for item in pipeline.tables["ingress.kind"].entries.values()}
    assert counters == {3: CounterValue(), 2: CounterValue(), 1: CounterValue(5, 0)}


async def test_no_write_may_set_is_const(client: Client) -> None:
    await client.insert(route(1, 32, 1))
    with pytest.raises(RefusedError) as refused:
        await client.delete(route(1, 32, 1, is_const=True), entry("kind", {"$valid$": 0}, is_const=True))
    assert refused.value.codes == ["INVALID_ARGUMENT", "INVALID_ARGUMENT"]
    assert len(await client.read(ANY_ROUTE)) == 1


def test_p4info_is_of_the_program() -> None:
    assert {table.preamble.alias for table in P4INFO.tables} >= {"station", "route", "acl"}
