"""Least load: in proportion to the capacity that is left, blind to the network and to prices."""

from __future__ import annotations

from collections.abc import Sequence

from cfn.load import MAX_LOAD
from control.policy.candidate import Candidate
from control.policy.shares import normalised

_LEAST = 0.01
"""What a full instance still counts as having left, so that its recovery is noticed."""


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    return normalised([c.capacity_rps * max(_LEAST, 1 - c.load / MAX_LOAD) for c in candidates])
