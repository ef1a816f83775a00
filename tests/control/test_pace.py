"""Sites are slowed down until what they tell does not wait for long any more."""

from __future__ import annotations

from control.pace import MIN_INTERVAL_MS, TARGET_S, Pace
from tests.control.example import Clock

TTL_MS = 600_000


def after(waits_s: list[float], pace: Pace, clock: Clock, ttl_ms: int = TTL_MS) -> int:
    """What is asked for after adverts that waited so long, a second apart."""
    found = 0
    for wait_s in waits_s:
        clock.now += 1
        found = pace.interval_ms(ttl_ms, wait_s)
    return found


def test_who_decides_at_once_asks_for_the_least() -> None:
    clock = Clock()
    assert after([0.0, TARGET_S / 4] * 20, Pace(clock), clock) == MIN_INTERVAL_MS


def test_sites_are_slowed_down_while_adverts_wait_and_no_longer() -> None:
    clock = Clock()
    pace = Pace(clock)
    slow = [after([5 * TARGET_S], pace, clock) for _ in range(8)]
    assert slow == sorted(slow)
    assert slow[-1] > 20 * MIN_INTERVAL_MS
    assert after([0.0] * 30, pace, clock) == MIN_INTERVAL_MS


def test_they_are_slowed_down_for_decisions_that_wait_as_well() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(10):
        pace.decided(5 * TARGET_S)
        after([0.0], pace, clock)
    assert pace.interval_ms(TTL_MS) > 20 * MIN_INTERVAL_MS


def test_the_next_advert_comes_before_the_last_one_expires() -> None:
    clock = Clock()
    assert after([60.0] * 40, Pace(clock), clock, ttl_ms=3500) == 1750


def test_an_interval_settles_at_where_all_adverts_can_be_taken() -> None:
    # A thousand sites at a controller that takes 200 a second: what is more waits in a queue.
    clock = Clock()
    pace, queue, interval_s = Pace(clock), 0.0, 1.0
    for _ in range(2000):
        clock.now += 0.1
        queue = max(0.0, queue + 0.1 * (1000 / interval_s - 200))
        interval_s = max(1.0, pace.interval_ms(TTL_MS, queue / 200) / 1000)
    assert 4 < interval_s < 7
    assert queue / 200 < 2 * TARGET_S
