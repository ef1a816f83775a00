"""Hands what other threads bring to the event loop, a little at a time, so that a flood starves nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")

CAPACITY = 1024
"""Items waiting for the loop; whoever brings more has to wait."""

PER_TURN = 32
"""Items taken in one turn of the loop."""

PAUSE_S = 0.001
"""What the loop has for its clients between two turns while items wait; 32,000 items/s come through."""

PATIENCE_S = 0.1
"""How long a thread waits for room before its item is dropped."""


class Mailbox(Generic[T]):
    """A bounded queue from any thread into the loop. `dropped` counts what found no room."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[T], None]):
        self.dropped = 0
        self._loop = loop
        self._take = take
        self._items: deque[T] = deque()
        self._room = Condition()
        self._awake = False
        self._closed = False

    def put(self, item: T) -> None:
        """Bring an item, from a thread that is not the loop's; waits for room for a while."""
        with self._room:
            if len(self._items) >= CAPACITY:
                self._room.wait_for(lambda: len(self._items) < CAPACITY or self._closed, PATIENCE_S)
            if self._closed or len(self._items) >= CAPACITY:
                self.dropped += 1
                return
            self._items.append(item)
            if self._awake:
                return
            self._awake = True
        try:
            self._loop.call_soon_threadsafe(self._turn)
        except RuntimeError:  # the loop has ended: nobody is left to take anything
            self.close()

    def close(self) -> None:
        """Take nothing more; whoever waits goes on at once."""
        with self._room:
            self._closed = True
            self._items.clear()
            self._room.notify_all()

    def _turn(self) -> None:
        with self._room:
            taken = [self._items.popleft() for _ in range(min(PER_TURN, len(self._items)))]
            self._awake = bool(self._items)
            if self._awake:
                self._loop.call_later(PAUSE_S, self._turn)
            self._room.notify_all()
        for item in taken:
            self._take(item)
