"""Minimise ΣT: the mean response time over all requests, network and queueing together.

The demand Λ is split into flows xᵢ so that Σ xᵢ·Tᵢ(xᵢ) is least, with

    Tᵢ(x) = dᵢ + x / (μᵢ·(μᵢ − x))        dᵢ = 2·network delay + service time + backlog + unexplained

The second term is the wait in an M/M/1 queue of capacity μᵢ (Kleinrock, *Queueing Systems* I, 1975, §3.2).
The problem is convex; at its solution all instances that get traffic have the same marginal cost (Gallager,
"A minimum delay routing algorithm using distributed computation", IEEE Trans. Comm. 25(1), 1977; Bertsekas
and Gallager, *Data Networks*, 1992, §5.5):

    d/dx x·Tᵢ(x) = dᵢ + (1/(1 − x/μᵢ)² − 1) / μᵢ = λ    ⇔    xᵢ(λ) = μᵢ·(1 − 1/√(1 + μᵢ·(λ − dᵢ)))

so one bisection over λ finds the flows. Each ingress solves for the whole demand with its own network delays;
as every solution respects every capacity, so does their mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.shares import normalised

_FULL = 0.95
"""Demand beyond this share of all capacity is spread by capacity: no split makes queues short then."""
_QUIET = 0.1
"""Demand is taken to be at least this share of all capacity, so that a burst finds more than one instance."""
_UNEXPLAINED = 0.25
"""A measured response time counts where it is longer than the model's by more than this share."""
_STEPS = 60
_EXACT = 1e-7


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    if not candidates:
        return []
    mu = [c.usable_rps / 1000 for c in candidates]  # requests a ms, as delays are in ms
    fixed = [_fixed_ms(c) for c in candidates]
    asked = max(
        math.fsum(c.arrival_rps for c in candidates), _QUIET * math.fsum(c.capacity_rps for c in candidates)
    )
    demand = min(asked / 1000, _FULL * math.fsum(mu))
    low, high = min(fixed), max(fixed) + max(1 / m for m in mu) / (1 - _FULL) ** 2
    for _ in range(_STEPS):
        marginal = (low + high) / 2
        flows = _flows(marginal, mu, fixed)
        excess = math.fsum(flows) - demand
        if abs(excess) < _EXACT * demand:
            return normalised(flows)
        low, high = (marginal, high) if excess < 0 else (low, marginal)
    return normalised(_flows(high, mu, fixed))


def _flows(marginal: float, mu: Sequence[float], fixed: Sequence[float]) -> list[float]:
    return [m * (1 - 1 / math.sqrt(1 + m * max(0.0, marginal - d))) for m, d in zip(mu, fixed, strict=True)]


def _fixed_ms(c: Candidate) -> float:
    known = c.unloaded_ms + c.backlog_ms
    return known + unexplained_ms(c)


def unexplained_ms(c: Candidate) -> float:
    """What the ingress measured beyond network, service and queue, in ms; at most as much again."""
    known = c.unloaded_ms + c.backlog_ms
    if c.response_ms is None or c.response_ms <= known * (1 + _UNEXPLAINED):
        return 0.0
    return min(c.response_ms - known, known)
