import random
import re
from collections import Counter
from pathlib import Path

import pytest

import p4src
from bench.steering import router
from bench.steering.router import Group, Router
from control import decided
from control.decided import ANY_SITE, Expected, Racer
from control.model import Member

A, B = Member(1), Member(2)
COHORT = 7
EQUAL = (Expected(5000, 1000, 0), Expected(5000, 1000, 0))


def racing(a: Expected, b: Expected) -> decided.Group:
    """Two members of equal weight that are each other's rivals."""
    return decided.Group(((A, 1), (B, 1)), races=(Racer(A, a, (B,)), Racer(B, b, (A,))))


def routed(group: decided.Group, seed: int = 1) -> tuple[Router, list[tuple[Member, int]]]:
    reports: list[tuple[Member, int]] = []
    one = Router("r1", random.Random(seed), lambda _, member, _load, _queue, us: reports.append((member, us)))
    one.install(COHORT, ANY_SITE, Group(group))
    return one, reports


def drawn(one: Router, lead: int | None, now: float, requests: dict[Member, int]) -> Counter[Member | None]:
    """What is drawn while it is told anew before each request what members have."""
    counts: Counter[Member | None] = Counter()
    for _ in range(400):
        for member, number in requests.items():
            one.learn(member, 0, number, None, now)
        counts[one.bind(COHORT, ANY_SITE, lead, now)] += 1
    return counts


def test_numbers_are_those_of_the_program() -> None:
    text = "".join((Path(p4src.__file__).parent / name).read_text() for name in ("loads.p4", "respond.p4"))
    expiry = re.search(r"LOAD_EXPIRY_US = 1 << (\d+);", text)
    interval = re.search(r"REPORT_INTERVAL_US = (\d+);", text)
    assert expiry
    assert interval
    assert (1 << int(expiry[1])) / 1e6 == router.LOAD_EXPIRY_S
    assert int(interval[1]) / 1e6 == router.REPORT_INTERVAL_S


def test_without_rivals_a_draw_goes_by_weight() -> None:
    one, _ = routed(decided.Group(((A, 1), (B, 3))))
    for lead in (None, 0):
        assert 0.65 < drawn(one, lead, 0.0, {A: 0, B: 9})[B] / 400 < 0.85


@pytest.mark.parametrize(
    ("a", "b", "requests", "taken"),
    [
        (*EQUAL, {A: 4, B: 3}, {B}),
        (*EQUAL, {A: 3, B: 3}, {A, B}),
        (Expected(9000, 1000, 0), Expected(5000, 1000, 0), {A: 0, B: 4}, {A, B}),
        (Expected(9000, 1000, 0), Expected(5000, 1000, 0), {A: 0, B: 5}, {A}),
        (Expected(5000, 1000, 2000), Expected(5000, 1000, 0), {A: 2, B: 0}, {A, B}),
        (Expected(5000, 1000, 2000), Expected(5000, 1000, 0), {A: 3, B: 0}, {B}),
        (Expected(5000, 9000, 0), Expected(5000, 1000, 0), {A: 1, B: 8}, {B}),
    ],
)
def test_the_one_that_answers_first_wins(
    a: Expected, b: Expected, requests: dict[Member, int], taken: set[Member]
) -> None:
    one, _ = routed(racing(a, b))
    assert set(drawn(one, 0, 0.5, requests)) == taken


def test_a_rival_must_answer_sooner_by_more_than_the_lead() -> None:
    # 16 of 256 parts of 16 ms are 1 ms.
    for b_us, taken in ((15_000, {A, B}), (14_999, {B})):
        one, _ = routed(racing(Expected(16_000, 0, 0), Expected(b_us, 0, 0)))
        assert set(drawn(one, 16, 0.5, {A: 0, B: 0})) == taken


def test_what_was_sent_since_counts_until_a_response_tells_anew() -> None:
    one, _ = routed(racing(*EQUAL))
    for member in (A, B):
        one.learn(member, 0, 0, None, 0.0)
    assert Counter(one.bind(COHORT, ANY_SITE, 0, 0.0) for _ in range(6)) == {A: 3, B: 3}
    one.learn(A, 0, 0, None, 0.0)
    assert [one.bind(COHORT, ANY_SITE, 0, 0.0) for _ in range(3)] == [A, A, A]


def test_a_stale_number_is_asked_anew_once_and_stands_raised() -> None:
    for told, taken in ((10, B), (11, A)):
        one, _ = routed(decided.Group(((A, 1),)))
        one.learn(A, 0, 10, None, 0.0)
        assert one.bind(COHORT, ANY_SITE, 0, 2.0) == A
        one.learn(B, 0, told, None, 2.5)
        alone = decided.Group(((A, 1),), races=racing(*EQUAL).races)
        one.install(COHORT, ANY_SITE, Group(alone))
        assert one.bind(COHORT, ANY_SITE, 0, 2.5) == taken


def test_a_rival_of_whom_nothing_new_is_known_wins_nothing() -> None:
    one, _ = routed(decided.Group(((A, 1),), races=racing(*EQUAL).races))
    one.learn(B, 0, 0, None, 0.0)
    one.learn(A, 0, 50, None, 2.0)
    assert one.bind(COHORT, ANY_SITE, 0, 2.0) == A


def test_nobody_there_is_nobody() -> None:
    one, _ = routed(decided.Group())
    assert one.bind(COHORT, ANY_SITE, 16, 0.0) is None
    assert one.bind(COHORT + 1, ANY_SITE, 16, 0.0) is None


def test_response_times_are_a_running_median_and_told_ten_times_a_second() -> None:
    one, reports = routed(decided.Group(((A, 1),)))
    for number, response_s in enumerate((0.008, 0.4, 0.4, 0.001, 0.001)):
        one.learn(A, 0, 0, response_s, number * 0.05)
    assert [us for _, us in reports] == [8000, 9033, 7940]
    one.learn(A, 0, 0, 0.4, 1.3)
    assert [us for _, us in reports[3:]] == [400_000]
