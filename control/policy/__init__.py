"""Policies: pure functions from candidates, as one ingress sees them, to shares of the traffic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from control.catalogue import PolicyName
from control.policy import cost, latency, least_load, nearest, round_robin, weighted
from control.policy.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy.

    Attributes:
        shares: share of each candidate in their order, of a sum of 1.
        adaptive: it follows the load, so its shares are moved with care (`stability`).
    """

    shares: Callable[[Sequence[Candidate]], list[float]]
    adaptive: bool


POLICIES: dict[PolicyName, Policy] = {
    "latency": Policy(latency.shares, adaptive=True),
    "cost": Policy(cost.shares, adaptive=True),
    "least-load": Policy(least_load.shares, adaptive=True),
    "round-robin": Policy(round_robin.shares, adaptive=False),
    "weighted": Policy(weighted.shares, adaptive=False),
    "nearest": Policy(nearest.shares, adaptive=False),
}
