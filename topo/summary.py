"""What a run has shown, computed from its records and nothing else."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from topo.records import Outcome, Record

SHARE_WINDOW = 20
"""Consecutive placements that show a share: enough to tell a half from a whole, and soon there."""


@dataclass(frozen=True)
class Phase:
    """A span of the run, in seconds since the Unix epoch."""

    name: str
    start_s: float
    end_s: float

    def holds(self, time_s: float) -> bool:
        """Tell whether a time lies in the span."""
        return self.start_s <= time_s < self.end_s


@dataclass(frozen=True)
class Sample:
    """What the controller said of a site at one time; `advert_s` is when its last advert came.

    Weights are shares of all new requests, 0 to 1, as the ingress routers have them; loads are 0 to 1.
    """

    time_s: float
    site: str
    weight: float
    load: float
    advert_s: float


@dataclass(frozen=True)
class Run:
    """All that was recorded of a run with three phases: before, during and after the overload of a site.

    Attributes:
        records: of all requests.
        samples: of all sites, in the order of time.
        phases: one after the other.
        sites: names by site number.
        loaded: name of the site that is overloaded.
        ended: when an instance (site, number) ended, if it did; s since the Unix epoch.
    """

    records: Sequence[Record]
    samples: Sequence[Sample]
    phases: tuple[Phase, Phase, Phase]
    sites: Mapping[int, str]
    loaded: str
    ended: Mapping[tuple[int, int], float]


def in_phase(records: Iterable[Record], phase: Phase) -> list[Record]:
    """Return the records of requests that were sent in a phase."""
    return [record for record in records if phase.holds(record.sent_s)]


def shares(records: Iterable[Record], sites: Mapping[int, str], *, placed: bool = True) -> dict[str, float]:
    """Return each site's share of the answered requests, 0 to 1.

    With `placed` only of those that the network was free to place anywhere: the ones without a cookie.
    """
    counts = Counter(
        record.site for record in records if record.site is not None and not (placed and record.bound)
    )
    total = sum(counts.values())
    return {name: round(counts[number] / total, 4) if total else 0.0 for number, name in sites.items()}


def percentile_ms(records: Iterable[Record], percent: float) -> float | None:
    """Return a percentile of the response times of requests answered OK; None without any."""
    times = [
        record.latency_ms
        for record in records
        if record.outcome is Outcome.OK and record.latency_ms is not None
    ]
    return round(float(np.percentile(times, percent)), 2) if times else None


def torn_sessions(records: Iterable[Record], ended: Mapping[tuple[int, int], float]) -> int:
    """Count the sessions that went to another instance while theirs lived.

    Args:
        records: of any order.
        ended: when an instance (site, number) ended, if it did; s since the Unix epoch.
    """
    sessions: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        if record.session is not None and record.site is not None:
            sessions[record.client, record.session].append(record)
    return sum(_is_torn(sorted(session, key=attrgetter("sent_s")), ended) for session in sessions.values())


def _is_torn(session: Sequence[Record], ended: Mapping[tuple[int, int], float]) -> bool:
    for before, after in itertools.pairwise(session):
        if before.site is None or before.instance is None:
            continue
        old = before.site, before.instance
        if old != (after.site, after.instance) and ended.get(old, float("inf")) > after.sent_s:
            return True
    return False


def halved_s(records: Iterable[Record], site: int, share_before: float, since_s: float) -> float | None:
    """Find when a site's share of placements had halved.

    That is when the last of the first `SHARE_WINDOW` consecutive placements was sent, all of them after
    `since_s`, among which the site had at most half its earlier share; so it is late by those placements
    rather than early. None when that never happened.
    """
    placements = sorted(
        (r for r in records if r.site is not None and not r.bound and r.sent_s >= since_s),
        key=attrgetter("sent_s"),
    )
    mine = [record.site == site for record in placements]
    for first in range(len(mine) - SHARE_WINDOW + 1):
        if sum(mine[first : first + SHARE_WINDOW]) <= share_before / 2 * SHARE_WINDOW:
            return placements[first + SHARE_WINDOW - 1].sent_s
    return None


def tipping_advert_s(samples: Sequence[Sample], site: str, before: Phase, during: Phase) -> float | None:
    """Find the advert that moved the load: the first one `during` the overload that halved the site's weight.

    The weight after it was at most half of the mean `before`. Returns when it came, None without one.
    """
    weights = [sample.weight for sample in samples if sample.site == site and before.holds(sample.time_s)]
    if not weights:
        return None
    mean = sum(weights) / len(weights)
    for sample in samples:
        if sample.site == site and during.holds(sample.advert_s) and sample.weight <= mean / 2:
            return sample.advert_s
    return None


def summarise(run: Run) -> dict[str, Any]:
    """Make the figures of a run, of each phase where that makes sense."""
    records, sites = run.records, run.sites
    before, during, _ = run.phases
    by_phase = {phase.name: in_phase(records, phase) for phase in run.phases}
    outcomes = Counter(record.outcome for record in records)
    share_before = shares(by_phase[before.name], sites)[run.loaded]
    number = next(number for number, name in sites.items() if name == run.loaded)
    advert = tipping_advert_s(run.samples, run.loaded, before, during)
    halved = halved_s(records, number, share_before, advert) if advert is not None else None
    return {
        "requests": len(records),
        "answered": outcomes[Outcome.OK],
        "failed": outcomes[Outcome.FAILED],
        "nacks": outcomes[Outcome.NACK],
        "lost": outcomes[Outcome.LOST],
        "by_source": dict(Counter(record.source for record in records)),
        "by_family": {f"ipv{family}": n for family, n in Counter(r.family for r in records).items()},
        "sessions": len({(r.client, r.session) for r in records if r.session is not None}),
        "torn_sessions": torn_sessions(records, run.ended),
        "loaded_site": run.loaded,
        "shares": {name: shares(rows, sites) for name, rows in by_phase.items()},
        "shares_with_sessions": {name: shares(rows, sites, placed=False) for name, rows in by_phase.items()},
        "moved_ms": _between_ms(advert, halved),
        "overload_to_advert_ms": _between_ms(during.start_s, advert),
        "overload_to_halved_ms": _between_ms(during.start_s, halved),
        "p50_ms": {name: percentile_ms(rows, 50) for name, rows in by_phase.items()},
        "p99_ms": {name: percentile_ms(rows, 99) for name, rows in by_phase.items()},
        "requests_per_s": {
            phase.name: round(len(by_phase[phase.name]) / (phase.end_s - phase.start_s), 1)
            for phase in run.phases
        },
    }


def _between_ms(start_s: float | None, end_s: float | None) -> float | None:
    return None if start_s is None or end_s is None else round((end_s - start_s) * 1000, 1)
