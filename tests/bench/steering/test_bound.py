import heapq
from dataclasses import replace

import pytest

from bench.steering import policies
from bench.steering.clients import Poisson
from bench.steering.simulation import Simulation
from bench.steering.spec import Link, SiteSpec, Workload

RUN_S = 0.01
NAMES = ("s1", "s2", "s3")


def workload(rate_rps: float, way_ms: float = 0.0) -> Workload:
    """Three equal sites of one worker, as far away as each other; requests that all take the same."""

    def load(simulation: Simulation) -> None:
        Poisson(simulation, "r0", lambda _: rate_rps, rate_rps, lambda: RUN_S).start()

    return Workload(
        "equal",
        ("r0", *NAMES),
        tuple(Link("r0", name, way_ms) for name in NAMES),
        tuple(SiteSpec(name, name, queue_limit=10_000) for name in NAMES),
        load,
        duration_s=20.0,
        warm_up_s=0.0,
    )


def one_queue(rate_rps: float) -> list[float]:
    """Times in a system in which all workers serve one queue: Kiefer and Wolfowitz's recursion, 1955."""
    free = [0.0] * len(NAMES)
    times: list[float] = []
    for arrival in _arrivals(rate_rps):
        start = max(arrival, heapq.heappop(free))
        heapq.heappush(free, start + RUN_S)
        times.append(start + RUN_S - arrival)
    return times


def _arrivals(rate_rps: float) -> list[float]:
    """When requests of the workload are sent; the same whatever is chosen."""
    sent: list[float] = []

    def load(simulation: Simulation) -> None:
        Poisson(simulation, "r0", lambda _: rate_rps, rate_rps, lambda: _noted(simulation)).start()

    def _noted(simulation: Simulation) -> float:
        sent.append(simulation.clock.now)
        return RUN_S

    policy = policies.POLICIES[policies.BOUND]
    Simulation(replace(workload(rate_rps), load=load), policy.make, seed=1).run()
    return sent


@pytest.mark.parametrize("rate_rps", [100.0, 270.0])
def test_it_is_as_good_as_one_queue_for_all(rate_rps: float) -> None:
    tally = policies.run(workload(rate_rps), policies.BOUND, seed=1)
    expected = one_queue(rate_rps)
    assert len(tally.times_s) == len(expected)
    assert sorted(tally.times_s) == pytest.approx(sorted(expected), abs=1e-9)


@pytest.mark.parametrize("policy", [name for name in policies.POLICIES if name != policies.BOUND])
def test_no_policy_is_better_on_average(policy: str) -> None:
    bound = policies.run(workload(220.0), policies.BOUND, seed=1)
    other = policies.run(workload(220.0), policy, seed=1)
    assert sum(other.times_s) >= sum(bound.times_s) - 1e-9
    assert len(other.times_s) == len(bound.times_s)
