"""Decisions in pieces lead to where decisions at once do, and leave no function without an answer.

One case: pytest tests/control/test_due.py -k turn
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cfn.names import func_id
from control.cohorts import Moves
from control.due import Due, Why
from control.events import EventLog
from control.model import InstanceKey
from control.program import Program
from tests.control.example import CATALOGUE, FAR, NEAR, NEAR_2, Clock, advert, catalogue, instance
from tests.control.test_program import SCHEMA, installed

NAMES = [f"many/f{number}" for number in range(6)]
MANY = [func_id(name) for name in NAMES]
# By what runs where alone, so that nothing depends on what was decided in between.
ALIKE = "policy: weighted, two_choices: false, classes: []"
SERVICES = "".join(f"  - {{name: {name}, {ALIKE}}}\n" for name in NAMES)
TEXT = CATALOGUE.replace("services:\n", f"services:\n{SERVICES}")
SITES = {"near": (NEAR, NEAR_2), "far": (FAR,)}


def why(since: float, *news: int) -> Why:
    return Why(since, frozenset(news), frozenset(news))


def test_who_waits_longest_has_the_first_turn_and_is_decided_once_for_all_that_is_new() -> None:
    due = Due()
    due.add([1, 2], why(5.0, 1))
    due.add([3, 1], why(6.0, 2))
    assert list(due.turns()) == [(1, why(5.0, 1, 2)), (2, why(5.0, 1)), (3, why(6.0, 2))]
    assert not due


def test_a_turn_that_is_not_taken_comes_again() -> None:
    due = Due()
    due.add([1, 2], why(5.0, 1))
    assert next(iter(due.turns()))[0] == 1
    assert due.keys() == {2}


def test_what_is_new_for_a_cohort_is_new_for_what_it_fell_into() -> None:
    due = Due()
    due.add([1], why(5.0, 1))
    due.follow(Moves(parents={2: 1, 3: 7}, gone={1}))
    assert list(due.turns()) == [(2, why(5.0, 1))]


def program(clock: Clock, *, in_pieces: bool) -> Program:
    one = Program(catalogue(TEXT), SCHEMA, clock, 0.0, EventLog(), in_pieces=in_pieces)
    one.start({})
    return one


def everything(one: Program) -> dict[str, set[tuple[str, int]]]:
    """What is decided, by router: shares, for ids of groups depend on the order of decisions."""
    found: dict[str, set[tuple[str, int]]] = {}
    for place, decision in one.steering.decisions.items():
        found.setdefault(place.router, set()).add((f"{place.steered} {decision.verdict}", 0))
    for router, tables in one.tables.items():
        tellers = (entry.describe(SCHEMA) for entry in installed(tables).installed)
        kinds = [line.split(" → ")[0] for line in tellers if line.startswith(("service", "instance", "site"))]
        found[router] |= {(kind, kinds.count(kind)) for kind in kinds}
    return found


told = st.tuples(
    st.sampled_from(sorted(SITES)),
    st.lists(st.sets(st.sampled_from(MANY)), min_size=2, max_size=2),
    st.sampled_from([50.0, 100.0, 400.0]),
    st.integers(0, 3),
)
"""A site, what each of its instances runs, their capacity, and how many pieces are decided afterwards."""


def tell(one: Program, site: str, sequence: int, runs: list[set[int]], capacity_rps: float) -> None:
    instances = [
        instance(key, min(functions), also=frozenset(functions), capacity_rps=capacity_rps)
        for key, functions in zip(SITES[site], runs, strict=False)
        if functions
    ]
    one.take(advert(site, sequence, *instances))


@given(st.lists(told, min_size=1, max_size=8))
@settings(max_examples=60)
def test_pieces_lead_to_where_decisions_at_once_do(
    changes: list[tuple[str, list[set[int]], float, int]],
) -> None:
    clock = Clock()
    whole, pieces = program(clock, in_pieces=False), program(clock, in_pieces=True)
    for sequence, (site, runs, capacity_rps, count) in enumerate(changes, 1):
        clock.now += 1
        for one in (whole, pieces):
            tell(one, site, sequence, runs, capacity_rps)
        assert not whole.due
        for _ in range(count):
            before = len(pieces.due)
            pieces.decide(lambda: True)
            assert len(pieces.due) == max(0, before - 1)
    pieces.decide(lambda: False)
    assert not pieces.due
    assert everything(pieces) == everything(whole)


@given(st.lists(told, min_size=1, max_size=8))
@settings(max_examples=60)
def test_a_function_that_was_answered_is_while_decisions_are_due(
    changes: list[tuple[str, list[set[int]], float, int]],
) -> None:
    one = program(Clock(), in_pieces=True)
    one.decide(lambda: False)
    wanted = answered(one)
    assert {func_id for func_id, _ in wanted} == {*MANY}
    for sequence, (site, runs, capacity_rps, count) in enumerate(changes, 1):
        tell(one, site, sequence, runs, capacity_rps)
        for _ in range(count):
            one.decide(lambda: True)
        assert wanted <= answered(one)


def answered(one: Program) -> set[tuple[int, str]]:
    """Functions that routers have rows for, of requests that name no site."""
    found: set[tuple[int, str]] = set()
    for router, tables in one.tables.items():
        entries: list[Any] = [entry.table_entry(SCHEMA) for entry in installed(tables).installed]
        rows = [row for row in entries if row and row.table_id == "service" and not row["scope"]]
        found |= {(row["func_id"][0], router) for row in rows if row["func_id"][0] in MANY}
    return found


def test_instances_that_are_gone_are_bound_to_by_nobody_though_decisions_are_still_due() -> None:
    one = program(Clock(), in_pieces=True)
    tell(one, "near", 1, [{*MANY}, {*MANY}], 100.0)
    one.decide(lambda: False)
    tell(one, "near", 2, [{*MANY}, set()], 100.0)
    others = [advert("far", 1, instance(FAR, MANY[0]))]
    for each in others:
        one.take(each)
    one.decide(lambda: True)
    assert one.due
    gone = InstanceKey(*NEAR_2)
    groups = [decision.weights for decision in one.steering.decisions.values()]
    assert groups
    assert not any((gone.site, gone.instance) == tuple(member) for group in groups for member in group)
