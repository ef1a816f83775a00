"""Nearest: all to the least network delay, as anycast routing or a location-aware DNS does; a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.shares import normalised

_SAME_MS = 1e-6


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order; those equally near share equally."""
    least = min((c.delay_ms for c in candidates), default=0.0)
    return normalised([float(c.delay_ms <= least + _SAME_MS) for c in candidates])
