"""Raw sockets on interfaces of several namespaces: frames out and in, as a loop asks for them."""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bench.lane import raw

_FRAME_BYTES = 2048
_ROOM_BYTES = 1 << 22
_SO_RCVBUFFORCE = 33


class Endpoints:
    """Sockets by their number, from 0, in the order of their (namespace, interface)."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        self._sockets: list[socket.socket] = []
        self._places = places

    def __enter__(self) -> Self:
        self._poll = select.poll()
        self._numbers: dict[int, int] = {}
        try:
            for number, place in enumerate(self._places):
                self._sockets.append(opened := raw(*place))
                opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM_BYTES)
                opened.setblocking(False)
                self._poll.register(opened, select.POLLIN)
                self._numbers[opened.fileno()] = number
        except OSError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, number: int, frame: bytes) -> None:
        """Send a frame at an endpoint."""
        self._sockets[number].send(frame)

    def received(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """Return the frames that have come, each with the number of its endpoint; none after the timeout."""
        found: list[tuple[int, bytes]] = []
        for descriptor, _ in self._poll.poll(1000 * timeout_s):
            number = self._numbers[descriptor]
            try:
                while True:
                    found.append((number, self._sockets[number].recv(_FRAME_BYTES)))
            except BlockingIOError:
                pass
        return found

    def _close(self) -> None:
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()
