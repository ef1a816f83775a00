"""Raw metrics (L0): what collectors measure, in whole units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

LARGEST = 10**15
"""No sample is larger, whatever its unit: the arithmetic stays small, and what is beyond is a mistake."""


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


class Raw(NamedTuple):
    """What is known of an L0 metric by its name."""

    unit: Unit
    meaning: str


RAW: Mapping[str, Raw] = {
    "compute_logic_utilisation": Raw(Unit.PPM, "share of the site's CPU in use"),
    "compute_parallel_utilisation": Raw(Unit.PPM, "the same of its parallel processors (GPU)"),
    "compute_neural_utilisation": Raw(Unit.PPM, "the same of its neural processors (NPU)"),
    "compute_run_queue": Raw(Unit.THOUSANDTHS, "load average of the last minute for each core"),
    "memory_utilisation": Raw(Unit.PPM, "share of the memory that is not available"),
    "memory_size": Raw(Unit.BYTES, "memory there is"),
    "memory_left": Raw(Unit.BYTES, "memory available without swapping"),
    "storage_utilisation": Raw(Unit.PPM, "share of the storage in use"),
    "storage_size": Raw(Unit.BYTES, "storage there is"),
    "storage_left": Raw(Unit.BYTES, "storage that is free to use"),
    "power": Raw(Unit.MILLIWATTS, "electric power drawn"),
    "network_utilisation": Raw(Unit.PPM, "share of the network interface's rate in use, the busier way"),
    "network_delay": Raw(Unit.MICROSECONDS, "delay, one way"),
    "network_jitter": Raw(Unit.MICROSECONDS, "how much the delay varies"),
    "network_loss": Raw(Unit.PPM, "share of packets lost"),
    "network_bandwidth": Raw(Unit.KBPS, "rate of the narrowest link"),
    "service_load": Raw(Unit.LOAD, "load as responses report it"),
    "service_backlog": Raw(Unit.THOUSANDTHS, "requests that wait, for each worker"),
    "service_utilisation": Raw(Unit.PPM, "utilisation as the application itself tells it"),
    "service_errors": Raw(Unit.PPM, "share of requests that fail"),
    "service_rate": Raw(Unit.THOUSANDTHS, "requests a second"),
    "response_time": Raw(Unit.MICROSECONDS, "time at the instance: wait for what queues, and service"),
}
"""L0 metrics that collectors here tell of; an operator may add others by configuration."""


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
