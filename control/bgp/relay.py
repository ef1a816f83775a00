"""What exabgp starts to talk to: carries lines between it and the controller that started it.

`python relay.py SOCKET` connects to the controller's Unix socket, since exabgp only talks to what it starts.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
from collections.abc import Callable

_CHUNK = 1 << 16


def main(path: str) -> None:
    """Carry lines until either side is gone."""
    with socket.socket(socket.AF_UNIX) as controller, contextlib.suppress(OSError):
        controller.connect(path)
        _carry(controller)


def _carry(controller: socket.socket) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(sys.stdin.fileno(), selectors.EVENT_READ, controller.sendall)
        ready.register(controller, selectors.EVENT_READ, _to_speaker)
        while True:
            for key, _ in ready.select():
                data = os.read(key.fd, _CHUNK)
                if not data:
                    return
                send: Callable[[bytes], None] = key.data
                send(data)


def _to_speaker(data: bytes) -> None:
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]


if __name__ == "__main__":
    main(sys.argv[1])
