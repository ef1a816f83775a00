"""Who races whom, and what is expected of each."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from control.decided import Expected, Racer
from control.model import InstanceKey, Member
from control.policy.candidate import Candidate
from control.race import RIVALS, expected, race, racers

SETTLED = Candidate(InstanceKey(1, 1), delay_ms=1.0, service_ms=4.0, capacity_rps=500.0)


def candidate(site: int, instance: int = 1, **fields: object) -> Candidate:
    return replace(SETTLED, key=InstanceKey(site, instance), **fields)


def raced(
    weights: Sequence[int], *, before: Sequence[Racer] = (), thrifty: bool = False, **fields: Sequence[float]
) -> dict[Member, Racer]:
    """The race of sites 1, 2, …, by member; fields of candidates are given for each site."""
    members = [Member(site) for site, _ in enumerate(weights, 1)]
    racing = {
        member: [replace(candidate(member.site), **{name: values[at] for name, values in fields.items()})]
        for at, member in enumerate(members)
    }
    by_weight = {member: weight for member, weight in zip(members, weights, strict=True) if weight}
    return {racer.member: racer for racer in race(by_weight, racing, before, thrifty=thrifty)}


@pytest.mark.parametrize(
    ("instances", "told"),
    [
        # 4 ms a request and 500 a second: two at once, each more takes 2 ms.
        ([candidate(1)], Expected(6000, 2000, 2000)),
        ([candidate(1, capacity_rps=250.0)], Expected(6000, 4000, 0)),
        ([candidate(1, capacity_rps=100.0)], Expected(6000, 10_000, 0)),
        # By capacity: three quarters of 6 ms, a quarter of 22.
        (
            [candidate(1, capacity_rps=300.0), candidate(1, 2, service_ms=20.0, capacity_rps=100.0)],
            Expected(10_000, 5000, 3000),
        ),
        # What is measured counts beyond half as much again.
        ([candidate(1, response_ms=9.0)], Expected(6000, 2000, 2000)),
        ([candidate(1, response_ms=10.0)], Expected(7000, 2000, 2000)),
        ([candidate(1, response_ms=900.0)], Expected(12_000, 2000, 2000)),
        ([candidate(1, service_ms=1e9, capacity_rps=1e-6)], Expected(2**32 - 1, 2**32 - 1, 0)),
    ],
)
def test_what_is_expected_of_a_member(instances: list[Candidate], told: Expected) -> None:
    assert expected(instances) == told


def test_the_few_members_of_a_group_all_race_each_other() -> None:
    found = raced([5, 1, 1, 1])
    everyone = set(found)
    assert len(everyone) == 4
    assert all({one, *racer.rivals} == everyone for one, racer in found.items())


@example([1] * 8)
@given(st.lists(st.integers(1, 100), min_size=5, max_size=30))
def test_of_many_each_has_some_rivals_and_all_hang_together(weights: list[int]) -> None:
    found = raced(weights)
    assert all(len({*racer.rivals} - {member}) == RIVALS for member, racer in found.items())
    reached, more = set[Member](), {Member(1)}
    while more:
        reached |= more
        more = set[Member]().union(*(found[one].rivals for one in more)) - reached
    assert len(reached) == len(weights)


def test_a_member_of_large_weight_is_the_rival_of_many() -> None:
    found = raced([60, *[1] * 9])
    assert sum(Member(1) in racer.rivals for racer in found.values()) == 9


def test_who_has_no_weight_or_is_alone_does_not_race() -> None:
    assert set(raced([1, 0, 1])) == {Member(1), Member(3)}
    assert raced([1, 0]) == {}


def test_where_prices_count_no_rival_is_dearer() -> None:
    found = raced([1, 1, 1], cost=[1.0, 2.0, 2.0], thrifty=True)
    assert found[Member(1)].rivals == ()
    assert found[Member(2)].rivals == (Member(1), Member(3))
    assert found[Member(3)].rivals == (Member(1), Member(2))


def test_what_is_near_enough_to_what_was_told_stays() -> None:
    first = raced([1, 1], service_ms=[4.0, 40.0])
    again = raced([1, 2], before=[*first.values()], service_ms=[4.09, 41.0])
    assert [racer.expected for racer in again.values()] == [racer.expected for racer in first.values()]
    other = raced([1, 1], before=[*first.values()], service_ms=[4.0, 60.0])
    assert other[Member(1)] == first[Member(1)]
    assert other[Member(2)].expected == Expected(62_000, 2000, 58_000)


def test_new_and_unknown_members_keep_to_their_weight_unless_all_are() -> None:
    settled, new, unknown = candidate(1), candidate(2, known_s=1.0), candidate(3, measured=False)
    members = {one.key: Member(one.key.site) for one in (settled, new, unknown)}
    assert racers([settled, new, unknown], members, (), 2.0) == {Member(1): [settled]}
    assert racers([new, unknown], members, (), 2.0) == {Member(2): [new], Member(3): [unknown]}
    assert set(racers([settled, new], members, (), 0.0)) == {Member(1), Member(2)}


def test_who_raced_before_goes_on_however_long_it_has_been_known() -> None:
    settled, new = candidate(1), candidate(2, known_s=0.0)
    members = {one.key: Member(one.key.site) for one in (settled, new)}
    raced = [Racer(Member(2), Expected(1, 1, 1), ())]
    assert set(racers([settled, new], members, raced, 2.0)) == {Member(1), Member(2)}


def test_of_a_site_those_count_that_were_measured() -> None:
    settled, new, unknown = candidate(1), candidate(1, 2, known_s=0.0), candidate(1, 3, measured=False)
    members = {one.key: Member(1) for one in (settled, new, unknown)}
    assert racers([settled, new, unknown], members, (), 2.0) == {Member(1): [settled, new]}
