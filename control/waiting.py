"""Waiting for one of several things, and for everybody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

_IDLE_S = 1e-4
"""A turn of the loop in which nobody has anything to do takes less."""


async def first_of(*waits: Awaitable[object]) -> None:
    """Wait until one of these is done and cancel the others; raise what it raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def let_others(most_s: float) -> None:
    """Let everybody who is ready have turns, until nobody is or so many seconds have passed.

    gRPC takes a turn of the loop for each step of each call, so one turn is not enough where there are many.
    """
    end = time.monotonic() + most_s
    now = time.monotonic()
    while True:
        before = now
        await asyncio.sleep(0)
        now = time.monotonic()
        if now - before < _IDLE_S or now >= end:
            return
