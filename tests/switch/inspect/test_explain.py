"""What an explanation says, step by step."""

import struct
from collections.abc import Iterator

import pytest

from switch.api import Action, Bucket, Group, Match, Member, Replica
from switch.courier import messages
from switch.dataplane import Dataplane
from switch.inspect.explain import explain
from switch.native import ffi
from switch.proto import inspect_pb2 as pb
from tests.switch.harness import running
from tests.switch.orders import order
from tests.switch.p4rt.messages import DEVICE_CONFIG
from tests.switch.p4rt.test_native import ipv4
from tests.switch.test_corners import packet as corner

from .steps import all_of, fields, kinds, only, sent, table


@pytest.fixture
def match() -> Iterator[Dataplane]:
    with running("match") as dataplane:
        yield dataplane


@pytest.fixture
def selector() -> Iterator[Dataplane]:
    with running("selector") as dataplane:
        yield dataplane


@pytest.fixture
def copies() -> Iterator[Dataplane]:
    with running("copies", cpu_port=510) as dataplane:
        yield dataplane


@pytest.fixture
def externs() -> Iterator[Dataplane]:
    with running("externs") as dataplane:
        yield dataplane


@pytest.fixture
def shapes() -> Iterator[Dataplane]:
    with running("shapes") as dataplane:
        yield dataplane


