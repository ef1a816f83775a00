"""From raw samples (L0) to a value by category (L1) and a single one (L2), for a site and its instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cfn.metrics.profile import Profile
from cfn.metrics.sample import LONGEST_MS, Samples
from cfn.metrics.score import CATEGORIES, MetricType, Score


class Level1(NamedTuple):
    """The value of a category before it is rounded.

    Attributes:
        tenths: 0–100 tenths of a point.
        window_ms: the longest of its samples.
    """

    tenths: int
    window_ms: int


Categories = Mapping[MetricType, Level1]
"""Those categories of which something was measured."""


def categories(profile: Profile, samples: Samples) -> dict[MetricType, Level1]:
    """L1 of some samples; metrics that are not in the profile don't count."""
    values: dict[MetricType, list[tuple[int, int]]] = {}
    windows: dict[MetricType, int] = {}
    for name, sample in samples.items():
        one = profile.by_metric.get(name)
        if one is not None:
            kind = one.category
            values.setdefault(kind, []).append((one.function.tenths(sample.value), one.weight))
            windows[kind] = max(windows.get(kind, 0), sample.window_ms)
    return {kind: Level1(profile.within.of(found), windows[kind]) for kind, found in values.items()}


def mean(several: Sequence[Categories]) -> dict[MetricType, Level1]:
    """The categories of a site by those of its instances: of each the mean, halves rounded up."""
    found: dict[MetricType, Level1] = {}
    for kind in CATEGORIES:
        values = [each[kind] for each in several if kind in each]
        if values:
            total = sum(one.tenths for one in values)
            tenths = (2 * total + len(values)) // (2 * len(values))
            found[kind] = Level1(tenths, max(one.window_ms for one in values))
    return found


def scores(profile: Profile, own: Categories, shared: Categories) -> tuple[Score, ...]:
    """The values that are told: of each category that it has itself, and `norm_fi` of all that make it.

    Args:
        profile: how.
        own: categories of the site or the instance.
        shared: what counts for those that it has not.
    """
    told = [_rounded(kind, own[kind]) for kind in CATEGORIES if kind in own]
    counted = [found for kind in profile.categories if (found := own.get(kind) or shared.get(kind))]
    if counted:
        tenths = profile.across.of([(one.tenths, 1) for one in counted])
        window_ms = max(one.window_ms for one in counted)
        told.append(_rounded(MetricType.NORM_FI, Level1(tenths, window_ms)))
    return tuple(told)


@lru_cache(maxsize=4096)
def _rounded(kind: MetricType, level1: Level1) -> Score:
    return Score(kind, (level1.tenths + 5) // 10, min(level1.window_ms, LONGEST_MS))
