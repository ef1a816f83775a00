"""Split a demand over queues at the least total cost: a convex flow problem with one constraint.

    minimise    Σ xᵢ·(aᵢ + b·Wᵢ(xᵢ))    subject to    Σ xᵢ = Λ,  lowᵢ ≤ xᵢ ≤ highᵢ

At its solution all flows between their bounds have the same marginal cost (Gallager, "A minimum delay routing
algorithm using distributed computation", IEEE Trans. Comm. 25(1), 1977; Bertsekas and Gallager, *Data
Networks*, 1992, §5.5):

    aᵢ + b·d/dx x·Wᵢ(x) = λ    ⇔    xᵢ = xᵢ(λ)

so one search over λ finds them all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from control.policy.queueing import Queue

_STEPS = 100
_EXACT = 1e-8


@dataclass(frozen=True, slots=True)
class Way:
    """Where flow can go; flows are in requests a ms.

    Attributes:
        queue: what it waits in.
        price: aᵢ, what a request costs besides the wait.
        high: the most it takes; less than the queue's capacity.
        room: up to where it keeps what is promised for it; others are filled first.
        low: the least.
    """

    queue: Queue
    price: float
    high: float
    room: float = math.inf
    low: float = 0.0

    def flow(self, marginal: float) -> float:
        """xᵢ(λ), for b = 1."""
        return min(self.high, max(self.low, self.queue.flow_of_marginal(marginal - self.price)))


def fitted(demand: float, ways: Sequence[Way], wait_price: float = 1.0) -> list[float]:
    """The cheapest flows within everybody's room; where it is not enough, what is left comes on top.

    Args:
        demand: Λ, requests a ms; what is more than everybody's most stays out.
        ways: where it can go, at least one.
        wait_price: b, what a ms of waiting costs, above 0.
    """
    scaled = [replace(way, price=way.price / wait_price) for way in ways]
    inside = [replace(way, high=min(way.high, way.room)) for way in scaled]
    if demand <= math.fsum(way.high for way in inside):
        return _cheapest(demand, inside)
    return _cheapest(demand, [replace(way, low=min(way.high, way.room)) for way in scaled])


def _cheapest(demand: float, ways: Sequence[Way]) -> list[float]:
    low = min(way.price for way in ways)
    high = max(way.price + way.queue.marginal_ms(way.high) for way in ways)
    fewer = [way.low for way in ways]
    more = [way.high for way in ways]
    missing, excess = demand - math.fsum(fewer), math.fsum(more) - demand
    if excess <= 0:
        return more
    # Regula falsi (the Illinois variant), with halvings where that is slow.
    weights = [missing, excess]
    side = 0
    for step in range(_STEPS):
        if missing <= _EXACT * demand or excess <= _EXACT * demand or high - low <= _EXACT * abs(high):
            break
        marginal = (low * weights[1] + high * weights[0]) / (weights[0] + weights[1])
        if step % 3 == 2:
            marginal = (low + high) / 2
        flows = [way.flow(marginal) for way in ways]
        over = math.fsum(flows) - demand
        if over < 0:
            low, fewer, missing = marginal, flows, -over
            weights = [missing, weights[1] / 2 if side < 0 else weights[1]]
            side = -1
        else:
            high, more, excess = marginal, flows, over
            weights = [weights[0] / 2 if side > 0 else weights[0], excess]
            side = 1
    # Many workers take much more flow at next to the same marginal cost; any part of it costs the same.
    part = missing / (missing + excess)
    return [x + part * (y - x) for x, y in zip(fewer, more, strict=True)]
