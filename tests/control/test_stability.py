"""How fast shares move to their targets, and what is tried of those never measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.model import InstanceKey
from control.policy.candidate import Candidate
from control.policy.shares import distance, normalised, quantise
from control.policy.stability import PROBE, PROBED, probed, settle, step_after, time_constant_s, warmed

NEAR, MID, FAR = InstanceKey(1, 1), InstanceKey(2, 1), InstanceKey(3, 1)


@given(
    st.dictionaries(st.sampled_from([NEAR, MID, FAR]), st.floats(0, 1)),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.dictionaries(st.sampled_from([NEAR, MID, FAR]), st.floats(0, 1)),
    st.floats(0, 1),
)
def test_an_overloaded_site_gets_no_more_than_its_cap_as_long_as_there_are_others(
    before: dict[InstanceKey, float], target: list[float], caps: dict[InstanceKey, float], step: float
) -> None:
    wanted = dict(zip([NEAR, MID, FAR], normalised(target), strict=True))
    now = settle(before, wanted, caps, dict.fromkeys(wanted, step), {})
    assert sum(now.values()) == pytest.approx(1)
    assert min(now.values()) >= 0
    had = sum(before.values())
    if had > 0 and len(caps) < 3:
        for key, cap in caps.items():
            assert now.get(key, 0.0) <= cap + 1e-9


def test_shares_approach_their_target_and_stay_there() -> None:
    target = {NEAR: 0.25, FAR: 0.75}
    shares = {NEAR: 1.0, FAR: 0.0}
    gap = distance(shares, target)
    for _ in range(20):
        shares = settle(shares, target, {}, dict.fromkeys(target, step_after(0.25, 0.5)), {})
        assert distance(shares, target) < gap
        gap = distance(shares, target)
    assert shares == pytest.approx(target, abs=0.01)
    assert settle(target, target, {}, {NEAR: 0.3, FAR: 0.1}, {}) == pytest.approx(target)


def test_who_is_to_lose_most_of_its_share_loses_it_twice_as_fast() -> None:
    steps = {NEAR: 0.2, FAR: 0.2}
    now = settle({NEAR: 0.5, FAR: 0.5}, {NEAR: 0.9, FAR: 0.1}, {}, steps, {})
    assert now[FAR] == pytest.approx(0.34 / (0.34 + 0.58))
    now = settle({NEAR: 0.5, FAR: 0.5}, {NEAR: 0.7, FAR: 0.3}, {}, steps, {})
    assert now[FAR] == pytest.approx(0.46)
    # But never more than half of the way at once.
    now = settle({NEAR: 0.5, FAR: 0.5}, {NEAR: 1.0, FAR: 0.0}, {}, dict.fromkeys(steps, 0.5), {})
    assert now[FAR] == pytest.approx(0.25)


def test_what_was_never_used_starts_at_its_target() -> None:
    assert settle({}, {NEAR: 1.0}, {NEAR: 0.0}, {NEAR: 0.0}, {}) == {NEAR: 1.0}
    assert settle({FAR: 1.0}, {NEAR: 1.0}, {}, {NEAR: 0.0}, {}) == {NEAR: 1.0}


def test_time_that_did_not_pass_moves_nothing() -> None:
    assert step_after(0, 0.5) == 0
    assert step_after(-1, 0.5) == 0
    assert step_after(60, 0.5) == 0.5


def test_what_is_told_late_moves_slowly() -> None:
    steps = [
        step_after(0.1, time_constant_s(Candidate(NEAR, delay_ms, interval_s=interval_s)))
        for delay_ms, interval_s in ((1, 0.02), (1, 0.25), (50, 0.25), (1, 1.0), (1, 10.0))
    ]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 0.5 - 1e-9
    assert steps[-1] < 0.05


SHARES = {NEAR: 0.5, MID: 0.5, FAR: 0.0}


def test_a_new_instance_warms_up_and_one_in_use_loses_nothing() -> None:
    target = {NEAR: 0.2, MID: 0.2, FAR: 0.6}
    quick = dict.fromkeys(target, 1.0)
    grown = [
        settle(SHARES, target, {}, quick, {FAR: warmed(known_s, 4.0)})[FAR]
        for known_s in (0.0, 1.0, 2.0, 4.0)
    ]
    assert grown == pytest.approx([0.25 * 0.6, 0.4375 * 0.6, 0.625 * 0.6, 0.6])
    assert settle(SHARES, {NEAR: 1.0, MID: 0.0}, {}, quick, {NEAR: 0.25})[NEAR] == pytest.approx(0.5)
    # Where all others are overloaded it takes what they lose.
    caps = {NEAR: 0.25, MID: 0.25}
    assert settle(SHARES, target, caps, dict.fromkeys(target, 0.0), {FAR: 0.25})[FAR] == pytest.approx(0.5)
    assert warmed(0.0, 0.0) == 1.0


def unmeasured(number: int) -> Candidate:
    return Candidate(InstanceKey(9, number), 50.0, measured=False)


@given(st.integers(0, 20), st.floats(0, 1))
def test_what_was_never_measured_is_tried_a_little(count: int, share: float) -> None:
    candidates = [Candidate(NEAR, 1), Candidate(FAR, 9), *map(unmeasured, range(count))]
    shares = {c.key: 0.0 for c in candidates} | {NEAR: share, FAR: 1 - share}
    now, tried = probed(shares, candidates)
    assert sum(now.values()) == pytest.approx(1)
    assert len(tried) == min(count, PROBED)
    assert all(now[key] == PROBE for key in tried)
    assert now[NEAR] + now[FAR] >= 1 - PROBE * PROBED - 1e-9
    # Each of them reaches the group, however small its part of the weights.
    assert tried <= quantise(now, 256).keys()


def test_nobody_is_tried_who_has_a_share_or_whom_nobody_is_left_to_measure_against() -> None:
    used = [Candidate(NEAR, 1), replace(unmeasured(1), key=FAR)]
    assert probed({NEAR: 0.9, FAR: 0.1}, used) == ({NEAR: 0.9, FAR: 0.1}, frozenset())
    assert probed({FAR: 0.0}, used[1:]) == ({FAR: 0.0}, frozenset())
