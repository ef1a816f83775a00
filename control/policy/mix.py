"""Between `latency` and `cost`: minimise a weighted sum of response time and price.

    minimise    Σ xᵢ·((1 − w)·Tᵢ(xᵢ)/T₀ + w·Cᵢ/C₀)

where T₀ and C₀ are what `latency` comes to, so that with the weight w = ½ one per cent of response time is
worth one per cent of price. Convex as `latency` is, and solved in the same way (`flows`): a price is a time
that does not depend on the flow. The more prices weigh, the more headroom is left, as in `cost`, since what
is cheap is filled up. With w = 0 it is `latency` and with w = 1 `cost`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from control.policy import cost, latency
from control.policy.candidate import Candidate
from control.policy.flows import Way, fitted
from control.policy.queueing import Queue
from control.policy.shares import normalised

COST_WEIGHT = 0.5


def shares(
    candidates: Sequence[Candidate],
    cost_weight: float = COST_WEIGHT,
    variability: float = latency.VARIABILITY,
    headroom: float = cost.HEADROOM,
) -> list[float]:
    """Share of each candidate, in their order; `cost_weight` is w, 0–1."""
    if cost_weight >= 1:
        return cost.shares(candidates, headroom)
    fastest = latency.shares(candidates, variability)
    price = math.fsum(share * c.cost for share, c in zip(fastest, candidates, strict=True))
    if price <= 0 or cost_weight <= 0:
        return fastest
    queues = [Queue.of(c) for c in candidates]
    demand = latency.demand(candidates) / 1000
    time = math.fsum(
        share * latency.response_ms(c, queue, min(share * demand, latency.FULL * queue.capacity), variability)
        for share, c, queue in zip(fastest, candidates, queues, strict=True)
    )
    price_ms = cost_weight / (1 - cost_weight) * time / price
    most = latency.FULL + cost_weight * (headroom - latency.FULL)
    ways = [
        Way(
            queue,
            latency.fixed_ms(c) + price_ms * c.cost,
            most * queue.capacity,
            latency.room(c, queue, variability),
        )
        for c, queue in zip(candidates, queues, strict=True)
    ]
    return normalised(fitted(demand, ways, variability))
