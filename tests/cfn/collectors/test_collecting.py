"""Collectors that run side by side.

One case: pytest tests/cfn/collectors/test_collecting.py -k hangs
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import pytest

from cfn.collectors.collecting import Job, collecting
from cfn.collectors.collector import CollectorError, SampleStore
from cfn.metrics.sample import Sample

WAIT_S = 10.0


class Told:
    """A collector whose answers a test gives; it goes on with the last one."""

    def __init__(self, name: str, *answers: Sequence[Sample] | str) -> None:
        self.name = name
        self.asked = 0
        self._answers = list(answers)

    async def collect(self) -> Sequence[Sample]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, str):
            raise CollectorError(answer)
        return answer


class Hanging(Told):
    async def collect(self) -> Sequence[Sample]:
        self.asked += 1
        await asyncio.Event().wait()
        return []


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not reached():
            await asyncio.sleep(0.005)


def job(collector: Told, fresh_s: float = 60.0) -> Job:
    return Job(collector, interval_s=0.01, timeout_s=0.05, fresh_s=fresh_s)


async def test_one_that_hangs_or_fails_stops_no_other(caplog) -> None:
    store, hanging = SampleStore(), Hanging("slow one")
    wrong, good = Told("wrong one", "broken"), Told("good one", [Sample("a", 1, 1)])
    async with collecting([job(hanging), job(wrong), job(good)], store):
        await until(lambda: hanging.asked >= 3 and wrong.asked >= 3 and good.asked >= 3)
    assert store.site() == {"a": Sample("a", 1, 1)}
    # Each is told of once.
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "wrong one: broken",
        "slow one: no answer within 0.05 s",
    ]


async def test_who_answers_again_is_told(caplog) -> None:
    caplog.set_level(logging.INFO)
    one = Told("it", "broken", "broken", "burnt", [])
    async with collecting([job(one)], SampleStore()):
        await until(lambda: one.asked >= 5)
    assert [record.message for record in caplog.records] == ["it: broken", "it: burnt", "it: answers again"]


async def test_samples_of_who_does_not_answer_any_more_grow_stale() -> None:
    store, one = SampleStore(), Told("it", [Sample("a", 1, 1)], "broken")
    async with collecting([job(one, fresh_s=5.0)], store):
        await until(lambda: one.asked >= 3)
    store.forget_stale(time.monotonic())
    assert store.site()
    store.forget_stale(time.monotonic() + 5.0)
    assert store.site() == {}


async def test_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(RuntimeError, match="over"):
        async with collecting([job(Hanging("slow one"))], SampleStore()):
            raise RuntimeError("over")
    assert asyncio.all_tasks() == before
