"""What an agent is told to collect.

One case: pytest tests/cfn/collectors/test_config.py -k refused
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cfn import yamlfile
from cfn.collectors.config import CollectConfig, load
from cfn.collectors.jobs import jobs
from cfn.metrics.normalise import Log, Sigmoid
from cfn.metrics.profile import DEFAULT, Aggregation, Input, Profile
from cfn.metrics.score import MetricType
from cfn.yamlfile import FileError

WHOLE = """\
profile:
  within: minimum
  across: mean
  categories: [service, compute]
  inputs:
    - {metric: kv_cache, category: service, function: sigmoid, middle: 800000, scale: -50000}
    - {metric: response_time, category: composed, function: log, worst: 1000000, best: 500, weight: 3}
host: {storage: /tmp, interface: lo, rate_mbps: 1000, interval_s: 2}
prometheus:
  - url: http://127.0.0.1:9400/metrics
    interval_s: 5
    read:
      - metric: compute_parallel_utilisation
        series: {name: DCGM_FI_DEV_GPU_UTIL}
        scale: 10000
        combine: mean
      - metric: service_errors
        series: {name: requests_total, labels: {code: "500"}}
        over: {name: requests_total}
        rate: true
        scale: 1000000
        instance: 3
orca:
  - url: http://127.0.0.1:8000/health
    instance: 3
    named: {kv_cache_usage: {metric: kv_cache, scale: 1000000}}
  - {grpc: "[::1]:50051", instance: 4, timeout_s: 0.5, fresh_s: 2}
"""


def parsed(text: str) -> CollectConfig:
    return yamlfile.parse(text, CollectConfig, "collect.yaml")


async def test_a_whole_file_becomes_collectors() -> None:
    async with AsyncExitStack() as stack:
        found = await jobs(parsed(WHOLE), time.monotonic, stack)
    by_name = {job.collector.name: job for job in found}
    assert by_name.keys() >= {
        "memory",
        "storage /tmp",
        "interface lo",
        "http://127.0.0.1:9400/metrics",
        "http://127.0.0.1:8000/health",
        "[::1]:50051",
    }
    scrape, stream = by_name["http://127.0.0.1:9400/metrics"], by_name["[::1]:50051"]
    assert (scrape.interval_s, scrape.timeout_s, scrape.fresh_s) == (5.0, 1.0, 15.0)
    assert (stream.interval_s, stream.timeout_s, stream.fresh_s) == (1.0, 0.5, 2.0)


async def test_nothing_said_is_the_host_alone() -> None:
    async with AsyncExitStack() as stack:
        names = [job.collector.name for job in await jobs(CollectConfig(), time.monotonic, stack)]
        assert names[:2] == ["memory", "storage /"]
        assert await jobs(parsed("host: null"), time.monotonic, stack) == []
    assert CollectConfig().profile.profile == DEFAULT


def test_a_profile_of_ones_own_goes_before_the_default() -> None:
    profile = parsed(WHOLE).profile.profile
    assert (profile.within, profile.across) == (Aggregation.MINIMUM, Aggregation.MEAN)
    assert profile.categories == (MetricType.COMPUTE_NORM, MetricType.SERVICE_NORM)
    assert profile.by_metric["kv_cache"] == Input(
        "kv_cache", MetricType.SERVICE_NORM, Sigmoid(800_000, -50_000)
    )
    assert profile.by_metric["response_time"].function == Log(1_000_000, 500)
    assert profile.by_metric["service_load"] == DEFAULT.by_metric["service_load"]
    only = parsed(WHOLE.replace("within: minimum", "only: true")).profile.profile
    assert only.by_metric.keys() == {"kv_cache", "response_time"}
    assert Profile(only.inputs).message.inputs[0].parameters == [800_000, -50_000]


REFUSED = [
    ("hots: {}", "1:7: hots: is not a known field"),
    ("host: {interval_s: 0}", "1:20: host.interval_s: must be ≥ 0.05"),
    ("orca: [{instance: 1}]", "1:8: orca[0]: needs either url or grpc"),
    ("orca: [{url: 'ftp://a'}]", "1:14: orca[0].url: 'ftp://a' is no URL of http or https"),
    (
        "orca: [{grpc: somewhere}]",
        "1:15: orca[0].grpc: 'somewhere' is no gRPC target",
    ),
    ("orca: [{grpc: 'a:1', instance: 65536}]", "1:32: orca[0].instance: must be less than 65536"),
    ("prometheus: [{url: 'http://a', read: []}]", "1:38: prometheus[0].read: "),
    (
        "prometheus: [{url: 'http://a', read: [{metric: A b, series: {name: a}}]}]",
        "1:48: prometheus[0].read[0].metric: 'A b' is no name of a metric",
    ),
    (
        "prometheus: [{url: 'http://a', read: [{metric: powr, series: {name: a}}]}]",
        "1:48: prometheus[0].read[0].metric: 'powr' is no raw metric, nor in the profile",
    ),
    (
        "orca: [{url: 'http://a', named: {x: {metric: y}}}]",
        "1:46: orca[0].named.x.metric: 'y' is no raw metric",
    ),
    (
        "profile: {inputs: [{metric: a, category: service, worst: 3, best: 3}]}",
        "1:20: profile.inputs[0]: worst and best are both 3",
    ),
    (
        "profile: {inputs: [{metric: a, category: service, worst: 3}]}",
        "1:20: profile.inputs[0]: min-max has worst and best",
    ),
    (
        "profile: {inputs: [{metric: a, category: service, function: sigmoid, worst: 3, best: 1}]}",
        "1:20: profile.inputs[0]: sigmoid has middle and scale",
    ),
    (
        "profile: {inputs: [{metric: a, category: norm_fi, worst: 3, best: 1}]}",
        "1:42: profile.inputs[0].category: must be 'compute'",
    ),
    (
        "profile: {inputs: [{metric: a, category: service, function: log, worst: 0, best: 1}]}",
        "1:20: profile.inputs[0]: worst: 0 is not in 1..",
    ),
    (
        "profile: {inputs: [&a {metric: a, category: service, worst: 0, best: 1}, *a]}",
        "profile: a: is there twice",
    ),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_makes_no_sense_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(FileError) as refused:
        parsed(text)
    assert why in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        load(tmp_path / "none.yaml")
