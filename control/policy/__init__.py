"""Policies: pure functions from candidates, as one ingress sees them, to shares of the traffic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from control.catalogue import PolicyName
from control.policy import (
    cost,
    ecmp,
    latency,
    least_load,
    load_aware_locality,
    nearest,
    norm,
    round_robin,
    weighted,
    wrr,
)
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
    "norm": Policy(norm.shares, adaptive=True),
    "wrr": Policy(wrr.shares, adaptive=True),
    "locality": Policy(load_aware_locality.shares, adaptive=True),
    "round-robin": Policy(round_robin.shares, adaptive=False),
    # A router draws each request by weight, so that taking turns and drawing are the same to it.
    "random": Policy(round_robin.shares, adaptive=False),
    "weighted": Policy(weighted.shares, adaptive=False),
    "nearest": Policy(nearest.shares, adaptive=False),
    "ecmp": Policy(ecmp.shares, adaptive=False),
}
