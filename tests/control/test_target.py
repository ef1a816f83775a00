"""A session with a router: what goes by the stream goes one message at a time."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import finsy as fy

import p4src
from control.reading import Reader
from control.target import Session


class _Stream:
    """Stands where finsy's switch does, and sees whether two messages are on their way at once."""

    def __init__(self) -> None:
        self.p4info = fy.P4Schema(p4src.P4INFO)
        self.sent = 0
        self.most = 0
        self._now = 0

    async def write(self, messages: list[object]) -> None:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        self.sent += len(messages)


def test_frames_are_sent_one_after_another() -> None:
    stream = _Stream()

    async def send() -> None:
        session = Session(cast(Any, stream), Reader(stream.p4info))
        await asyncio.gather(*(session.send(port, b"frame") for port in range(1, 20)))

    asyncio.run(send())
    assert (stream.sent, stream.most) == (19, 1)
