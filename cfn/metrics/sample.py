"""Raw metrics (L0): what collectors measure, in whole units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

LARGEST = 10**15
"""No sample is larger, whatever its unit: the arithmetic stays small, and what is beyond is a mistake."""
LONGEST_MS = 2**32 - 1
"""No window is longer."""


class Unit(StrEnum):
    """What one of a value is."""

    PPM = "millionths"
    MICROSECONDS = "µs"
    BYTES = "bytes"
    KBPS = "kbit/s"
    MILLIWATTS = "mW"
    LOAD = "of 255"
    THOUSANDTHS = "thousandths"


class Source(StrEnum):
    """Where a value comes from (draft, section 4.1)."""

    NOMINAL = "nominal"
    MEASURED = "directly measured"
    ESTIMATION = "estimation"


class Statistic(StrEnum):
    """What was done to the values of the window (draft, section 4.1)."""

    MEAN = "mean"
    CURRENT = "cur"


RAW: Mapping[str, Unit] = {
    "compute_logic_utilisation": Unit.PPM,
    "compute_parallel_utilisation": Unit.PPM,
    "compute_neural_utilisation": Unit.PPM,
    "compute_run_queue": Unit.THOUSANDTHS,
    "memory_utilisation": Unit.PPM,
    "memory_size": Unit.BYTES,
    "memory_left": Unit.BYTES,
    "storage_utilisation": Unit.PPM,
    "storage_size": Unit.BYTES,
    "storage_left": Unit.BYTES,
    "power": Unit.MILLIWATTS,
    "network_utilisation": Unit.PPM,
    "network_delay": Unit.MICROSECONDS,
    "network_jitter": Unit.MICROSECONDS,
    "network_loss": Unit.PPM,
    "network_bandwidth": Unit.KBPS,
    "service_load": Unit.LOAD,
    "service_backlog": Unit.THOUSANDTHS,
    "service_utilisation": Unit.PPM,
    "service_errors": Unit.PPM,
    "service_rate": Unit.THOUSANDTHS,
    "response_time": Unit.MICROSECONDS,
}
"""Units of the L0 metrics that docs/metrics.md describes; an operator may add others."""


class Sample(NamedTuple):
    """One value of an L0 metric.

    Attributes:
        metric: its name, in `RAW` or the operator's own.
        value: whole units of the metric, 0 to `LARGEST`.
        window_ms: over how long it was measured, at least 1 ms.
        statistic: what the value is of that window.
        source: where it comes from.
        instance: number of the instance that it is of, None for the whole site.
    """

    metric: str
    value: int
    window_ms: int
    statistic: Statistic = Statistic.MEAN
    source: Source = Source.MEASURED
    instance: int | None = None


Samples = Mapping[str, Sample]
"""The last sample of each metric, by name."""


def whole(value: float | Fraction) -> int:
    """A measured value in whole units, halves rounded up; kept within 0 and `LARGEST`.

    Raises:
        ValueError: it is not a number.
    """
    if 0 <= value < LARGEST:
        down = int(value)
        # Not int(value + 0.5): that sum may be rounded.
        return down + (2 * (value - down) >= 1)
    if math.isnan(value):
        raise ValueError("is not a number")
    return LARGEST if value > 0 else 0
