"""What probes tell of the links between routers, and which delay of a link is gone by.

A link's declared delay stands until the measured one has differed from the delay in use by more than a
quarter, and by more than half a millisecond, for two seconds on end; then the measured one is used, until it
has moved as far again. A link that nobody measures any more goes back to what is declared by the same rule.
So noise moves neither routes nor shares, and a lasting change does within seconds. A controller that starts
takes what routers tell at once: they smooth it whatever controller there is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from control.catalogue import Catalogue, Link, LinkEnd
from control.events import EventLog
from control.probe_frame import addresses
from control.quality import Quality

FRESH_S = 3.0
"""How long a report is believed when no other follows."""
LASTING_S = 2.0
_RELATIVE = 0.25
_LEAST_MS = 0.5
_WINDOW = 100
"""Reports that loss is counted over."""


class LinkReport(NamedTuple):
    """A digest `link_report`: what a router tells of the link at a port."""

    port: int
    sequence: int
    returned: int
    round_trip_us: int
    jitter_us: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One direction of a link, as the router at its start measures it.

    Attributes:
        delay_ms: half of the round trip, smoothed by the router.
        jitter_ms: of the round trip, likewise (RFC 3550, section 6.4.1).
        loss: share of the probes that did not come back, of those in the window.
        at: when the last report came, in seconds of the clock.
        window_s: from the first report in the window to the last.
    """

    delay_ms: float
    jitter_ms: float
    loss: float
    at: float
    window_s: float


class _Direction:
    def __init__(self) -> None:
        self._window: deque[LinkReport] = deque(maxlen=_WINDOW)
        self._times: deque[float] = deque(maxlen=_WINDOW)

    def take(self, report: LinkReport, now: float) -> None:
        last = self._window[-1] if self._window else None
        if last and (report.returned <= last.returned or report.sequence <= last.sequence):
            # The router has started anew, or who sends the probes.
            self._window.clear()
            self._times.clear()
        self._window.append(report)
        self._times.append(now)

    def measured(self, now: float) -> Measured | None:
        if not self._window or now - self._times[-1] > FRESH_S:
            return None
        first, last = self._window[0], self._window[-1]
        sent, returned = last.sequence - first.sequence, last.returned - first.returned
        loss = max(0.0, 1 - returned / sent) if sent else 0.0
        at = self._times[-1]
        return Measured(last.round_trip_us / 2000, last.jitter_us / 1000, loss, at, at - self._times[0])


class Links:
    """The catalogue's links, by their place in it."""

    def __init__(self, catalogue: Catalogue, clock: Callable[[], float]):
        """`clock` gives seconds, monotonic."""
        self._links = catalogue.links
        self._clock = clock
        self._directions = {(end.router, end.port): _Direction() for end in _ends(catalogue.links)}
        self.used_ms = [link.delay_ms for link in catalogue.links]
        self._told_ms = list(self.used_ms)
        self._since: dict[int, float] = {}
        self._probed = [
            link
            for link in catalogue.links
            if addresses(catalogue.routers[link.a.router], catalogue.routers[link.b.router])
        ]

    def report(self, router: str, report: LinkReport) -> None:
        """Take a report in."""
        direction = self._directions.get((router, report.port))
        if direction:
            direction.take(report, self._clock())

    def measured(self, end: LinkEnd) -> Measured | None:
        """What the router at one end measures, if that is fresh."""
        return self._directions[end.router, end.port].measured(self._clock())

    def qualities(self) -> dict[tuple[str, int], Quality]:
        """Jitter and loss of every direction that is measured, by the router and port at its start.

        The jitter of a round trip is taken for that of either way, and half of its loss.
        """
        found = {(end.router, end.port): self.measured(end) for end in _ends(self._links)}
        return {
            place: Quality(
                one.delay_ms,
                one.jitter_ms,
                1 - math.sqrt(1 - one.loss),
                None,
                max(1, round(one.window_s * 1000)),
            )
            for place, one in found.items()
            if one
        }

    @property
    def are_measured(self) -> bool:
        """Whether all links are that can be probed."""
        return all(self.measured(link.a) or self.measured(link.b) for link in self._probed)

    def tell(self, events: EventLog) -> None:
        """An event for each link of which another delay is used than told of last."""
        for index, (link, used) in enumerate(zip(self._links, self.used_ms, strict=True)):
            if used != self._told_ms[index]:
                self._told_ms[index] = used
                ends = "–".join(f"{end.router}:{end.port}" for end in (link.a, link.b))
                events("link-delay", link=ends, used_ms=round(used, 3), declared_ms=link.delay_ms)

    def settle(self, lasting_s: float = LASTING_S) -> bool:
        """Go by measured delays where they have lasted; whether a delay in use is another one now."""
        changed, now = False, self._clock()
        for index, link in enumerate(self._links):
            delay = self._delay_ms(link)
            apart = abs(delay - self.used_ms[index])
            if apart <= max(_LEAST_MS, _RELATIVE * self.used_ms[index]):
                self._since.pop(index, None)
            elif now - self._since.setdefault(index, now) >= lasting_s:
                self.used_ms[index] = delay
                del self._since[index]
                changed = True
        return changed

    def _delay_ms(self, link: Link) -> float:
        found = [one.delay_ms for end in (link.a, link.b) if (one := self.measured(end))]
        return fmean(found) if found else link.delay_ms


def _ends(links: tuple[Link, ...]) -> Iterator[LinkEnd]:
    for link in links:
        yield from (link.a, link.b)
