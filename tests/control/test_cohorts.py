"""Cohorts: functions of the same instances are one, numbers stay, and what was adopted is told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cfn.names import func_id
from control.cohorts import NO_COHORT, Cohorts
from control.model import Instance, InstanceKey
from control.services import ServiceIndex
from tests.control.example import CATALOGUE, FAR, NEAR, NEAR_2, RENDER, catalogue, instance

NAMES = [f"many/f{number}" for number in range(6)]
A, B, C, D, *_ = MANY = [func_id(name) for name in NAMES]
SERVICES = "".join(f"  - {{name: {name}}}\n" for name in NAMES)
INDEX = ServiceIndex(catalogue(CATALOGUE.replace("services:\n", f"services:\n{SERVICES}")))


def cohorts() -> Cohorts:
    return Cohorts(INDEX)


def runs(key: InstanceKey, *functions: int, **values: Any) -> dict[InstanceKey, Instance]:
    first, *also = functions
    return {key: replace(instance(key, first, **values), also=frozenset(also))}


def test_functions_of_the_same_instances_are_one_cohort() -> None:
    some = cohorts()
    some.update({1: runs(NEAR, A, B, C) | runs(NEAR_2, D), 2: runs(FAR, A, B)})
    assert {some.of(A), some.of(C), some.of(D)} == {some.of(B), some.of(C), some.of(D)}
    assert len({some.of(A), some.of(C), some.of(D)}) == 3
    assert [one.key for one in some.instances(some.of(A))] == [NEAR, FAR]


def test_functions_that_the_catalogue_treats_differently_are_not() -> None:
    some = cohorts()
    some.update({1: runs(NEAR, A, RENDER)})
    assert some.of(A) != some.of(RENDER)


def test_a_cohort_keeps_its_number_while_its_functions_stay_together() -> None:
    some = cohorts()
    some.update({1: runs(NEAR, *MANY)})
    number = some.of(A)
    moves = some.update({2: runs(FAR, *MANY)})
    assert (some.of(A), moves.changed, moves.moved, moves.relocates) == (number, {number}, {}, True)
    moves = some.update({1: {}})
    assert (some.of(A), moves.changed, moves.moved) == (number, {number}, {})


def test_of_two_parts_the_larger_keeps_the_number_and_the_other_knows_its_parent() -> None:
    some = cohorts()
    some.update({1: runs(NEAR, *MANY)})
    number = some.of(A)
    moves = some.update({2: runs(FAR, A, B)})
    new = some.of(A)
    assert some.of(C) == number
    assert (moves.parents, moves.moved, moves.gone) == ({new: number}, {(number, new): {A, B}}, set())


def test_cohorts_that_become_alike_join() -> None:
    some = cohorts()
    some.update({1: runs(NEAR, *MANY), 2: runs(FAR, A, B)})
    small, large = some.of(A), some.of(C)
    moves = some.update({2: {}})
    assert {some.of(one) for one in MANY} == {large}
    assert (moves.gone, moves.moved) == ({small}, {(small, large): {A, B}})


def test_news_of_an_instance_concern_its_cohorts_alone() -> None:
    some = cohorts()
    some.update({1: runs(NEAR, A, B) | runs(NEAR_2, C)})
    moves = some.update({1: runs(NEAR, A, B, load=9) | runs(NEAR_2, C)})
    assert (moves.changed, moves.moved, moves.relocates) == ({some.of(A)}, {}, False)
    assert some.update({1: runs(NEAR, A, B, load=9) | runs(NEAR_2, C)}).changed == set()


def test_functions_of_a_namespace_are_there_while_someone_runs_them() -> None:
    some = cohorts()
    assert some.of(RENDER) == NO_COHORT
    some.update({1: runs(NEAR, RENDER)})
    number = some.of(RENDER)
    assert number != NO_COHORT
    moves = some.update({1: {}})
    assert some.of(RENDER) == NO_COHORT
    assert (moves.gone, moves.moved) == ({number}, {(number, NO_COHORT): {RENDER}})


def test_functions_that_no_service_stands_for_are_in_none() -> None:
    some = cohorts()
    assert some.update({1: runs(NEAR, 5)}).moved == {}
    assert some.of(5) == NO_COHORT


def test_what_was_adopted_is_told_apart_until_it_is_released() -> None:
    some = cohorts()
    some.adopt({A: 1, B: 1, C: 2, RENDER: 3})
    assert some.of(A) == some.of(B) != some.of(C)
    some.update({1: runs(NEAR, A, B, C)})
    # Not joined, although by what is known so far the same instances run both.
    assert some.of(A) != some.of(C)
    assert some.adopted == {some.of(A), some.of(C), some.of(RENDER)}
    moves = some.update({}, released=some.adopted)
    assert some.of(A) == some.of(C)
    assert some.of(RENDER) == NO_COHORT
    assert (some.adopted, some.of(A) in moves.changed) == (set(), True)


tellings = st.lists(
    st.tuples(
        st.sampled_from([NEAR, NEAR_2, FAR]), st.sets(st.sampled_from([*MANY, RENDER, 5])), st.integers(0, 2)
    ),
    max_size=12,
)


@given(tellings, st.dictionaries(st.sampled_from([*MANY, RENDER]), st.integers(1, 3)))
def test_whatever_is_told_cohorts_are_what_the_same_instances_run(
    told: list[tuple[InstanceKey, set[int], int]], labels: dict[int, int]
) -> None:
    some, now = cohorts(), dict[int, dict[InstanceKey, Instance]]()
    some.adopt(labels)
    every = [*INDEX.exact_functions(), RENDER]
    for key, functions, load in told:
        before = {one: some.of(one) for one in [*every, 5]}
        there = {one: mine for one, mine in now.get(key.site, {}).items() if one != key}
        now[key.site] = {**there, **(runs(key, *functions, load=load) if functions else {})}
        moves = some.update({key.site: now[key.site]})
        moved = {one: pair for pair, functions in moves.moved.items() for one in functions}
        after = {one: some.of(one) for one in before}
        assert moved == {one: (before[one], after[one]) for one in before if before[one] != after[one]}
        assert set(some) == set(after.values()) - {NO_COHORT}
    instances = [one for site in now.values() for one in site.values()]
    alike: dict[object, set[int]] = {}
    for one in every:
        keys = frozenset(instance_.key for instance_ in instances if one in instance_.functions)
        if keys or one in labels or one != RENDER:
            alike.setdefault((keys, labels.get(one), one == RENDER), set()).add(one)
    assert {frozenset(some[number].functions) for number in some} == set(map(frozenset, alike.values()))
