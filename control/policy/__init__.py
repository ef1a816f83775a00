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
    mix,
    nearest,
    norm,
    round_robin,
    weighted,
    wrr,
)
from control.policy.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Parameters:
    """What can be set of policies.

    Attributes:
        cost_weight: how much prices count against response times, 0–1.
        variability: how irregularly requests come and take, 1 for as much as in an M/M/c queue.
        headroom: utilisation up to which the cheapest are filled, 0–1.
        pace: how many times as fast as usual shares move.
    """

    cost_weight: float = mix.COST_WEIGHT
    variability: float = latency.VARIABILITY
    headroom: float = cost.HEADROOM
    pace: float = 1.0


DEFAULTS = Parameters()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy.

    Attributes:
        rule: share of each candidate in their order, of a sum of 1, given the parameters it takes by name.
        adaptive: it follows the load, so its shares are moved with care (`stability`).
        takes: names of parameters.
        probes: it goes by measured times, so whoever has none is tried.
        thrifty: prices count, so that no request is to go to a member dearer than the one it was drawn for.
    """

    rule: Callable[..., list[float]]
    adaptive: bool
    takes: tuple[str, ...] = ()
    probes: bool = False
    thrifty: bool = False

    def shares(self, candidates: Sequence[Candidate], parameters: Parameters = DEFAULTS) -> list[float]:
        """Share of each candidate in their order, of a sum of 1."""
        return self.rule(candidates, **{name: getattr(parameters, name) for name in self.takes})


POLICIES: dict[PolicyName, Policy] = {
    "latency": Policy(latency.shares, adaptive=True, takes=("variability",), probes=True),
    "cost": Policy(cost.shares, adaptive=True, takes=("headroom",), thrifty=True),
    "mix": Policy(
        mix.shares,
        adaptive=True,
        takes=("cost_weight", "variability", "headroom"),
        probes=True,
        thrifty=True,
    ),
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
