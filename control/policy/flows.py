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
from statistics import fmean

from control.policy.queueing import Queue, bends_ms, flows_of_marginal

_STEPS = 100
_EXACT = 1e-4
"""Part of the demand, or of λ; the cost is then as near to the least."""
_FARTHEST = 3.0


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


def fitted(demand: float, ways: Sequence[Way], wait_price: float = 1.0) -> list[float]:
    """The cheapest flows within everybody's room; where it is not enough, what is left comes on top.

    Args:
        demand: Λ, requests a ms; what is more than everybody's most stays out.
        ways: where it can go, at least one.
        wait_price: b, what a ms of waiting costs, above 0.
    """
    scaled = ways if wait_price == 1 else [replace(way, price=way.price / wait_price) for way in ways]
    inside = [way if way.high <= way.room else replace(way, high=way.room) for way in scaled]
    if demand <= math.fsum([way.high for way in inside]):
        return _cheapest(demand, inside)
    return _cheapest(demand, [replace(way, low=min(way.high, way.room)) for way in scaled])


def _cheapest(demand: float, ways: Sequence[Way]) -> list[float]:
    queues = [way.queue for way in ways]
    fewer, more = [way.low for way in ways], [way.high for way in ways]
    dearest = [way.price + way.queue.marginal_ms(way.high) for way in ways]
    bounds = [(way.price, way.low, way.high) for way in ways]

    def flows_at(marginal: float, near: Sequence[float]) -> list[float]:
        """xᵢ(λ), for b = 1; `near` is what was found for another λ."""
        found = flows_of_marginal(queues, [marginal - price for price, _, _ in bounds], near)
        return [
            low if x < low else high if x > high else x
            for (_, low, high), x in zip(bounds, found, strict=True)
        ]

    low, high = min(way.price for way in ways), max(dearest)
    missing, excess = demand - math.fsum(fewer), math.fsum(more) - demand
    if excess <= 0:
        return more
    # Each price is where a way begins to be used. Between two of them flows are nearly straight lines over
    # log(λ − the lower one), over which Newton's method goes; λ is kept within bounds.
    part = demand / math.fsum(more)
    flows = [part * most for most in more]
    marginal = fmean([way.price + way.queue.marginal_ms(x) for way, x in zip(ways, flows, strict=True)])
    prices = sorted({way.price for way in ways})
    least, unknown = low, [0.0] * len(ways)
    while len(prices) > 1:
        middle = prices[len(prices) // 2]
        at = flows_at(middle, unknown)
        over = math.fsum(at) - demand
        if over < 0:
            least, prices = middle, prices[len(prices) // 2 :]
            low, fewer, missing = middle, at, -over
        else:
            prices = prices[: len(prices) // 2]
            high, more, excess = middle, at, over
    for _ in range(_STEPS):
        if missing <= _EXACT * demand or excess <= _EXACT * demand or high - low <= _EXACT * abs(high):
            break
        if not low < marginal < high:
            marginal = (low + high) / 2
        flows = flows_at(marginal, flows)
        over = math.fsum(flows) - demand
        if over < 0:
            low, fewer, missing = marginal, flows, -over
        else:
            high, more, excess = marginal, flows, over
        beyond = marginal - least
        gain = beyond * _gain(ways, flows)
        marginal = least + beyond * math.exp(max(-_FARTHEST, min(_FARTHEST, -over / gain))) if gain else low
    # Many workers take much more flow at next to the same marginal cost; any part of it costs the same.
    part = missing / (missing + excess)
    return [x + part * (y - x) for x, y in zip(fewer, more, strict=True)]


def _gain(ways: Sequence[Way], flows: Sequence[float]) -> float:
    """Σ dxᵢ/dλ where the flows are xᵢ(λ)."""
    between = [(way.queue, x) for way, x in zip(ways, flows, strict=True) if way.low < x < way.high]
    bends = bends_ms([queue for queue, _ in between], [x for _, x in between])
    # Of next to no flow it may be less than any number.
    return math.fsum([1 / bend if bend else math.inf for bend in bends])
