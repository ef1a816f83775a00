"""What ingress routers measured of instances and told in digests, as long as it is fresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from control.model import InstanceKey

FRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One report.

    Attributes:
        load: 0–255, as the instance said in its last response.
        queue: requests waiting, likewise.
        response_ms: from request to response as the ingress saw it, smoothed.
        at: when it came, in seconds of the clock.
    """

    load: int
    queue: int
    response_ms: float
    at: float


class Measurements:
    """Last report by router and instance."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._last: dict[tuple[str, InstanceKey], Measurement] = {}

    def report(self, router: str, key: InstanceKey, load: int, queue: int, response_us: int) -> None:
        """Take a report in; a response time of 0 is none."""
        if response_us:
            self._last[router, key] = Measurement(load, queue, response_us / 1000, self._clock())

    def get(self, router: str, key: InstanceKey) -> Measurement | None:
        """The last report, if it is fresh."""
        found = self._last.get((router, key))
        if found is None or self._clock() - found.at > FRESH_S:
            return None
        return found

    def forget_all_but(self, alive: set[InstanceKey]) -> None:
        """Drop what was told of instances that are gone."""
        self._last = {place: told for place, told in self._last.items() if place[1] in alive}
