"""Metrics of whoever exposes them to Prometheus (the text format, version 0.0.4).

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import fmean

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample as PrometheusSample

from cfn.collectors import http
from cfn.collectors.collector import CollectorError
from cfn.metrics.sample import Sample, Statistic, whole


class Combine(Enum):
    """What to make of several series that are meant."""

    SUM = "sum"
    MEAN = "mean"
    MAX = "max"

    def of(self, values: Sequence[float]) -> float:
        """Of at least one value."""
        combined = {Combine.SUM: math.fsum, Combine.MEAN: fmean, Combine.MAX: max}[self]
        return float(combined(values))


@dataclass(frozen=True, slots=True)
class Series:
    """Which series are meant: all of this name that have these labels.

    Attributes:
        name: of the series; of a histogram or summary with `_sum`, `_count` or `_bucket`.
        labels: what labels must be, others may be anything.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Reading:
    """Which series make a raw metric.

    Attributes:
        metric: the raw metric.
        series: whose values count.
        over: whose values they are divided by, if any.
        rate: count by how much a second they grow, as counters do; of a division, how much both have grown.
        scale: what one of the value is in units of the metric.
        combine: what to make of several.
        instance: number of the instance that it is of, None for the site.
    """

    metric: str
    series: Series
    over: Series | None = None
    rate: bool = False
    scale: float = 1.0
    combine: Combine = Combine.SUM
    instance: int | None = None


Values = dict[tuple[tuple[str, str], ...], float]
"""Values of a series' name, by labels."""


class PrometheusCollector:
    """One endpoint."""

    def __init__(
        self,
        url: str,
        readings: Sequence[Reading],
        session: aiohttp.ClientSession,
        clock: Callable[[], float],
    ) -> None:
        """Describe an endpoint.

        Args:
            url: of its metrics.
            readings: what to make of them.
            session: to ask by.
            clock: seconds, monotonic.
        """
        self._url = url
        self._readings = readings
        self._session = session
        self._clock = clock
        self._names = frozenset(
            one.name.encode() for each in readings for one in (each.series, each.over) if one is not None
        )
        self._before: tuple[float, dict[str, Values]] | None = None

    @property
    def name(self) -> str:
        """See `Collector.name`."""
        return self._url

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`; what grows is first known the second time.

        A series that is not there, or no number, gives no sample.
        """
        text = await http.lines_of(self._session, self._url, self._names)
        now, before = self._clock(), self._before
        values = parse(text)
        if not values:
            raise CollectorError("has none of the series that are to be read")
        self._before = now, values
        found = (self._sample(reading, now, values, before) for reading in self._readings)
        return [sample for sample in found if sample]

    def _sample(
        self,
        reading: Reading,
        now: float,
        values: dict[str, Values],
        before: tuple[float, dict[str, Values]] | None,
    ) -> Sample | None:
        span_s = now - before[0] if before else 0.0
        if reading.rate and span_s <= 0:
            return None
        old = before[1] if before and reading.rate else {}
        value = _value(reading, reading.series, values, old)
        divisor = span_s if reading.rate else 1.0
        if reading.over:
            divisor = _value(reading, reading.over, values, old)
        if value is None or not divisor or not math.isfinite(value / divisor):
            return None
        return Sample(
            reading.metric,
            whole(value / divisor * reading.scale),
            max(1, whole(span_s * 1000)) if reading.rate else 1,
            Statistic.MEAN if reading.rate else Statistic.CURRENT,
            instance=reading.instance,
        )


def parse(text: str) -> dict[str, Values]:
    """Values by name of the series and labels; those that are no finite numbers say nothing.

    Raises:
        CollectorError: the text is not in the format.
    """
    found: defaultdict[str, Values] = defaultdict(dict)
    try:
        for family in text_string_to_metric_families(text):
            for sample in filter(_is_finite, family.samples):
                found[sample.name][tuple(sorted(sample.labels.items()))] = float(sample.value)
    except (ValueError, IndexError, KeyError) as error:
        raise CollectorError(f"tells what can't be read: {error}") from None
    return dict(found)


def _is_finite(sample: PrometheusSample) -> bool:
    return math.isfinite(sample.value)


def _value(
    reading: Reading, series: Series, values: dict[str, Values], old: dict[str, Values]
) -> float | None:
    """The value that is meant, or by how much it has grown; None when nothing of it is told."""
    wanted = set(series.labels.items())
    chosen = [
        value - _start(value, old.get(series.name, {}).get(labels)) if reading.rate else value
        for labels, value in values.get(series.name, {}).items()
        if wanted <= set(labels) and (not reading.rate or labels in old.get(series.name, {}))
    ]
    return reading.combine.of(chosen) if chosen else None


def _start(value: float, before: float | None) -> float:
    """What a counter counts from: one that is lower than before has started anew, at 0."""
    return 0.0 if before is None or value < before else before
