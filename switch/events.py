"""What packets tell (packet-ins, digests, messages), and idle entries, from a thread of its own."""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

from switch.api import Digest
from switch.encode import decode_digest
from switch.generate.shape import Shape
from switch.native import ffi

PACKET_IN, DIGEST, LOG = 1, 2, 3  # runtime/event.h
ROOM = 1 << 22
WAIT_MS = 100  # how late an idle entry may be told
MAX_IDLE = 1024

_HEADER = struct.Struct("=IIII")
_log = logging.getLogger("switch.packet")


class Events:
    """Takes messages from the device and calls whoever wants them."""

    def __init__(self, lib: Any, device: Any, shape: Shape) -> None:
        self._lib = lib
        self._device = device
        self._shape = shape
        self._room: Any = ffi.new("uint8_t[]", ROOM)
        self._watched: set[int] = set()
        self._thread: threading.Thread | None = None
        self._running = False
        self._delivering = threading.Lock()
        self.packet_in: Callable[[bytes], None] | None = None
        self.digest: Callable[[Sequence[Digest]], None] | None = None
        self.idle: Callable[[str, int], None] | None = None

    def start(self) -> None:
        """Deliver from now on."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name="switch-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more; returns when the thread is gone."""
        self._running = False
        if self._thread:
            self._lib.device_wake(self._device)
            if self._thread is not threading.current_thread():
                self._thread.join()
            self._thread = None

    def watch(self, table: int) -> None:
        """Look for idle entries of this table."""
        self._watched.add(table)

    def _run(self) -> None:
        while self._running:
            self.deliver(WAIT_MS)

    def deliver(self, timeout_ms: int) -> int:
        """Wait for messages at most this long, deliver them, and return how many there were."""
        with self._delivering:
            length = self._lib.device_events(self._device, self._room, ROOM, timeout_ms)
            data = bytes(ffi.buffer(self._room, length))
            count = self._dispatch(data)
            self._tell_idle()
        return count

    def _dispatch(self, data: bytes) -> int:
        at = count = 0
        digests: list[Digest] = []
        while at < len(data):
            kind, number, size, _ = _HEADER.unpack_from(data, at)
            body = data[at + _HEADER.size : at + _HEADER.size + size]
            at += _HEADER.size + size
            count += 1
            if kind == DIGEST:
                shape = self._shape.digests[number]
                digests.append(Digest(shape.name, decode_digest(shape, body)))
            elif kind == PACKET_IN:
                self._call(self.packet_in, body)
            elif kind == LOG:
                self._say(number, body)
        if digests:
            self._call(self.digest, digests)
        return count

    def _say(self, number: int, body: bytes) -> None:
        text, count = self._shape.messages[number]
        for i in range(count):
            value = int.from_bytes(body[16 * i : 16 * i + 16], "little", signed=True)
            text = text.replace("{}", str(value), 1)
        _log.info("%s", text)

    def _tell_idle(self) -> None:
        entries = ffi.new("uint32_t[]", MAX_IDLE)
        for table in self._watched:
            count = self._lib.device_table_expired(self._device, table, entries, MAX_IDLE)
            for i in range(count):
                self._call(self.idle, self._shape.tables[table].name, entries[i])

    def _call(self, callback: Callable[..., None] | None, *arguments: Any) -> None:
        """A listener's failure is its own: the next message is delivered all the same."""
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception:
            _log.exception("a listener failed")
