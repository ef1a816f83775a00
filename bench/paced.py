"""How many packets a second a slow device forwards, each frame sent once and waited for.

A few frames are under way at a time: as many as keep the device busy and are never lost, so that what came
out is counted and not sampled. It suits a device that takes longer for a packet than this loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.command import BenchError
from bench.endpoints import Endpoints

WINDOW = 24
"""BMv2's capture ring has room for about 30."""
_SOURCE = 0
_TIMEOUT_S = 10.0


class LostError(BenchError):
    """Frames that should have come out did not."""


def packets_per_s(endpoints: Endpoints, frames: Sequence[bytes], outputs: int) -> float:
    """Send all frames at endpoint 0, wait for all `outputs` of each, and return how many a second went in.

    Raises:
        LostError: nothing more came out before all had.
    """
    start = time.perf_counter()
    awaited = 0
    for frame in frames:
        while awaited >= WINDOW * outputs:
            awaited -= _come(endpoints, awaited)
        endpoints.send(_SOURCE, frame)
        awaited += outputs
    while awaited > 0:
        awaited -= _come(endpoints, awaited)
    return len(frames) / (time.perf_counter() - start)


def _come(endpoints: Endpoints, awaited: int) -> int:
    come = len(endpoints.received(_TIMEOUT_S))
    if come == 0:
        raise LostError(f"{awaited} frames did not come out within {_TIMEOUT_S:g} s")
    return come
