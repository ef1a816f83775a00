"""What an agent collects and how it normalises it: a YAML file of the site's operator (docs/metrics.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StrictBool, model_validator

from cfn import yamlfile
from cfn.collectors.collecting import Job
from cfn.collectors.collector import Collector
from cfn.collectors.orca import Named, Reported
from cfn.collectors.prometheus import Combine, Reading, Series
from cfn.metrics.normalise import LARGEST, Function, Log, MinMax, Sigmoid
from cfn.metrics.profile import DEFAULT, MOST_INPUTS, MOST_WEIGHT, Aggregation, Input, Profile
from cfn.metrics.sample import RAW
from cfn.metrics.score import MetricType

_METRIC = re.compile(r"[a-z][a-z0-9_]{0,63}")
_URL = re.compile(r"https?://[^/\s]+(/\S*)?")
_TARGET = re.compile(r"(unix:\S+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):\d{1,5})")
CATEGORIES = {
    "compute": MetricType.COMPUTE_NORM,
    "communication": MetricType.COMMUNICATION_NORM,
    "service": MetricType.SERVICE_NORM,
    "composed": MetricType.COMPOSED_NORM,
}


def _matches(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{value!r} is no {what}")
        return value

    return check


Metric = Annotated[str, AfterValidator(_matches(_METRIC, "name of a metric: a-z, 0-9 and _, at most 64"))]
Url = Annotated[str, AfterValidator(_matches(_URL, "URL of http or https"))]
Target = Annotated[str, AfterValidator(_matches(_TARGET, "gRPC target: HOST:PORT or unix:PATH"))]
Category = Literal["compute", "communication", "service", "composed"]
Kind = Literal["mean", "minimum"]
Number = Annotated[int, Strict(), Field(ge=-LARGEST, le=LARGEST)]
Seconds = Annotated[float, Strict(), Field(ge=0.05, le=3600)]
Scale = Annotated[float, Strict(), Field(gt=0, le=1e12)]
InstanceId = Annotated[int, Strict(), Field(ge=0, lt=2**16)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Timed(_Model):
    """How often to ask, how long to wait, and how long what was told counts."""

    interval_s: Seconds = 1.0
    timeout_s: Seconds = 1.0
    fresh_s: Seconds | None = None

    def job(self, collector: Collector) -> Job:
        """What to ask and when; samples count for three intervals unless said otherwise."""
        fresh_s = self.fresh_s or 3 * max(self.interval_s, self.timeout_s)
        return Job(collector, self.interval_s, self.timeout_s, fresh_s)


class HostConfig(_Timed):
    """The machine: memory and load, the storage at a path, the use of a network interface, and its energy."""

    storage: Path = Path("/")
    interface: str | None = None
    rate_mbps: Annotated[float, Strict(), Field(gt=0, le=1e6)] | None = None
    energy: StrictBool = True


class SeriesConfig(_Model):
    """A series of Prometheus, by its name and some of its labels."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
    labels: dict[str, str] = Field(default_factory=dict[str, str])


class ReadingConfig(_Model):
    """See `prometheus.Reading`."""

    metric: Metric
    series: SeriesConfig
    over: SeriesConfig | None = None
    rate: StrictBool = False
    scale: Scale = 1.0
    combine: Literal["sum", "mean", "max"] = "sum"
    instance: InstanceId | None = None

    @property
    def reading(self) -> Reading:
        """As the collector takes it."""
        return Reading(
            self.metric,
            _series(self.series),
            _series(self.over) if self.over else None,
            self.rate,
            self.scale,
            Combine(self.combine),
            self.instance,
        )


class PrometheusConfig(_Timed):
    """An endpoint that Prometheus could scrape."""

    url: Url
    read: Annotated[tuple[ReadingConfig, ...], Field(min_length=1, max_length=1000)]


class NamedConfig(_Model):
    """See `orca.Named`."""

    metric: Metric
    scale: Scale = 1.0


