"""Minimise ΣT: the mean response time over all requests, network and queueing together.

The demand Λ is split into flows xᵢ so that Σ xᵢ·Tᵢ(xᵢ) is least (`flows`), with

    Tᵢ(x) = dᵢ + v·Wᵢ(x)        dᵢ = 2·network delay + service time + backlog + unexplained

where Wᵢ is the wait in an M/M/c queue (`queueing`) and v the variability: how much longer requests wait since
they come and take more or less irregularly than these do (1; Allen and Cunneen's (C²ₐ + C²ₛ)/2). Each ingress
solves for the whole demand with its own network delays; as every solution respects every capacity, so does
their mixture.

Where the demand class has a latency bound, an instance gets at most the flow at which it is still expected to
be met, Tᵢ(x) ≤ bound, as long as the others have room for the rest. When they have not, all give way alike:
each gets that flow, and what is left comes on top at the least ΣT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.flows import Way, fitted
from control.policy.queueing import Queue
from control.policy.shares import normalised

FULL = 0.95
"""Demand beyond this share of all capacity is spread by capacity: no split makes queues short then."""
VARIABILITY = 1.0
_QUIET = 0.1
"""Demand is taken to be at least this share of all capacity, so that a burst finds more than one instance."""
_EXPLAINED = 1.5
"""How many times as long as told a response may take before it counts against what is told."""


def shares(candidates: Sequence[Candidate], variability: float = VARIABILITY) -> list[float]:
    """Share of each candidate, in their order."""
    if len(candidates) <= 1:
        return [1.0] * len(candidates)
    queues = [Queue.of(c) for c in candidates]
    ways = [
        Way(queue, fixed_ms(c), FULL * queue.capacity, room(c, queue, variability))
        for c, queue in zip(candidates, queues, strict=True)
    ]
    return normalised(fitted(demand(candidates) / 1000, ways, variability))


def demand(candidates: Sequence[Candidate]) -> float:
    """What there is to split, requests a second."""
    return max(
        math.fsum(c.arrival_rps for c in candidates), _QUIET * math.fsum(c.capacity_rps for c in candidates)
    )


def room(c: Candidate, queue: Queue, variability: float) -> float:
    """The flow up to which the latency bound is expected to be met, requests a ms."""
    return queue.flow_of_wait((c.within_ms - fixed_ms(c)) / variability)


def response_ms(c: Candidate, queue: Queue, flow: float, variability: float) -> float:
    """The response time to expect with a flow (requests a ms)."""
    return fixed_ms(c) + variability * queue.wait_ms(flow)


def fixed_ms(c: Candidate) -> float:
    """What a request takes besides its wait for others of the same flow."""
    return c.unloaded_ms + c.backlog_ms + unexplained_ms(c)


def unexplained_ms(c: Candidate) -> float:
    """What the ingress measured beyond what is told explains, in ms; at most as much again."""
    if c.response_ms is None:
        return 0.0
    known = c.unloaded_ms + c.wait_ms
    return min(max(0.0, c.response_ms - _EXPLAINED * known), known)
