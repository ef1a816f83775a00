"""What packets tell (packet-ins, digests, messages), and idle entries, from a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from switch.api import Digest
from switch.courier import Courier, messages
from switch.encode import decode_digest, decode_message
from switch.generate.shape import Shape
from switch.native import ffi

PACKET_IN, DIGEST, LOG = 1, 2, 3  # runtime/event.h
WAIT_MS = 100  # how late an idle entry may be told
MAX_IDLE = 1024
DIGESTS_AT_ONCE = 64  # told together: who listens can make the next ones wait

_log = logging.getLogger("switch.packet")


class Events(Courier):
    """Takes messages from the device and calls whoever wants them."""

    def __init__(self, lib: Any, device: Any, shape: Shape) -> None:
        super().__init__(
            "switch-events",
            lambda room, size, timeout_ms: lib.device_events(device, room, size, timeout_ms),
            lambda: lib.device_wake(device),
            WAIT_MS,
        )
        self._lib = lib
        self._device = device
        self._shape = shape
        self._watched: set[int] = set()
        self.packet_in: Callable[[bytes], None] | None = None
        self.digest: Callable[[Sequence[Digest]], None] | None = None
        self.idle: Callable[[str, int], None] | None = None

    def watch(self, table: int) -> None:
        """Look for idle entries of this table."""
        self._watched.add(table)

    def _dispatch(self, data: bytes) -> int:
        count = 0
        digests: list[Digest] = []
        for kind, number, body in messages(data):
            count += 1
            if kind == DIGEST:
                shape = self._shape.digests[number]
                digests.append(Digest(shape.name, decode_digest(shape, body)))
                if len(digests) == DIGESTS_AT_ONCE:
                    self._call(self.digest, digests)
                    digests = []
            elif kind == PACKET_IN:
                self._call(self.packet_in, body)
            elif kind == LOG:
                self._say(number, body)
        if digests:
            self._call(self.digest, digests)
        self._tell_idle()
        return count

    def _say(self, number: int, body: bytes) -> None:
        _log.info("%s", decode_message(self._shape, number, body))

    def _tell_idle(self) -> None:
        entries = ffi.new("uint32_t[]", MAX_IDLE)
        for table in self._watched:
            count = self._lib.device_table_expired(self._device, table, entries, MAX_IDLE)
            for i in range(count):
                self._call(self.idle, self._shape.tables[table].name, entries[i])
