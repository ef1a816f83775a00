"""Messages that packets leave in a queue of the device (runtime/event.h), and how they are delivered."""

from __future__ import annotations

import logging
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from switch.native import ffi

ROOM = 1 << 22

T = TypeVar("T")

_HEADER = struct.Struct("=IIII")
_log = logging.getLogger("switch.packet")

Take = Callable[[Any, int, int], int]
"""Fill a buffer of so many bytes with whole messages, waiting so many ms for one; returns their size."""


class Courier(ABC):
    """Takes the messages of one queue and delivers them, in their order."""

    def __init__(self, name: str, take: Take, wake: Callable[[], None], wait_ms: int) -> None:
        self._name = name
        self._take = take
        self._wake = wake
        self._wait_ms = wait_ms
        self._room: Any = ffi.new("uint8_t[]", ROOM)
        self._thread: threading.Thread | None = None
        self._running = False
        self._delivering = threading.Lock()

    def start(self) -> None:
        """Deliver from now on."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """Deliver no more, and leave what is there; returns when the thread is gone."""
        self._running = False
        if self._thread:
            self._wake()
            if self._thread is not threading.current_thread():
                self._thread.join()
            self._thread = None

    def stop(self) -> None:
        """Deliver what is there and then no more; returns when the thread is gone."""
        self.halt()
        while self.deliver(0):
            pass

    def deliver(self, timeout_ms: int) -> int:
        """Wait for messages at most this long, deliver them, and return how many there were."""
        with self._delivering:
            length = self._take(self._room, ROOM, timeout_ms)
            return self._dispatch(bytes(ffi.buffer(self._room, length)))

    def _run(self) -> None:
        while self._running:
            self.deliver(self._wait_ms)

    @abstractmethod
    def _dispatch(self, data: bytes) -> int:
        """Deliver these messages and return how many they are."""

    def _call(self, callback: Callable[..., T] | None, *arguments: Any) -> T | None:
        """A listener's failure is its own: the next message is delivered all the same."""
        if callback is None:
            return None
        try:
            return callback(*arguments)
        except Exception:
            _log.exception("a listener failed")
            return None


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, number and body of each message."""
    at = 0
    while at < len(data):
        kind, number, size, _ = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        yield kind, number, data[at : at + size]
        at += size
