"""Weighted round robin: in proportion to capacity, whatever the load and the distance; a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.shares import normalised


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    return normalised([c.capacity_rps for c in candidates])