class OrcaConfig(_Timed):
    """A server that reports its load: in HTTP answers from `url`, or out of band at `grpc`."""

    instance: InstanceId | None = None
    url: Url | None = None
    grpc: Target | None = None
    named: dict[str, NamedConfig] = Field(default_factory=dict[str, NamedConfig])

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.url is None) == (self.grpc is None):
            raise ValueError("needs either url or grpc")
        return self

    @property
    def reported(self) -> Reported:
        """As the collectors take it."""
        named = {name: Named(one.metric, one.scale) for name, one in self.named.items()}
        return Reported(self.instance, round(self.interval_s * 1000), named)


class InputConfig(_Model):
    """A raw metric, and how it is normalised."""

    metric: Metric
    category: Category
    function: Literal["min-max", "log", "sigmoid"] = "min-max"
    worst: Number | None = None
    best: Number | None = None
    middle: Number | None = None
    scale: Number | None = None
    weight: Annotated[int, Strict(), Field(ge=1, le=MOST_WEIGHT)] = 1

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.input  # noqa: B018 - raises what is wrong with it
        return self

    @property
    def input(self) -> Input:
        """As a profile takes it."""
        return Input(self.metric, CATEGORIES[self.category], self._function(), self.weight)

    def _function(self) -> Function:
        if self.function == "sigmoid":
            return Sigmoid(*self._parameters("middle", "scale"))
        return {"min-max": MinMax, "log": Log}[self.function](*self._parameters("worst", "best"))

    def _parameters(self, *names: str) -> tuple[int, int]:
        values = {name: getattr(self, name) for name in ("worst", "best", "middle", "scale")}
        if {name for name, value in values.items() if value is not None} != set(names):
            raise ValueError(f"{self.function} has {' and '.join(names)}")
        return values[names[0]], values[names[1]]


class ProfileConfig(_Model):
    """How metrics are normalised and made one; inputs take the place of those that have the same metric."""

    within: Kind = "mean"
    across: Kind = "minimum"
    categories: tuple[Category, ...] = ("compute", "communication", "service")
    inputs: Annotated[tuple[InputConfig, ...], Field(max_length=MOST_INPUTS)] = ()
    only: StrictBool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.profile  # noqa: B018 - raises what is wrong with it
        return self

    @property
    def profile(self) -> Profile:
        """As agents take it."""
        own = tuple(one.input for one in self.inputs)
        named = {one.metric for one in own}
        others = () if self.only else tuple(one for one in DEFAULT.inputs if one.metric not in named)
        kinds: Mapping[Kind, Aggregation] = {"mean": Aggregation.MEAN, "minimum": Aggregation.MINIMUM}
        made_of = tuple(sorted({CATEGORIES[one] for one in self.categories}))
        return Profile((*own, *others), kinds[self.within], kinds[self.across], made_of)


class CollectConfig(_Model):
    """The whole file."""

    profile: ProfileConfig = ProfileConfig()
    host: HostConfig | None = HostConfig()
    prometheus: Annotated[tuple[PrometheusConfig, ...], Field(max_length=1000)] = ()
    orca: Annotated[tuple[OrcaConfig, ...], Field(max_length=10_000)] = ()

    @model_validator(mode="after")
    def _metrics_are_known(self) -> Self:
        known = RAW.keys() | self.profile.profile.by_metric.keys()
        problems = [
            yamlfile.Problem((*path, "metric"), f"{metric!r} is no raw metric, nor in the profile")
            for path, metric in self._metrics()
            if metric not in known
        ]
        if problems:
            raise yamlfile.ModelProblems(problems)
        return self

    def _metrics(self) -> Iterator[tuple[yamlfile.FieldPath, str]]:
        """Every metric that something is read for, and where it stands."""
        for index, endpoint in enumerate(self.prometheus):
            for number, reading in enumerate(endpoint.read):
                yield ("prometheus", index, "read", number), reading.metric
        for index, server in enumerate(self.orca):
            for name, named in server.named.items():
                yield ("orca", index, "named", name), named.metric


def load(path: Path) -> CollectConfig:
    """Read a file.

    Raises:
        yamlfile.FileError: with one line `FILE:LINE:COLUMN: FIELD: what is wrong` for each error.
    """
    return yamlfile.load(path, CollectConfig)


def _series(config: SeriesConfig) -> Series:
    return Series(config.name, config.labels)
