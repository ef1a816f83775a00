"""Normalised metrics, as adverts carry them."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from cfn.proto import advert_pb2 as pb

BEST = 10
"""A value is 0 to 10 in one unsigned octet, and 10 is the best (draft, section 6.1.2.2)."""


class MetricType(IntEnum):
    """Which metric a value is of: those of a category are of level 1, `NORM_FI` is the one of level 2.

    The draft's names are these in lower case.
    """

    COMPUTE_NORM = pb.Metric.COMPUTE_NORM
    COMMUNICATION_NORM = pb.Metric.COMMUNICATION_NORM
    SERVICE_NORM = pb.Metric.SERVICE_NORM
    COMPOSED_NORM = pb.Metric.COMPOSED_NORM
    NORM_FI = pb.Metric.NORM_FI

    @property
    def level(self) -> int:
        """Level of the metric, 1 or 2."""
        return 2 if self is MetricType.NORM_FI else 1


CATEGORIES = tuple(kind for kind in MetricType if kind.level == 1)
"""Computing, communication, service and composed, in the order of their numbers."""


class Score(NamedTuple):
    """The value of one metric.

    Attributes:
        type: which metric.
        value: 0–10.
        window_ms: over how long it was measured, at least 1 ms.
    """

    type: MetricType
    value: int
    window_ms: int


def norm_fi(scores: tuple[Score, ...]) -> int | None:
    """The value of level 2 among these, or None without one."""
    return next((score.value for score in scores if score.type is MetricType.NORM_FI), None)
