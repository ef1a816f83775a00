"""Runs collectors, each at its own pace: one that is slow, wrong or away stops no other and no advert."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cfn.collectors.collector import Collector, CollectorError, SampleStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A collector, and when to ask it.

    Attributes:
        collector: whom to ask.
        interval_s: from one start to the next.
        timeout_s: how long it may take.
        fresh_s: how long its samples count.
    """

    collector: Collector
    interval_s: float = 1.0
    timeout_s: float = 1.0
    fresh_s: float = 3.0


@asynccontextmanager
async def collecting(jobs: Sequence[Job], store: SampleStore) -> AsyncGenerator[None]:
    """Run all jobs while in the `async with` block; their samples go to the store."""
    tasks = [asyncio.create_task(_repeat(job, store)) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(job: Job, store: SampleStore) -> None:
    complaint = ""
    while True:
        started = time.monotonic()
        said = await _once(job, store)
        if said and said != complaint:
            # Once, not each time.
            log.warning("%s: %s", job.collector.name, said)
        elif complaint and not said:
            log.info("%s: answers again", job.collector.name)
        complaint = said
        await asyncio.sleep(max(0.0, started + job.interval_s - time.monotonic()))


async def _once(job: Job, store: SampleStore) -> str:
    """Ask once; returns what went wrong, or nothing."""
    try:
        async with asyncio.timeout(job.timeout_s):
            samples = await job.collector.collect()
    except TimeoutError:
        return f"no answer within {job.timeout_s:g} s"
    except CollectorError as error:
        return str(error)
    store.put(samples, time.monotonic() + job.fresh_s)
    return ""