def key(kind: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> bytes:
    return struct.pack("!BBHI", kind, a, b, c) + d.to_bytes(16) + b"\x11\x22rest"


def cells(what: int, index: int, value: int = 0) -> bytes:
    return struct.pack("!BBHQHH", what, index, 0, value, 0, 0)


def test_a_packet_from_the_parser_to_its_port(match: Dataplane) -> None:
    handle = match.table_insert("I.exact_t", [Match(7), Match(8)], 0, Action("I.say", (0x33,)))
    told = explain(match, 3, key(0, a=7, d=8))
    arrival = only(told, "arrival")
    assert (arrival.reason, arrival.port, arrival.packet) == (pb.Arrival.RECEIVED, 3, key(0, 7, d=8).hex())
    state = only(told, "state")
    assert (state.name, state.next) == ("start", "accept")
    first, second = state.extracted
    assert (first.name, first.offset, first.length) == ("key", 0, 24)
    assert fields(first.fields) == {
        "kind": "0x00", "a": "0x07", "b": "0x0000", "c": "0x00000000", "d": f"0x{8:032x}",
    }  # fmt: skip
    assert (second.name, second.offset, fields(second.fields)) == (
        "result", 24, {"code": "0x11", "more": "0x22"},
    )  # fmt: skip
    assert only(told, "parsed").payload_length == 4
    condition = only(told, "condition")
    assert (condition.outcome, condition.source.fragment) == (True, "hdr.key.kind == 0")
    assert condition.source.file == "match.p4"
    exact = table(told, "I.exact_t")
    assert fields(exact.key) == {"hdr.key.a": "0x07", "hdr.key.d": f"0x{8:032x}"}
    assert (exact.entry.handle, list(exact.entry.match)) == (handle, ["0x07", f"0x{8:032x}"])
    assert (exact.action.name, fields(exact.action.parameters)) == ("I.say", {"code": "0x33"})
    assert exact.source.line > 0
    assert exact.action.source.line > 0
    changed = {c.name: (c.before, c.after) for step in all_of(told, "changes") for c in step.fields}
    assert changed["result.code"] == ("0x11", "0x33")
    assert only(told, "egress").port == 1
    deparsed = only(told, "deparsed")
    assert (list(deparsed.headers), deparsed.header_length, deparsed.payload_length) == (
        ["key", "result"],
        26,
        4,
    )
    assert sent(told) == match.inject(3, key(0, a=7, d=8))


def test_a_miss_runs_the_default(match: Dataplane) -> None:
    told = table(explain(match, 1, key(1, a=1)), "I.lpm_t")
    assert not told.HasField("entry")
    assert told.action.name == "I.silent"
    match.table_default("I.lpm_t", Action("I.set", (5,)))
    told = table(explain(match, 1, key(1, a=1)), "I.lpm_t")
    assert (told.action.name, fields(told.action.parameters)) == ("I.set", {"code": "0x05"})


def test_a_miss_among_members_tells_no_more_than_the_tables_record() -> None:
    """That record need not have room for what a member's action takes."""
    kind = ffi.typeof("enum trace_kind").relements["TRACE_ACTION"]
    dataplane = Dataplane(DEVICE_CONFIG)
    try:
        numbers = {table.name: n for n, table in enumerate(dataplane.shape.tables)}
        number = numbers["ingress.selected"]
        shape = dataplane.shape.tables[number]
        assert shape.profile is not None
        assert shape.data_words < dataplane.shape.profiles[shape.profile].data_words
        bodies = [body for k, n, body in messages(dataplane.trace(1, ipv4(1))) if (k, n) == (kind, number)]
        assert [len(body) for body in bodies] == [8 * (2 + shape.data_words)]
    finally:
        dataplane.close()


def test_matches_are_told_as_they_were_written(match: Dataplane) -> None:
    full = 0xFFFF
    set_ = Action("I.set", (1,))
    match.table_insert("I.lpm_t", [Match(1), Match(0x0A000000, mask=0xFF000000)], 0, set_)
    match.table_insert("I.lpm_t", [Match(1), Match(0, mask=0)], 0, set_)
    match.table_insert("I.ternary_t", [Match(0x1200, mask=0xFF00), Match(0, mask=0), Match(4)], 9, set_)
    match.table_insert("I.range_t", [Match(5, high=9), Match(0, mask=0)], 2, set_)
    match.table_insert("I.optional_t", [Match(6, mask=full), Match(0, mask=0)], 3, set_)

    def entry(packet: bytes, name: str) -> tuple[int, list[str]]:
        found = table(explain(match, 1, packet), name).entry
        assert found.handle
        return found.priority, list(found.match)

    assert entry(key(1, a=1, c=0x0A010203), "I.lpm_t") == (0, ["0x01", "0x0a000000/8"])
    assert entry(key(1, a=1, c=0x0B010203), "I.lpm_t") == (0, ["0x01", "_"])
    assert entry(key(2, a=4, b=0x12AB), "I.ternary_t") == (9, ["0x1200 &&& 0xff00", "_", "0x04"])
    assert entry(key(3, b=7), "I.range_t") == (2, ["0x0005..0x0009", "_"])
    assert entry(key(4, b=6), "I.optional_t") == (3, ["0x0006", "_"])
    # The program's own: of three entries the first has priority 3.
    assert entry(key(5, a=1, b=1), "I.const_t") == (3, ["0x01", "_"])
    assert entry(key(5, a=0x15, b=6), "I.const_t") == (2, ["0x10 &&& 0xf0", "0x0005..0x0009"])
    assert entry(key(5, a=0x15, b=99), "I.const_t") == (1, ["0x10 &&& 0xf0", "_"])


def test_ranges_wider_than_a_word() -> None:
    with running("corners") as switch:
        key = [Match(5, high=(3 << 64) + 2), Match(3, high=1 << 64), Match(0)]
        switch.table_insert("I.range_t", key, 1, Action("I.note", (77,)))
        told = table(explain(switch, 1, corner(0, c=1 << 64, a=4)), "I.range_t")
    assert told.entry.priority == 1
    widths = [field.width for field in told.key]
    assert [int(field.value, 16) for field in told.key] == [1 << 64, 4, 0]
    bounds = [part.split("..") for part in told.entry.match[:2]]
    assert [[int(bound, 16) for bound in part] for part in bounds] == [[5, (3 << 64) + 2], [3, 1 << 64]]
    assert (widths[0] > 64, told.entry.match[2]) == (True, "_")


def test_exit_ends_the_control(match: Dataplane) -> None:
    match.table_insert("I.run_t", [Match(1)], 0, Action("I.silent"))
    told = explain(match, 1, key(7, a=1))
    assert kinds(told.steps)[-4:] == ["exit", "egress", "deparsed", "sent"]
    assert all_of(explain(match, 1, key(7, a=2)), "exit") == []


def test_members_and_groups(selector: Dataplane) -> None:
    actions = [Action("I.set", (n,)) for n in (10, 11)]
    member = selector.member_add("I.profile", Action("I.set", (77,)))
    selector.table_insert("I.profiled", [Match(1)], 0, Member(member))
    told = table(explain(selector, 1, bytes([0, 1]) + bytes(8)), "I.profiled")
    assert (told.group_handle, told.member_handle, told.action.name) == (0, member, "I.set")
    assert fields(told.action.parameters) == {"result": "0x004d"}
    members = [selector.member_add("I.shared", action) for action in actions]
    group = selector.group_add("I.shared", [Bucket(member) for member in members])
    selector.table_insert("I.chosen", [Match(1)], 0, Group(group))
    chosen: set[int] = set()
    for flow in range(20):
        packet = bytes([1, 1]) + flow.to_bytes(4) + bytes(2)
        told = table(explain(selector, 1, packet), "I.chosen")
        assert told.group_handle == group
        chosen.add(told.member_handle)
        ((_, out),) = selector.inject(1, packet)
        assert int.from_bytes(out[6:8]) == 10 + members.index(told.member_handle)
    assert chosen == set(members)
    selector.group_modify("I.shared", group, [])
    told = table(explain(selector, 1, bytes([1, 1]) + bytes(6)), "I.chosen")
    assert (told.group_handle, told.member_handle) == (group, 0)
    assert not told.HasField("action")


def test_clones_are_branches(copies: Dataplane) -> None:
    copies.clone_session_set(5, [Replica(2, 1), Replica(510, 2)], truncate=9)
    told = explain(copies, 3, order(2))
    clone = only(told, "clone")
    assert (clone.from_egress, clone.session, clone.copies, clone.truncate) == (False, 5, 2, 9)
    first, second = all_of(told, "copy")
    assert (first.port, first.instance, second.port, second.instance) == (2, 1, 510, 2)
    assert kinds(first.steps)[0] == "egress"
    assert kinds(first.steps)[-2:] == ["deparsed", "sent"]
    assert second.steps[-1].sent.interface == "CPU"
    assert [step.sent.port for step in told.steps if step.HasField("sent")] == [1]
    told = explain(copies, 3, order(9))
    assert (only(told, "clone").from_egress, len(all_of(told, "copy"))) == (True, 2)
    copies.clone_session_set(5, [])
    told = explain(copies, 3, order(2))
    assert (only(told, "clone").copies, all_of(told, "copy")) == (0, [])


def test_multicast_resubmit_recirculate_and_drop(copies: Dataplane) -> None:
    copies.multicast_set(7, [Replica(2, 20), Replica(4, 40)])
    told = explain(copies, 3, order(1))
    assert (only(told, "multicast").group, [c.port for c in all_of(told, "copy")]) == (7, [2, 4])
    reasons = [a.reason for a in all_of(explain(copies, 3, order(3)), "arrival")]
    assert reasons == [pb.Arrival.RECEIVED, pb.Arrival.RESUBMITTED]
    arrivals = all_of(explain(copies, 3, order(10, count=2)), "arrival")
    recirculated = pb.Arrival.RECIRCULATED
    assert [a.reason for a in arrivals] == [pb.Arrival.RECEIVED, recirculated, recirculated]
    assert [bytes.fromhex(a.packet)[1] for a in arrivals] == [2, 1, 0]
    for what in (0, 13):
        assert only(explain(copies, 3, order(what)), "ended").reason == "dropped_by_program"
    assert only(explain(copies, 3, order(11)), "ended").reason == "lost_to_loop"
    assert not explain(copies, 3, order(11)).cut


def test_messages_are_told_and_not_sent(copies: Dataplane) -> None:
    digest = only(explain(copies, 3, order(5)), "digest")
    assert digest.name == "news_t"
    assert [field.value for field in digest.fields] == ["0x05", "0x112233445566", f"0x{1 << 100:032x}"]
    assert only(explain(copies, 3, order(7, count=4)), "log").text == "order 4 of 7"
    told = explain(copies, 3, order(8))
    assert "hdr.order.count != 0" in only(told, "log").text
    assert only(told, "ended").reason == "lost_to_check"
    assert copies.poll_events() == 0


def test_externs(externs: Dataplane) -> None:
    access = only(explain(externs, 1, cells(0, 3)), "access")
    assert (access.kind, access.name, access.index) == (pb.Access.COUNT, "I.seen", 3)
    access = only(explain(externs, 1, cells(1, 2, 0xABCD)), "access")
    assert (access.kind, access.index, access.value) == (pb.Access.WRITE, 2, f"0x{0xABCD:016x}")
    externs.register_set("I.cells", 2, 0x1234)
    access = only(explain(externs, 1, cells(2, 2)), "access")
    assert (access.kind, access.index, access.value) == (pb.Access.READ, 2, f"0x{0x1234:016x}")
    access = only(explain(externs, 1, cells(3, 1)), "access")
    assert (access.kind, access.name, access.index) == (pb.Access.METER, "I.pace", 1)
    # An index out of bounds does nothing.
    assert all_of(explain(externs, 1, cells(0, 8)), "access") == []
    told = explain(externs, 1, cells(7, 1))
    assert only(told, "parsed").checksum_error


def test_checksums_are_changes_of_the_deparser(externs: Dataplane) -> None:
    told = explain(externs, 1, cells(0, 3))
    assert kinds(told.steps)[-4:] == ["egress", "deparsed", "changes", "sent"]
    assert {change.name for change in told.steps[-2].changes.fields} == {"order.sum", "order.payload_sum"}


def test_parser_errors_and_stacks(shapes: Dataplane) -> None:
    told = explain(shapes, 1, b"\x01")
    assert only(told, "parsed").error == "PacketTooShort"
    state = only(told, "state")
    assert (state.name, state.next, list(state.extracted)) == ("start", "", [])
    told = explain(shapes, 1, b"\x01\x03" + bytes(range(40)))
    names = [header.name for state in all_of(told, "state") for header in state.extracted]
    assert len(names) == len(set(names)) > 1
    for state, following in zip(all_of(told, "state"), all_of(told, "state")[1:], strict=False):
        assert state.next == following.name


def test_a_trace_that_grows_too_long_is_cut(copies: Dataplane) -> None:
    copies.multicast_set(7, [Replica(n % 500, n) for n in range(1800)])
    long = explain(copies, 3, order(1) + bytes(2000))
    assert long.cut
    assert len(all_of(long, "copy")) > 100
    assert not explain(copies, 3, order(0)).cut
    assert len(copies.inject(3, order(1))) == 1800


def test_packets_that_are_too_long_are_refused(copies: Dataplane) -> None:
    with pytest.raises(OSError, match="too long"):
        explain(copies, 1, bytes(70_000))
    assert sent(explain(copies, 1, order(14) + bytes(60_000))) == copies.inject(1, order(14) + bytes(60_000))
