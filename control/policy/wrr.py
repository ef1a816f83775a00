"""Weighted round robin as gRPC does it (gRFC A58, "Subchannel Weights"); a baseline.

    weight = qps / (utilisation + eps / qps · penalty)

with the rates of requests and errors and the utilisation that backends report. One that reports nothing, or
not for long enough yet, weighs as much as the others do on average; where fewer than two have a weight, all
weigh the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from control.policy.candidate import Candidate
from control.policy.shares import normalised

_PENALTY = 1.0
_BLACKOUT_S = 10.0
"""Defaults of `error_utilization_penalty` and `blackout_period`. What expires does so with its advert."""


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    weights = [_weight(c) for c in candidates]
    known = [weight for weight in weights if weight > 0]
    if len(known) < 2:
        return normalised([1.0] * len(candidates))
    mean = fmean(known)
    return normalised([weight or mean for weight in weights])


def _weight(c: Candidate) -> float:
    if c.utilisation <= 0 or c.completed_rps <= 0 or c.known_s < _BLACKOUT_S:
        return 0.0
    return c.completed_rps / (c.utilisation + c.error_rps / c.completed_rps * _PENALTY)
