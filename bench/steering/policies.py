"""Every way to choose that is compared, by the name that results have it under."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.steering.bound import Omniscient
from bench.steering.peers import BoundedQueue, Ecmp, LeastLoad, Nearest, Random, RoundRobin, TwoChoices
from bench.steering.prequal import Prequal
from bench.steering.simulation import Chooser, Simulation, Tally
from bench.steering.spec import Workload
from bench.steering.steered import Steered
from control.policy import POLICIES as WEIGHTS

BOUND = "omniscient"
OURS = "cfn-"
"""What the names of our policies begin with."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to choose.

    Attributes:
        make: the chooser of a simulation.
        weights: the policy of the catalogue, where the controller's weights count.
        two_choices: whether routers draw twice.
    """

    make: Callable[[Simulation], Chooser]
    weights: str = "round-robin"
    two_choices: bool = False


def _by_weights(names: dict[str, str], *, two_choices: bool) -> dict[str, Policy]:
    return {
        name: Policy(Steered, weights, two_choices) for name, weights in names.items() if weights in WEIGHTS
    }


POLICIES: dict[str, Policy] = {
    **_by_weights({"cfn-latency": "latency", "cfn-cost": "cost", "cfn-mix": "mix"}, two_choices=True),
    **_by_weights({"cfn-latency-1": "latency"}, two_choices=False),
    "random": Policy(Random),
    "round-robin": Policy(RoundRobin),
    "ecmp": Policy(Ecmp),
    "nearest": Policy(Nearest),
    "least-load": Policy(LeastLoad),
    "p2c": Policy(TwoChoices),
    "jbsq": Policy(BoundedQueue),
    "prequal": Policy(Prequal),
    **_by_weights({"weighted": "weighted", "wrr": "wrr", "locality": "locality"}, two_choices=False),
    BOUND: Policy(Omniscient),
}


def run(workload: Workload, name: str, seed: int) -> Tally:
    """Simulate a workload under a policy."""
    policy = POLICIES[name]
    return Simulation(
        workload, policy.make, policy=policy.weights, two_choices=policy.two_choices, seed=seed
    ).run()
