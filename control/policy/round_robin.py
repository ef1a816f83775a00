"""Round robin: every instance the same, whatever its load, capacity and distance; a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.shares import normalised


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    return normalised([1.0] * len(candidates))
