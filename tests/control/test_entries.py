"""Entries compare by what they mean; changes come in an order that breaks nothing."""

from __future__ import annotations

import finsy as fy
import pytest
from finsy.p4schema import P4UpdateType
from finsy.proto import p4r
from hypothesis import given
from hypothesis import strategies as st

import p4src
from control.decided import Steered, Unmet
from control.entries import Entry, from_proto, wanted
from control.model import Member, Placement
from control.reconcile import plan
from control.router_tables import RouterTables
from control.stages import choose, service
from control.tables import RANK

SCHEMA = fy.P4Schema(p4src.P4INFO)
SERVICES = service.ServiceEntries(SCHEMA)
NO_ACTION = SCHEMA.actions["NoAction"].id


def table_entry(
    table: str, match: dict[str, object], action: fy.P4TableAction | fy.P4IndirectAction
) -> p4r.Entity:
    return fy.P4TableEntry(table, match=fy.P4TableMatch(match), action=action).encode(SCHEMA)


def bind(slot: int) -> fy.P4TableAction:
    return choose.bind_action(Member(1, 2), {Member(1, 2): Placement(slot, ipv4=3, ipv6=4)}, {})


def group() -> p4r.Entity:
    return table_entry(
        "draw",
        {"group": 1},
        fy.P4IndirectAction([(2, bind(1)), (3, bind(2))]),
    )


def padded(entity: p4r.Entity) -> p4r.Entity:
    """Values with leading zeros."""
    for field in entity.table_entry.match:
        if field.HasField("exact"):
            field.exact.value = b"\0" + field.exact.value
    for one in entity.table_entry.action.action_profile_action_set.action_profile_actions:
        for param in one.action.params:
            param.value = b"\0\0" + param.value
    return entity


def turned_round(entity: p4r.Entity) -> p4r.Entity:
    """Match fields, actions and parameters in another order."""
    entry = entity.table_entry
    actions = entry.action.action_profile_action_set.action_profile_actions
    for repeated in (entry.match, actions, *(one.action.params for one in actions)):
        items = list(repeated)[::-1]
        del repeated[:]
        repeated.extend(items)
    return entity


def split(entity: p4r.Entity) -> p4r.Entity:
    """A weight of two as one member twice."""
    actions = entity.table_entry.action.action_profile_action_set.action_profile_actions
    twin = actions.add()
    twin.CopyFrom(actions[0])
    actions[0].weight = twin.weight = 1
    return entity


def counted(entity: p4r.Entity) -> p4r.Entity:
    entity.table_entry.counter_data.packet_count = 7
    return entity


@pytest.mark.parametrize("other", [padded, turned_round, split, counted])
def test_what_means_the_same_is_the_same(other) -> None:
    assert from_proto(other(group()), SCHEMA) == from_proto(group(), SCHEMA)


def test_a_wildcard_spelled_out_is_a_wildcard() -> None:
    action = fy.P4TableAction("set_class", class_id=1)
    plain = fy.P4TableEntry("demand_class", match=fy.P4TableMatch(grade=1), action=action, priority=1)
    spelled = plain.encode(SCHEMA)
    for name, low, high in (("latency_ms", b"\0", b"\xff\xff"), ("cost", b"\0", b"\xff")):
        field = spelled.table_entry.match.add(field_id=SCHEMA.tables["demand_class"].match_fields[name].id)
        field.range.low, field.range.high = low, high
    field = spelled.table_entry.match.add(field_id=SCHEMA.tables["demand_class"].match_fields["type"].id)
    field.ternary.value, field.ternary.mask = b"\0", b"\0"
    assert from_proto(spelled, SCHEMA) == from_proto(plain.encode(SCHEMA), SCHEMA)


@pytest.mark.parametrize("change", ["weight", "action", "priority", "key"])
def test_what_means_another_thing_is_another_thing(change: str) -> None:
    entity = group()
    entry = entity.table_entry
    if change == "weight":
        entry.action.action_profile_action_set.action_profile_actions[0].weight = 9
    elif change == "action":
        entry.action.action_profile_action_set.action_profile_actions[0].action.action_id = NO_ACTION
    elif change == "priority":
        entry.priority = 3
    else:
        entry.match[0].exact.value = b"\2"
    assert from_proto(entity, SCHEMA) != from_proto(group(), SCHEMA)


