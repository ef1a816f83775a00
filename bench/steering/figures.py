"""Figures of a run, from its tally."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from bench.stats import percentile
from bench.steering.simulation import Tally
from bench.steering.spec import Workload


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of a run.

    Attributes:
        delay_ms: mean time from the first sending to the answer, of what was answered.
        p50_ms: percentile (nearest rank), as the next two; what was never answered took for ever.
        p99_ms: see `p50_ms`.
        p999_ms: see `p50_ms`.
        qps: requests that were answered, a second.
        late: share of the requests beyond the workload's bound, those without an answer included.
        unanswered: share without an answer.
        cost: mean price of a request that was answered.
        sessions_moved: times that a session was answered by another instance than before, by session.
        adverts_per_s: of all sites.
    """

    delay_ms: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    qps: float
    late: float
    unanswered: float
    cost: float
    sessions_moved: float
    adverts_per_s: float

    @classmethod
    def of(cls, plain: Mapping[str, float | None]) -> Figures:
        """From what `plain` gave."""
        return cls(**{name: math.inf if value is None else value for name, value in plain.items()})

    def plain(self) -> dict[str, Any]:
        """As JSON can have it: None for what is infinite."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def figures(workload: Workload, tally: Tally) -> Figures:
    """Return the figures of a run.

    Raises:
        ValueError: no request counts.
    """
    times_ms = [1000 * each for each in tally.times_s]
    answered = [each for each in times_ms if math.isfinite(each)]
    return Figures(
        delay_ms=fmean(answered) if answered else math.inf,
        p50_ms=percentile(times_ms, 50),
        p99_ms=percentile(times_ms, 99),
        p999_ms=percentile(times_ms, 99.9),
        qps=len(answered) / tally.span_s,
        late=sum(each > workload.bound_ms for each in times_ms) / len(times_ms),
        unanswered=1 - len(answered) / len(times_ms),
        cost=tally.cost / len(answered) if answered else 0.0,
        sessions_moved=tally.moves / tally.sessions if tally.sessions else 0.0,
        adverts_per_s=tally.adverts / workload.duration_s,
    )
