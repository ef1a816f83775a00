"""Shares of traffic: from any non-negative amounts to shares, and from shares to the weights of a group."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", bound=tuple[int, ...])
M = TypeVar("M", bound=tuple[int, ...])
Shares = dict[K, float]
Weights = dict[K, int]


def normalised(amounts: Sequence[float]) -> list[float]:
    """Scale amounts to a sum of 1; equal shares when all are 0."""
    total = math.fsum(amounts)
    if total <= 0:
        return [1 / len(amounts)] * len(amounts) if amounts else []
    return [amount / total for amount in amounts]


def of_weights(weights: Mapping[K, int]) -> Shares[K]:
    """The shares that a group with these weights gives."""
    return dict(zip(weights, normalised(list(weights.values())), strict=True))


def quantise(shares: Mapping[K, float], limit: int) -> Weights[K]:
    """Integer weights whose sum is at most `limit`, by the largest remainder method (Hamilton).

    Those without a weight are left out. Equal shares get equal weights; ties go to the lower key, so the
    result does not depend on the order of `shares`.
    """
    positive = {key: share for key, share in shares.items() if share > 0}
    if not positive:
        return {}
    low, high = min(positive.values()), max(positive.values())
    if len(positive) <= limit and math.isclose(low, high, rel_tol=1e-9):
        return dict.fromkeys(sorted(positive), 1)
    total = math.fsum(positive.values())
    quota = {key: share / total * limit for key, share in positive.items()}
    weights = {key: math.floor(quota[key]) for key in sorted(quota)}
    left = limit - sum(weights.values())
    for key in sorted(quota, key=lambda key: (weights[key] - quota[key], key))[:left]:
        weights[key] += 1
    unit = math.gcd(*weights.values())
    return {key: weight // unit for key, weight in weights.items() if weight}


def gathered(shares: Mapping[K, float], of: Mapping[K, M]) -> Shares[M]:
    """The shares of wholes, given the shares of their parts and the whole each part is `of`."""
    sums: Shares[M] = {}
    for part, share in shares.items():
        sums[of[part]] = sums.get(of[part], 0.0) + share
    return sums


def spread(shares: Mapping[M, float], by: Mapping[K, float], of: Mapping[K, M]) -> Shares[K]:
    """The shares of parts, given those of the wholes they are `of`, in proportion `by`."""
    parts: defaultdict[M, list[K]] = defaultdict(list)
    for part, whole in of.items():
        parts[whole].append(part)
    found: Shares[K] = {}
    for whole, mine in parts.items():
        amounts = normalised([by.get(part, 0.0) for part in mine])
        found |= {part: shares.get(whole, 0.0) * amount for part, amount in zip(mine, amounts, strict=True)}
    return found


def distance(one: Mapping[K, float], other: Mapping[K, float]) -> float:
    """Total variation distance: the share of the traffic that goes elsewhere, 0–1."""
    return math.fsum(abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in one.keys() | other.keys()) / 2
