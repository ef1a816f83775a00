"""Scraping, from a real HTTP server.

One case: pytest tests/cfn/collectors/test_prometheus.py -k counters
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from cfn.collectors.collector import CollectorError
from cfn.collectors.http import MAX_BYTES, MAX_LINE
from cfn.collectors.prometheus import Combine, PrometheusCollector, Reading, Series
from cfn.metrics.sample import Sample, Statistic
from tests.cfn.collectors.web import Page, serving

GPU = Reading("compute_parallel_utilisation", Series("GPU_UTIL"), scale=10_000, combine=Combine.MEAN)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with serving() as page:
        yield page


class Scraper:
    """A collector, and the clock that it goes by."""

    def __init__(self, page: Page, session: aiohttp.ClientSession, *readings: Reading) -> None:
        self.now = 100.0
        self._page = page
        self._collector = PrometheusCollector(page.url, readings, session, lambda: self.now)

    async def scrape(self, text: str | bytes, after_s: float = 0.0) -> dict[str, int]:
        self.now += after_s
        self._page.text = text
        return {sample.metric: sample.value for sample in await self._collector.collect()}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


TWO_GPUS = """\
# HELP GPU_UTIL GPU utilization (in %).
# TYPE GPU_UTIL gauge
GPU_UTIL{gpu="0",name="a \\"quoted\\" one"} 40
GPU_UTIL{gpu="1"} 90
GPU_UTIL_OF_ANOTHER{gpu="1"} 7
"""


@pytest.mark.parametrize(
    ("combine", "value"), [(Combine.MEAN, 650_000), (Combine.MAX, 900_000), (Combine.SUM, 1_300_000)]
)
async def test_several_series_become_one_value(page, session, combine: Combine, value: int) -> None:
    reading = Reading("gpu", Series("GPU_UTIL"), scale=10_000, combine=combine)
    assert await Scraper(page, session, reading).scrape(TWO_GPUS) == {"gpu": value}


async def test_labels_choose(page, session) -> None:
    of_one = Reading("gpu", Series("GPU_UTIL", {"gpu": "1"}))
    of_none = Reading("other", Series("GPU_UTIL", {"gpu": "2"}))
    assert await Scraper(page, session, of_one, of_none).scrape(TWO_GPUS) == {"gpu": 90}


async def test_samples_tell_what_they_are_of(page, session) -> None:
    page.text = TWO_GPUS
    reading = Reading("gpu", Series("GPU_UTIL"), combine=Combine.MAX, instance=7)
    (sample,) = await PrometheusCollector(page.url, [reading], session, lambda: 0.0).collect()
    assert sample == Sample("gpu", 90, 1, Statistic.CURRENT, instance=7)


async def test_counters_become_rates_and_what_starts_anew_counts_from_0(page, session) -> None:
    reading = Reading("service_rate", Series("requests_total"), rate=True, scale=1000)
    one = Scraper(page, session, reading)
    assert await one.scrape('requests_total{a="1"} 100\n') == {}
    # A series that was not there before says nothing of how much it has grown.
    grown = 'requests_total{a="1"} 150\nrequests_total{a="2"} 1e6\n'
    assert await one.scrape(grown, after_s=2) == {"service_rate": 25_000}
    again = 'requests_total{a="1"} 30\nrequests_total{a="2"} 1000070\n'
    assert await one.scrape(again, after_s=4) == {"service_rate": 25_000}
    assert await one.scrape(again, after_s=0) == {}


async def test_quotients_are_of_what_both_have_grown(page, session) -> None:
    errors = Reading(
        "service_errors", Series("errors_total"), over=Series("requests_total"), rate=True, scale=1e6
    )
    used = Reading("memory_utilisation", Series("used"), over=Series("size"), scale=1e6)
    one = Scraper(page, session, errors, used)
    first = await one.scrape("errors_total 10\nrequests_total 1000\nused 1\nsize 3\n")
    assert first == {"memory_utilisation": 333_333}
    second = await one.scrape("errors_total 11\nrequests_total 1100\nused 1\nsize 0\n", after_s=1)
    assert second == {"service_errors": 10_000}
    # Nothing was asked: no share of that has failed.
    assert await one.scrape("errors_total 11\nrequests_total 1100\n", after_s=1) == {}


@pytest.mark.parametrize("text", ["GPU_UTIL NaN\n", "GPU_UTIL +Inf\n", "other 1\n", ""])
async def test_without_a_number_there_is_no_sample(page, session, text: str) -> None:
    with pytest.raises(CollectorError, match="has none of the series"):
        await Scraper(page, session, GPU).scrape(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GPU_UTIL abc\n", "tells what can't be read"),
        ('GPU_UTIL{gpu="0} 1\n', "tells what can't be read"),
        (b'GPU_UTIL{a="\xff"} 1\n', "tells what is no text"),
        ("x" * (MAX_LINE + 1), "tells more than"),
        ("other 1\n" * (MAX_BYTES // 8 + 1), "tells more than"),
    ],
    ids=["no number", "no labels", "no text", "line", "size"],
)
async def test_what_is_no_metrics_page_is_refused(page, session, text: str | bytes, why: str) -> None:
    with pytest.raises(CollectorError, match=why):
        await Scraper(page, session, GPU).scrape(text)


async def test_other_answers_and_none_are_told(page, session) -> None:
    page.status = 503
    with pytest.raises(CollectorError, match="answers 503 Service Unavailable"):
        await Scraper(page, session, GPU).scrape(TWO_GPUS)
    page.url = "http://127.0.0.1:1/metrics"
    with pytest.raises(CollectorError, match="Cannot connect"):
        await Scraper(page, session, GPU).scrape(TWO_GPUS)


async def test_a_redirect_is_not_followed(page, session) -> None:
    page.status, page.headers = 302, {"Location": page.url}
    with pytest.raises(CollectorError, match="answers 302"):
        await Scraper(page, session, GPU).scrape(TWO_GPUS)
    assert page.asked == 1
