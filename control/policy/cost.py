"""Minimise ΣC: the price of computing and of the path, subject to headroom at every instance.

A linear programme whose optimum is the merit order that electricity markets dispatch by: fill the cheapest
first, up to its headroom, then the next; instances of the same price share by headroom. What exceeds all
headroom is spread by capacity.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.shares import normalised

_HEADROOM = 0.8
"""Utilisation that is filled up to; the rest is for bursts and for what adverts tell too late."""
_QUIET = 0.1
_DIGITS = 9


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    tiers: defaultdict[float, list[int]] = defaultdict(list)
    for index, candidate in enumerate(candidates):
        tiers[round(candidate.cost, _DIGITS)].append(index)
    left = max(
        math.fsum(c.arrival_rps for c in candidates), _QUIET * math.fsum(c.capacity_rps for c in candidates)
    )
    flows = [0.0] * len(candidates)
    for price in sorted(tiers):
        offered = math.fsum(_HEADROOM * candidates[index].usable_rps for index in tiers[price])
        taken = min(left, offered)
        for index in tiers[price]:
            flows[index] = taken * _HEADROOM * candidates[index].usable_rps / offered
        left -= taken
    usable = math.fsum(c.usable_rps for c in candidates)
    return normalised([x + left * c.usable_rps / usable for x, c in zip(flows, candidates, strict=True)])