def test_what_is_nobodys_to_change_is_left_out() -> None:
    const = table_entry("outcome", {"outcome": 1}, fy.P4TableAction("count_outcome.count"))
    initial = fy.P4TableEntry("seal_key", action=fy.P4TableAction("NoAction"), is_default_action=True).encode(
        SCHEMA
    )
    unset = fy.P4TableEntry("seal_key", is_default_action=True).encode(SCHEMA)
    digest = fy.P4DigestEntry("member_report").encode(SCHEMA)
    assert [from_proto(entity, SCHEMA) for entity in (const, initial, unset, digest)] == [None] * 4


def test_every_table_digest_and_meter_of_the_program_has_a_rank() -> None:
    tables = {table.alias for table in SCHEMA.tables if not table.is_const}
    others = {one.alias for one in (*SCHEMA.digests, *SCHEMA.meters)}
    assert set(RANK) == tables | others


def test_a_default_action_is_modified_whatever_the_change() -> None:
    seal = fy.P4TableAction("seal_with", key_epoch=1, k0=2, k1=3)
    entry = wanted([fy.P4TableEntry("seal_key", action=seal, is_default_action=True)], SCHEMA)[0]
    for kind in (P4UpdateType.INSERT, P4UpdateType.MODIFY, P4UpdateType.DELETE):
        assert entry.update(kind).type == p4r.Update.MODIFY
    assert entry.update(P4UpdateType.INSERT).entity.table_entry.action.action.params
    assert not entry.update(P4UpdateType.DELETE).entity.table_entry.HasField("action")


# --- plans, over entries that are only keys, bodies and ranks

entries = st.builds(Entry, st.binary(max_size=1), st.binary(max_size=1), st.integers(0, 4), st.just(False))
states = st.lists(entries, max_size=20).map(lambda many: {entry.key: entry for entry in many})


def same_ranks(wanted_: dict[bytes, Entry], installed: dict[bytes, Entry]) -> dict[bytes, Entry]:
    """A key belongs to one table, so it has one rank."""
    return {
        key: Entry(key, entry.body, wanted_[key].rank if key in wanted_ else entry.rank, entry.is_fixed)
        for key, entry in installed.items()
    }


@given(states, states)
def test_a_plan_leads_from_what_is_to_what_should_be(
    new: dict[bytes, Entry], old: dict[bytes, Entry]
) -> None:
    old = same_ranks(new, old)
    tables = RouterTables()
    tables.want("all", new.values())
    tables.found(old)
    phases = tables.changes()
    changed = [change for phase in phases for change in phase]
    assert len({change.entry.key for change in changed}) == len(changed)
    assert len(changed) == sum(new.get(key) != old.get(key) for key in new.keys() | old.keys())
    for phase in phases:
        tables.done(phase)
    assert {entry.key: entry for entry in tables.installed} == new
    assert tables.changes() == []


@given(states, states)
def test_a_plan_makes_before_it_breaks(new: dict[bytes, Entry], old: dict[bytes, Entry]) -> None:
    phases = plan(new, same_ranks(new, old), new.keys() | old.keys())
    order = [(change.kind == P4UpdateType.DELETE, change.entry.rank) for phase in phases for change in phase]
    made = [rank for gone, rank in order if not gone]
    gone = [rank for is_gone, rank in order if is_gone]
    assert order == [(False, rank) for rank in made] + [(True, rank) for rank in gone]
    assert made == sorted(made)
    assert gone == sorted(gone, reverse=True)


def test_only_the_parts_that_changed_are_looked_at() -> None:
    one, two = Entry(b"1", b"", 0, False), Entry(b"2", b"", 0, False)
    tables = RouterTables()
    tables.want("a", [one])
    tables.want("b", [two])
    tables.changes()
    assert tables.pending == 0
    tables.want("a", [one])
    assert tables.pending == 0
    tables.want("a", [])
    assert tables.pending == 1


@given(
    st.builds(
        Steered,
        st.integers(0, 2**64 - 1),
        st.integers(0, 255),
        st.sampled_from([4, 6]),
        st.just(64),
        st.integers(0, 2**14 - 1),
    ),
    st.integers(0, 2**16 - 1) | st.just(Unmet("GRADE")),
)
def test_rows_of_services_are_as_finsy_encodes_them(steered: Steered, answer: int | Unmet) -> None:
    if isinstance(answer, Unmet):
        row = service.unmet(steered, answer.part, SCHEMA)
    elif answer == service.NOBODY:
        row = service.no_capacity(steered)
    else:
        row = service.grouped(steered, answer)
    rows = SERVICES.rows([steered.func_id], (steered.class_id, steered.family, steered.scope), answer)
    entry = wanted([row], SCHEMA)[0]
    assert rows == {entry.key: entry}
