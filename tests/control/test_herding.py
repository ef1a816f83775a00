"""Closed loops of steering and sites: what is decided changes the loads that are decided upon next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import finsy as fy
import pytest

import p4src
from cfn.load import WINDOW_S, load_of
from control.decided import Steered
from control.events import EventLog
from control.program import Program
from tests.control.example import CATALOGUE, DETECT, FAR, NEAR, Clock, advert, catalogue, instance

SCHEMA = fy.P4Schema(p4src.P4INFO)
INTERVALS_S = [1.0, 0.25, 0.02]
CAPACITY_RPS = 100.0
SITE_IDS = {NEAR.site: NEAR, FAR.site: FAR}
SITES = {"near": NEAR, "far": FAR}


def loop(
    policy: str, demand_rps: Callable[[float], float], interval_s: float, seconds: float = 30.0
) -> Iterator[tuple[float, float]]:
    """Sites advertise in turn; the near site's share and the length of all queues, after each round.

    All requests come in at r1. Queues are fluid: what exceeds the capacity waits. Rates and loads are those
    of a sliding window, as sites measure them.
    """
    clock = Clock()
    program = Program(catalogue(CATALOGUE + f"policy: {policy}\n"), SCHEMA, clock, 10.0, EventLog())
    program.start({})
    queue = dict.fromkeys(SITES.values(), 0.0)
    arrivals = dict.fromkeys(SITES.values(), 0.0)
    shares = {NEAR: 0.5, FAR: 0.5}
    for round_ in range(round(seconds / interval_s)):
        demand = demand_rps(round_ * interval_s)
        for site, key in SITES.items():
            clock.now += interval_s / len(SITES)
            got = demand * shares.get(key, 0.0)
            queue[key] = max(0.0, queue[key] + (got - CAPACITY_RPS) * interval_s)
            arrivals[key] += (got - arrivals[key]) * min(1.0, interval_s / WINDOW_S)
            busy = min(1.0, arrivals[key] / CAPACITY_RPS + queue[key])
            told = instance(
                key,
                load=load_of(busy, math.floor(queue[key])),
                queue=math.floor(queue[key]),
                arrival_rps=arrivals[key],
                capacity_rps=CAPACITY_RPS,
            )
            program.take(advert(site, round_ + 1, told))
            decision = next(
                decision
                for place, decision in program.steering.decisions.items()
                if place.router == "r1" and place.steered == Steered(DETECT, 0, 4)
            )
            weights = decision.weights
            shares = {SITE_IDS[m.site]: weight / sum(weights.values()) for m, weight in weights.items()}
        yield shares.get(NEAR, 0.0), sum(queue.values())


ADAPTIVE = ["latency", "cost", "mix", "least-load"]


@pytest.mark.parametrize("interval_s", INTERVALS_S)
@pytest.mark.parametrize("policy", ADAPTIVE)
def test_steady_demand_finds_steady_shares(policy: str, interval_s: float) -> None:
    rounds = list(loop(policy, lambda _: 150.0, interval_s))
    near = [share for share, _ in rounds[len(rounds) // 2 :]]
    assert max(near) - min(near) < 0.1
    assert min(near) >= 0.33
    assert max(near) <= 0.67
    assert rounds[-1][1] == 0.0


@pytest.mark.parametrize("interval_s", INTERVALS_S)
@pytest.mark.parametrize("policy", ADAPTIVE)
def test_a_surge_is_absorbed_and_its_queue_drained(policy: str, interval_s: float) -> None:
    rounds = list(loop(policy, lambda at: 170.0 if at > 5 else 60.0, interval_s))
    near = [share for share, _ in rounds[-len(rounds) // 4 :]]
    assert max(near) - min(near) < 0.25
    assert rounds[-1][1] == 0.0
