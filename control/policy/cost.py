"""Minimise ΣC: the price of computing and of the path, subject to headroom at every instance.

A linear programme whose optimum is the merit order that electricity markets dispatch by: fill the cheapest
first, up to its headroom, then the next; instances of the same price share by headroom. What exceeds all
headroom is spread by capacity.

Where the demand class has a latency bound, nobody is filled beyond the flow at which it is still expected to
be met (`latency.room`), as long as the others have room for the rest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from control.policy import latency
from control.policy.candidate import Candidate
from control.policy.queueing import Queue
from control.policy.shares import normalised

HEADROOM = 0.8
"""Utilisation that is filled up to; the rest is for bursts and for what adverts tell too late."""
_DIGITS = 9


def shares(candidates: Sequence[Candidate], headroom: float = HEADROOM) -> list[float]:
    """Share of each candidate, in their order."""
    tiers: defaultdict[float, list[int]] = defaultdict(list)
    for index, candidate in enumerate(candidates):
        tiers[round(candidate.cost, _DIGITS)].append(index)
    offers = [_offer_rps(c, headroom) for c in candidates]
    left = latency.demand(candidates)
    flows = [0.0] * len(candidates)
    for price in sorted(tiers):
        offered = math.fsum(offers[index] for index in tiers[price])
        taken = min(left, offered)
        if taken > 0:
            for index in tiers[price]:
                flows[index] = taken * offers[index] / offered
            left -= taken
    usable = math.fsum(c.usable_rps for c in candidates)
    return normalised([x + left * c.usable_rps / usable for x, c in zip(flows, candidates, strict=True)])


def _offer_rps(c: Candidate, headroom: float) -> float:
    return min(headroom * c.usable_rps, 1000 * latency.room(c, Queue.of(c), latency.VARIABILITY))
