"""Which raw metrics make which categories and how: what a site publishes with its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from cfn.metrics.normalise import Function, Log, MinMax
from cfn.metrics.score import CATEGORIES, MetricType
from cfn.proto import advert_pb2 as pb

MOST_INPUTS = 64
MOST_WEIGHT = 1000


class Aggregation(IntEnum):
    """How several values become one (draft, section 4.2.1)."""

    MEAN = pb.Profile.MEAN
    """The arithmetic mean by weight, halves rounded up."""
    MINIMUM = pb.Profile.MINIMUM
    """The worst of them, whatever the weights."""

    def of(self, values: Sequence[tuple[int, int]]) -> int:
        """Aggregate pairs of tenths and weight, of which there is at least one."""
        if len(values) == 1:
            return values[0][0]
        if self is Aggregation.MINIMUM:
            return min(tenths for tenths, _ in values)
        total = sum(weight for _, weight in values)
        return (2 * sum(tenths * weight for tenths, weight in values) + total) // (2 * total)


@dataclass(frozen=True, slots=True)
class Input:
    """A raw metric, the category it counts in, and how.

    Attributes:
        metric: name of the L0 metric.
        category: one of `CATEGORIES`.
        function: from its unit to tenths of a point.
        weight: in the mean of the category.
    """

    metric: str
    category: MetricType
    function: Function
    weight: int = 1

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"{self.metric}: {self.category.name} is no category")
        if not 1 <= self.weight <= MOST_WEIGHT:
            raise ValueError(f"{self.metric}: weight {self.weight} is not in 1..{MOST_WEIGHT}")


@dataclass(frozen=True)
class Profile:
    """A whole way from L0 to L2.

    Attributes:
        inputs: at most `MOST_INPUTS`; each metric is there once.
        within: from the inputs of a category to its value.
        across: from categories to `norm_fi`.
        categories: those that `norm_fi` is made of.
    """

    inputs: tuple[Input, ...]
    within: Aggregation = Aggregation.MEAN
    across: Aggregation = Aggregation.MINIMUM
    categories: tuple[MetricType, ...] = (
        MetricType.COMPUTE_NORM,
        MetricType.COMMUNICATION_NORM,
        MetricType.SERVICE_NORM,
    )

    def __post_init__(self) -> None:
        names = [one.metric for one in self.inputs]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"{min(twice)}: is there twice")
        if len(names) > MOST_INPUTS:
            raise ValueError(f"more than {MOST_INPUTS} inputs")

    @cached_property
    def by_metric(self) -> dict[str, Input]:
        """The inputs by the names of their metrics."""
        return {one.metric: one for one in self.inputs}

    @cached_property
    def message(self) -> pb.Profile:
        """As adverts publish it."""
        return pb.Profile(
            inputs=[
                pb.Normalisation(
                    metric=one.metric,
                    category=one.category.value,
                    function=one.function.number,
                    parameters=one.function.parameters,
                    weight=one.weight,
                )
                for one in self.inputs
            ],
            within=self.within.value,
            across=self.across.value,
            categories=[kind.value for kind in self.categories],
        )


_PPM = 1_000_000

DEFAULT = Profile(
    (
        Input("compute_logic_utilisation", MetricType.COMPUTE_NORM, MinMax(_PPM, 0), 4),
        Input("compute_parallel_utilisation", MetricType.COMPUTE_NORM, MinMax(_PPM, 0), 4),
        Input("compute_neural_utilisation", MetricType.COMPUTE_NORM, MinMax(_PPM, 0), 4),
        Input("memory_utilisation", MetricType.COMPUTE_NORM, MinMax(_PPM, 0), 1),
        Input("network_utilisation", MetricType.COMMUNICATION_NORM, MinMax(_PPM, 0), 4),
        Input("network_delay", MetricType.COMMUNICATION_NORM, MinMax(100_000, 0), 4),
        Input("network_jitter", MetricType.COMMUNICATION_NORM, MinMax(50_000, 0), 1),
        Input("network_loss", MetricType.COMMUNICATION_NORM, MinMax(50_000, 0), 2),
        Input("network_bandwidth", MetricType.COMMUNICATION_NORM, Log(1_000, 10_000_000), 1),
        Input("service_load", MetricType.SERVICE_NORM, MinMax(255, 0), 2),
        Input("service_backlog", MetricType.SERVICE_NORM, MinMax(5_000, 0), 1),
        Input("service_utilisation", MetricType.SERVICE_NORM, MinMax(_PPM, 0), 2),
        Input("service_errors", MetricType.SERVICE_NORM, MinMax(100_000, 0), 2),
        Input("response_time", MetricType.COMPOSED_NORM, Log(10_000_000, 1_000), 1),
    )
)
"""What is normalised how unless the operator says otherwise.

`norm_fi` is the worst category: an instance whose queue is full is not made good by an idle processor beside
it. Composed metrics are made of the others, and don't count again.
"""
