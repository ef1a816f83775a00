"""Sites are asked to tell no more often than is decided by what they tell."""

from __future__ import annotations

import pytest

from control.pace import MIN_INTERVAL_MS, Pace

TTL_MS = 3500


def after(waits_s: list[float]) -> Pace:
    pace = Pace()
    for seconds in waits_s:
        pace.waited(seconds)
    return pace


def test_who_decides_at_once_asks_for_the_least() -> None:
    assert after([0.0, 0.01] * 20).interval_ms(TTL_MS) == MIN_INTERVAL_MS


def test_sites_are_slowed_down_to_where_decisions_come_and_no_longer_than_they_are_late() -> None:
    pace = after([1.2] * 40)
    assert pace.interval_ms(TTL_MS) == pytest.approx(1200, rel=0.01)
    for _ in range(40):
        pace.waited(0.0)
    assert pace.interval_ms(TTL_MS) == MIN_INTERVAL_MS


def test_the_next_advert_comes_before_the_last_one_expires() -> None:
    assert after([60.0] * 40).interval_ms(TTL_MS) == TTL_MS / 2
