"""From the times that adverts were sent and requests arrived to how fast the network reacted.

All times are nanoseconds of one clock, CLOCK_REALTIME of this machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_RECORD = np.dtype([("number", "u8"), ("sent", "u8"), ("received", "u8")])
_NS_PER_MS = 1e6
_NS_PER_US = 1e3


@dataclass(frozen=True)
class Flip:
    """An advert after which all new requests belong to `site`, and when it was sent."""

    sent_ns: int
    site: str


@dataclass(frozen=True)
class Arrivals:
    """Requests that arrived at one place: their numbers and when each was sent and received."""

    numbers: NDArray[np.uint64]
    sent_ns: NDArray[np.uint64]
    received_ns: NDArray[np.uint64]

    @classmethod
    def of(cls, records: Sequence[tuple[int, int, int]]) -> Arrivals:
        """Make them from (number, sent, received), sorted by the time of arrival."""
        return cls._from(np.array(records, dtype=_RECORD))

    @classmethod
    def read(cls, path: Path) -> Arrivals:
        """Read what native/record.c wrote."""
        return cls._from(np.fromfile(path, dtype=_RECORD))

    @classmethod
    def _from(cls, records: NDArray[np.void]) -> Arrivals:
        ordered = np.sort(records, order="received")
        return cls(ordered["number"], ordered["sent"], ordered["received"])

    def delays_us(self) -> list[float]:
        """Return how long each was under way, in µs."""
        return ((self.received_ns - self.sent_ns) / _NS_PER_US).tolist()

    def first_after(self, when_ns: int) -> int | None:
        """Return when the first one arrived after `when_ns`."""
        index = int(np.searchsorted(self.received_ns, when_ns, side="right"))
        return int(self.received_ns[index]) if index < len(self.received_ns) else None

    def last_before(self, when_ns: int) -> int | None:
        """Return when the last one arrived before `when_ns`."""
        index = int(np.searchsorted(self.received_ns, when_ns, side="left"))
        return int(self.received_ns[index - 1]) if index > 0 else None


@dataclass(frozen=True)
class Fates:
    """What became of the requests that were sent."""

    sent: int
    lost: int
    refused: int
    duplicated: int


def reactions_ms(flips: Sequence[Flip], arrivals: Mapping[str, Arrivals], end_ns: int) -> list[float]:
    """Return for each flip how long after it the first request arrived at its site, in ms.

    It is infinite where none did before the next flip (the last one: before `end_ns`). It is so too where
    requests still arrived at its site when it was sent: the one before had not taken effect, so nothing can
    be told of this one.

    Args:
        flips: in order of time, each to another site than the one before.
        arrivals: requests that arrived at each site.
        end_ns: when requests were no longer sent.
    """
    found: list[float] = []
    for flip, until_ns in zip(flips, _ends(flips, end_ns), strict=True):
        first = arrivals[flip.site].first_after(flip.sent_ns)
        if first is None or first >= until_ns or _site_of_last(arrivals, flip.sent_ns) == flip.site:
            found.append(math.inf)
        else:
            found.append((first - flip.sent_ns) / _NS_PER_MS)
    return found


def settling_ms(flips: Sequence[Flip], arrivals: Mapping[str, Arrivals], end_ns: int) -> list[float]:
    """Return for each flip how long after it the last request arrived anywhere else, in ms; 0 if none did.

    The arguments are those of `reactions_ms`.
    """
    found: list[float] = []
    for flip, until_ns in zip(flips, _ends(flips, end_ns), strict=True):
        others = [seen.last_before(until_ns) for site, seen in arrivals.items() if site != flip.site]
        last = max((when for when in others if when is not None), default=0)
        found.append(max(0.0, (last - flip.sent_ns) / _NS_PER_MS))
    return found


def fates(sent: int, arrivals: Mapping[str, Arrivals], refused: Arrivals) -> Fates:
    """Account for the requests numbered 0 to `sent` − 1.

    Args:
        sent: how many there were.
        arrivals: requests that arrived at each site.
        refused: those that came back to the client as NACKs.
    """
    arrived = np.concatenate([seen.numbers for seen in arrivals.values()])
    distinct = np.unique(arrived)
    known = np.union1d(distinct, refused.numbers)
    return Fates(
        sent=sent,
        lost=sent - len(known),
        refused=len(np.setdiff1d(refused.numbers, distinct)),
        duplicated=len(arrived) - len(distinct),
    )


def _site_of_last(arrivals: Mapping[str, Arrivals], when_ns: int) -> str | None:
    """Return where the last request before `when_ns` arrived, None if there was none."""
    last = {site: seen.last_before(when_ns) for site, seen in arrivals.items()}
    known = {site: when for site, when in last.items() if when is not None}
    return max(known, key=lambda site: known[site], default=None)


def _ends(flips: Sequence[Flip], end_ns: int) -> list[int]:
    return [*(flip.sent_ns for flip in flips[1:]), end_ns]
