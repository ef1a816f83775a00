"""One client's StreamChannel: its outgoing queue and what it may say (§ 16)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from finsy.proto import p4r

from .errors import P4RuntimeError

CAPACITY = 1024
"""Packet-ins, digests and other best-effort messages waiting for a slow client; more are dropped."""

PATIENCE = 4 * CAPACITY
"""A client that lets as many messages wait has its stream ended."""


class Session:
    """A client's stream. `dropped` counts best-effort messages that found no room."""

    def __init__(self) -> None:
        self.dropped = 0
        self._outgoing: deque[p4r.StreamMessageResponse] = deque()
        self._filled = asyncio.Event()
        self._ended = False

    def send(self, message: p4r.StreamMessageResponse) -> None:
        """Queue what must arrive: arbitration."""
        if self._ended:
            return
        self._outgoing.append(message)
        self._filled.set()
        if len(self._outgoing) >= PATIENCE:
            self.end()

    def offer(self, message: p4r.StreamMessageResponse) -> None:
        """Queue what may be lost: packets, digests, notifications, errors."""
        if self.full:
            self.dropped += 1
        else:
            self.send(message)

    @property
    def full(self) -> bool:
        """Whether what may be lost would be."""
        return len(self._outgoing) >= CAPACITY

    def end(self) -> None:
        """Nothing follows what is queued."""
        self._ended = True
        self._filled.set()

    async def responses(self) -> AsyncIterator[p4r.StreamMessageResponse]:
        """What is queued, as fast as the client takes it, until the stream ends."""
        while True:
            while self._outgoing:
                yield self._outgoing.popleft()
            if self._ended:
                return
            self._filled.clear()
            await self._filled.wait()

    def refuse(self, request: p4r.StreamMessageRequest, error: P4RuntimeError) -> None:
        """Report an error of a message that is not arbitration (§ 16.6)."""
        report = p4r.StreamError(canonical_code=error.code, message=error.message)
        match request.WhichOneof("update"):
            case "packet":
                report.packet_out.packet_out.CopyFrom(request.packet)
            case "digest_ack":
                report.digest_list_ack.digest_list_ack.CopyFrom(request.digest_ack)
            case _:
                report.other.other.CopyFrom(request.other)
        self.offer(p4r.StreamMessageResponse(error=report))
