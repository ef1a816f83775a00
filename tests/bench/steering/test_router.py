import random
import re
from collections import Counter
from pathlib import Path

import p4src
from bench.steering import router
from bench.steering.router import Group, Router
from control.decided import ANY_SITE
from control.model import Member

A, B = Member(1), Member(2)
COHORT = 7


def routed(weights: tuple[tuple[Member, int], ...], seed: int = 1) -> tuple[Router, list[tuple[Member, int]]]:
    reports: list[tuple[Member, int]] = []
    one = Router("r1", random.Random(seed), lambda _, member, _load, _queue, us: reports.append((member, us)))
    one.install(COHORT, ANY_SITE, Group(weights))
    return one, reports


def drawn(one: Router, lead: int | None, now: float, loads: dict[Member, int]) -> Counter[Member | None]:
    """What is drawn while loads are told anew before each request."""
    counts: Counter[Member | None] = Counter()
    for _ in range(4000):
        for member, load in loads.items():
            one.learn(member, load, 0, None, now)
        counts[one.bind(COHORT, ANY_SITE, lead, now)] += 1
    return counts


def test_numbers_are_those_of_the_program() -> None:
    text = "".join(
        (Path(p4src.__file__).parent / name).read_text() for name in ("loads.p4", "choose.p4", "respond.p4")
    )
    expiry = re.search(r"LOAD_EXPIRY_US = 1 << (\d+);", text)
    under_way = re.search(r"UNDER_WAY = (\d+);", text)
    interval = re.search(r"REPORT_INTERVAL_US = (\d+);", text)
    assert expiry
    assert under_way
    assert interval
    assert (1 << int(expiry[1])) / 1e6 == router.LOAD_EXPIRY_S
    assert int(under_way[1]) == router.UNDER_WAY
    assert int(interval[1]) / 1e6 == router.REPORT_INTERVAL_S


def test_one_draw_goes_by_weight() -> None:
    one, _ = routed(((A, 1), (B, 3)))
    counts = drawn(one, None, 0.0, {})
    assert 0.70 < counts[B] / 4000 < 0.80


def test_of_two_draws_the_less_loaded_wins_by_more_than_the_lead() -> None:
    one, _ = routed(((A, 1), (B, 1)))
    for load, share in ((83, 0.75), (84, 0.5), (100, 0.5)):
        assert abs(drawn(one, 16, 0.5, {A: 100, B: load})[B] / 4000 - share) < 0.03, load


def test_what_was_sent_since_counts_until_a_response_tells_anew() -> None:
    one, _ = routed(((A, 1), (B, 1)))
    one.learn(A, 0, 0, None, 0.0)
    one.learn(B, 0, 0, None, 0.0)
    taken = Counter(one.bind(COHORT, ANY_SITE, 0, 0.0) for _ in range(6))
    assert max(taken.values()) <= 4
    one.learn(A, 255, 0, None, 0.0)
    one.learn(B, 0, 0, None, 0.0)
    assert B in {one.bind(COHORT, ANY_SITE, 0, 0.0) for _ in range(8)}


def test_a_stale_load_is_asked_anew_once_and_stands_raised() -> None:
    # It stands at 42 for another second then, so that B is preferred up to 25 whenever it is drawn second.
    for load, share in ((25, 0.75), (26, 0.5)):
        taken: Counter[Member | None] = Counter()
        for seed in range(1000):
            one, _ = routed(((A, 1),), seed)
            one.learn(A, 10, 0, None, 0.0)
            assert one.bind(COHORT, ANY_SITE, 16, 2.0) == A
            one.learn(B, load, 0, None, 2.5)
            one.install(COHORT, ANY_SITE, Group(((A, 1), (B, 1))))
            taken[one.bind(COHORT, ANY_SITE, 16, 2.5)] += 1
        assert abs(taken[B] / 1000 - share) < 0.06, load


def test_nobody_there_is_nobody() -> None:
    one, _ = routed(())
    assert one.bind(COHORT, ANY_SITE, 16, 0.0) is None
    assert one.bind(COHORT + 1, ANY_SITE, 16, 0.0) is None


def test_response_times_are_smoothed_by_an_eighth_and_told_ten_times_a_second() -> None:
    one, reports = routed(((A, 1),))
    for number in range(5):
        one.learn(A, 0, 0, 0.008 if number == 0 else 0.016, number * 0.05)
    assert [us for _, us in reports] == [8000, 9875, 11_311]
