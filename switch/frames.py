"""What ports without an interface send, from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from switch.courier import Courier, messages

WAIT_MS = 60_000  # the queue wakes its reader: this only bounds one wait


class Frames(Courier):
    """Gives each frame, with its port, to whoever takes them; counts those that nobody took as dropped."""

    def __init__(self, lib: Any, device: Any) -> None:
        super().__init__(
            "switch-frames",
            lambda room, size, timeout_ms: lib.device_frames(device, room, size, timeout_ms),
            lambda: lib.device_frames_wake(device),
            WAIT_MS,
        )
        self._lib = lib
        self._device = device
        self.frame: Callable[[int, bytes], bool] | None = None

    def _dispatch(self, data: bytes) -> int:
        count = 0
        for _, port, frame in messages(data):
            if not self._call(self.frame, port, frame):
                self._lib.device_port_undelivered(self._device, port, len(frame))
            count += 1
        return count
