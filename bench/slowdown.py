"""What became of requests when one site of several slowed down: its share, and response times.

Pure: from records (`topo.records`) to figures.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from bench.stats import percentile
from topo.records import Outcome, Record

WINDOW = 60
"""Requests in a row that show a share: a third of them is told from a sixth with few errors."""
SETTLED_S = 1.0
"""From so long after the slowdown on, the share that a site has is the one it keeps."""


@dataclass(frozen=True)
class Turn:
    """A contender's turn: what it sent, which site slowed down, and when (s since the Unix epoch)."""

    records: Sequence[Record]
    site: int
    slowed_s: float

    @property
    def before(self) -> list[Record]:
        """The requests that were sent before the slowdown, in the order of sending."""
        return [record for record in self._in_order() if record.sent_s < self.slowed_s]

    @property
    def after(self) -> list[Record]:
        """The requests that were sent since the slowdown, in the order of sending."""
        return [record for record in self._in_order() if record.sent_s >= self.slowed_s]

    @property
    def settled(self) -> list[Record]:
        """The requests that were sent when the slowdown was no news any more."""
        return [record for record in self.after if record.sent_s >= self.slowed_s + SETTLED_S]

    def share(self, records: Sequence[Record]) -> float:
        """Return the share of requests that went to the site that slows down.

        One that was refused or lost went there: nobody else is short of room.

        Raises:
            ValueError: there are no requests.
        """
        if not records:
            raise ValueError("no requests")
        return sum(record.site in (self.site, None) for record in records) / len(records)

    def halved_ms(self, window: int = WINDOW) -> float:
        """Return how long after the slowdown the site's share had halved; infinite when it never did.

        That is when the last of `window` requests in a row was sent of which it had at most half as large a
        share as of all those before the slowdown.
        """
        half = self.share(self.before) / 2
        last: deque[Record] = deque(maxlen=window)
        for record in self._in_order():
            last.append(record)
            if record.sent_s >= self.slowed_s and len(last) == window and self.share(last) <= half:
                return (record.sent_s - self.slowed_s) * 1000
        return math.inf

    def _in_order(self) -> list[Record]:
        return sorted(self.records, key=attrgetter("sent_s"))


def response_ms(records: Sequence[Record], percent: float) -> float:
    """Return a percentile of response times; what was refused or lost took forever.

    Raises:
        ValueError: there are no requests.
    """
    return percentile([_time_ms(record) for record in records], percent)


def _time_ms(record: Record) -> float:
    return record.latency_ms if record.outcome is Outcome.OK and record.latency_ms else math.inf
