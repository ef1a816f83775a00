"""How often sites may tell something, so that what they tell does not wait for long.

Adverts wait to be taken and then to be decided upon. Where sites tell more than there is time for, that takes
ever longer, and an answer that comes too late was made for nothing. So each acknowledgement says how long to
leave before the next advert: that interval grows while adverts wait for longer than `TARGET_S`, and shrinks
while they don't. A site hears of it an interval later, so the longer that is, the slower it changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

MIN_INTERVAL_MS = 20
"""Adverts that come faster than this tell nothing new: a service time or two has to pass."""
TARGET_S = 0.2
_MOST_S = 60.0
_RATE = 0.5
"""By how much the interval's logarithm changes, at most: in a second, or in an interval that is longer."""
_SMOOTHING = 0.25
_PART_OF_TTL = 0.5
"""The next advert must come before the last one expires; that says how long it is valid then."""


class Pace:
    """Follows how long adverts and decisions wait; times are of the clock that is passed in, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = clock()
        self._wait_s = 0.0
        self._interval_s = MIN_INTERVAL_MS / 1000

    def decided(self, wait_s: float) -> None:
        """The first decision of a piece was waited for so long; 0 where there was none to make."""
        self._wait_s += _SMOOTHING * (wait_s - self._wait_s)

    def interval_ms(self, ttl_ms: int, wait_s: float = 0.0) -> int:
        """Time to leave before the next advert, after one that is valid for `ttl_ms`.

        `wait_s` is how long that has waited to be taken.
        """
        now = self._clock()
        elapsed_s, self._at = min(1.0, now - self._at), now
        over = max(-1.0, min(1.0, (wait_s + self._wait_s) / TARGET_S - 1))
        grown_s = self._interval_s * math.exp(_RATE * over * elapsed_s / max(1.0, self._interval_s))
        self._interval_s = max(MIN_INTERVAL_MS / 1000, min(_MOST_S, grown_s))
        return max(MIN_INTERVAL_MS, round(min(1000 * self._interval_s, _PART_OF_TTL * ttl_ms)))
