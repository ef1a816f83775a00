"""What routers measured of members and told in digests, as long as it is fresh."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import NamedTuple

from control.model import Member

FRESH_S = 5.0


class Report(NamedTuple):
    """A digest `member_report`: what a router tells of a member."""

    member: Member
    load: int
    queue: int
    response_us: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """One report.

    Attributes:
        load: 0–255, as the instance said in its last response.
        queue: requests that it had, running and waiting, likewise.
        response_ms: from request to response as the router saw it, a running median; None when it saw none.
        at: when it came, in seconds of the clock.
    """

    load: int
    queue: int
    response_ms: float | None
    at: float


class Measurements:
    """Last report by router and member."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._last: dict[tuple[str, Member], Measurement] = {}

    def report(self, router: str, member: Member, load: int, queue: int, response_us: int) -> None:
        """Take a report in; a response time of 0 is none."""
        response_ms = response_us / 1000 if response_us else None
        self._last[router, member] = Measurement(load, queue, response_ms, self._clock())

    def get(self, router: str, member: Member) -> Measurement | None:
        """The last report, if it is fresh."""
        found = self._last.get((router, member))
        if found is None or self._clock() - found.at > FRESH_S:
            return None
        return found

    def response_ms(self, router: str, member: Member) -> float | None:
        """The response time last told, if it is fresh."""
        found = self.get(router, member)
        return found and found.response_ms

    def forget_all_but(self, router: str, alive: Set[Member]) -> None:
        """Drop what a router told of members that are gone."""
        gone = [place for place in self._last if place[0] == router and place[1] not in alive]
        for place in gone:
            del self._last[place]
