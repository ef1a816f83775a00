"""Order statistics of samples: medians with their range, percentiles, and a histogram on fixed edges."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some samples and the range they span, in the samples' unit."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Summarise `samples`.

        Raises:
            ValueError: there are none.
        """
        if not samples:
            raise ValueError("no samples")
        return cls(median(samples), min(samples), max(samples))


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` % of all samples don't exceed (nearest rank).

    A sample may be infinite (something that never happened), so nothing is interpolated.

    Raises:
        ValueError: there are no samples, or `percent` is not in 0 < percent <= 100.
    """
    if not samples:
        raise ValueError("no samples")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is not in 0 < percent <= 100")
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def histogram(samples: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Count the samples below edges[0], in each [edges[i], edges[i+1]), and from edges[-1] on.

    Args:
        samples: in the unit of `edges`.
        edges: ascending.

    Returns:
        len(edges) + 1 counts, which sum to the number of samples.
    """
    counts = [0] * (len(edges) + 1)
    for sample in samples:
        counts[bisect_right(edges, sample)] += 1
    return counts
