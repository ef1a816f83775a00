"""Many sites' agents in one process: `python -m bench.agents SITES PORT SECONDS`, for `bench.scale`.

Each has its own connection to the controller and goes by the agent's own rules (`cfn.damping`); what it tells
of is made up. Prints a JSON object when the time is over.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.scale_world import TOKEN, Region
from bench.stats import percentile
from cfn.advert_sender import AdvertSender, SendError
from cfn.damping import Damping, Schedule, Views

_NOISE = 0.02
_TTL_MS = 60_000
SETTLED_S = 20.0
"""Before anything is counted connections are made, and the controller finds out how often it can be told."""


@dataclass(slots=True)
class _Told:
    """What became of adverts.

    Attributes:
        ends: how many were accepted, refused and unanswered.
        answer_ms: how long those that were answered took.
        interval_ms: what the controller asked for last, by agent.
    """

    ends: Counter[str] = field(default_factory=Counter[str])
    answer_ms: list[float] = field(default_factory=list[float])
    interval_ms: dict[int, int] = field(default_factory=dict[int, int])

    def clear(self) -> None:
        """Forget what is counted."""
        self.ends.clear()
        self.answer_ms.clear()


async def _agent(region: Region, number: int, port: int, end: float, told: _Told) -> None:
    """One site's agent. Its own address of the loopback is what makes gRPC open a socket of its own."""
    draw, schedule = random.Random(number), Schedule(Damping())
    site = region.sites[number]
    views = region.views(site, draw)
    target = f"127.{1 + (number >> 14)}.{number >> 7 & 127}.{1 + (number & 127)}:{port}"
    await asyncio.sleep(draw.random())
    async with AdvertSender(target, site, TOKEN, ttl_ms=_TTL_MS) as sender:
        while (now := time.monotonic()) < end:
            views = _moved(views, draw)
            due = schedule.due(views)
            if now < due:
                await asyncio.sleep(due - now)
            began = time.monotonic()
            try:
                ack = await sender.send(views)
                told.answer_ms.append(1000 * (time.monotonic() - began))
                told.ends["accepted" if ack.accepted else "refused"] += 1
                told.interval_ms[number] = ack.min_interval_ms
                schedule.slow_down(ack.min_interval_ms / 1000)
            except SendError:
                told.ends["unanswered"] += 1
            schedule.sent(views, time.monotonic())


def _moved(views: Views, draw: random.Random) -> Views:
    """The same a moment later: a little more or less of everything, as measurements are."""
    return tuple(
        replace(view, arrival_rps=view.arrival_rps * draw.uniform(1 - _NOISE, 1 + _NOISE)) for view in views
    )


async def _run(sites: int, port: int, seconds: float) -> dict[str, float]:
    region, told = Region(sites), _Told()
    end = time.monotonic() + SETTLED_S + seconds
    agents = [asyncio.create_task(_agent(region, number, port, end, told)) for number in range(sites)]
    await asyncio.sleep(SETTLED_S)
    told.clear()
    began, cpu = time.monotonic(), _cpu_s()
    await asyncio.sleep(seconds)
    figures = {
        "cpu": (_cpu_s() - cpu) / (time.monotonic() - began),
        "mb": _resident_mb(),
        "answer_p50_ms": percentile(told.answer_ms, 50) if told.answer_ms else math.inf,
        "answer_p99_ms": percentile(told.answer_ms, 99) if told.answer_ms else math.inf,
        "interval_ms": sum(told.interval_ms.values()) / max(1, len(told.interval_ms)),
        **told.ends,
    }
    await asyncio.gather(*agents)
    return figures


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS:"))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
