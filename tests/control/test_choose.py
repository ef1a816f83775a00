"""Rows of groups hold what was decided, and it can be read out of them again."""

from __future__ import annotations

import finsy as fy
from hypothesis import given
from hypothesis import strategies as st

import p4src
from control.decided import Expected, Group, Racer
from control.entries import wanted
from control.model import Member, Placement
from control.stages import choose
from control.tables import GROUP_OF_SITES

SCHEMA = fy.P4Schema(p4src.P4INFO)
ENTRIES = choose.GroupEntries(SCHEMA)
MEMBERS = [Member(site) for site in (1, 2, 16_383)] + [Member(4, instance) for instance in (1, 65_535)]
PLACES = {member: Placement(slot, 100 + slot, slot << 100) for slot, member in enumerate(MEMBERS)}
AMOUNTS = st.integers(0, 2**32 - 1)


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Groups as `control.race` makes them, but for who is whose rival."""
    weights = draw(st.dictionaries(st.sampled_from(MEMBERS), st.integers(1, 50), min_size=1))
    racing = sorted(draw(st.sets(st.sampled_from(sorted(weights)))))
    races: list[Racer] = []
    for member in racing:
        others = [one for one in racing if one != member]
        rivals = draw(st.sets(st.sampled_from(others), max_size=3)) if others else set[Member]()
        expected = Expected(draw(st.integers(1, 2**32 - 1)), draw(AMOUNTS), draw(AMOUNTS))
        races.append(Racer(member, expected, tuple(sorted(rivals))))
    return Group(tuple(sorted(weights.items())), races=tuple(races))


@given(groups())
def test_what_a_row_says_is_what_was_decided(group: Group) -> None:
    (entry,) = ENTRIES.entries(7, group, PLACES)
    row = entry.table_entry(SCHEMA)
    assert row
    assert row["group"] == 7
    assert isinstance(row.action, fy.P4IndirectAction)
    assert choose.group(row.action) == group
    assert entry.rank == (GROUP_OF_SITES if any(member.is_site for member, _ in group.weights) else 1)


@given(groups())
def test_a_row_is_what_finsy_makes_of_its_actions(group: Group) -> None:
    (entry,) = ENTRIES.entries(7, group, PLACES)
    races = {racer.member: racer for racer in group.races}
    actions = [(weight, choose.bind_action(member, PLACES, races)) for member, weight in group.weights]
    row = fy.P4TableEntry("draw", match=fy.P4TableMatch(group=7), action=fy.P4IndirectAction(actions))
    assert wanted([row], SCHEMA) == [entry]
