"""How often sites may tell something: no more often than is decided by it.

Adverts are cheap to take and decisions are not. A cohort that waits to be decided upon is decided once for
all that came meanwhile, so what a site tells again before then was told in vain the first time. Each
acknowledgement says so: its `min_interval_ms` is how long what is told waits for its decision.
"""

from __future__ import annotations

MIN_INTERVAL_MS = 20
"""Adverts that come faster than this tell nothing new: a service time or two has to pass."""
_SMOOTHING = 0.25
_PART_OF_TTL = 0.5
"""The next advert must come before the last one expires; that says how long it is valid then."""


class Pace:
    """Follows how long decisions are waited for."""

    def __init__(self) -> None:
        self._wait_s = 0.0

    def waited(self, seconds: float) -> None:
        """The first decision of a piece was waited for so long; 0 where there was none to make."""
        self._wait_s += _SMOOTHING * (seconds - self._wait_s)

    def interval_ms(self, ttl_ms: int) -> int:
        """Time that is to pass before the advert after one which is valid for so long."""
        return max(MIN_INTERVAL_MS, min(round(1000 * self._wait_s), round(_PART_OF_TTL * ttl_ms)))
