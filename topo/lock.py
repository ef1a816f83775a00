"""One owner per lab: an abstract Unix socket (unix(7)) that the kernel frees however its owner ends.

It lies in the network namespace of whoever starts labs, leaves no file behind, and tells who holds it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path


class LabIsUpError(Exception):
    """The lab is up (or on its way up or down) already."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lab's lock, and a connection that ends when the lock is freed."""

    pid: int
    connection: socket.socket

    def terminate(self) -> None:
        """Ask the holder to end; nothing happens where it was killed and only its child holds the lock."""
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            pidfd = os.pidfd_open(self.pid)
            try:
                # The number may have gone to another process by now; the descriptor keeps to one.
                if b"topo.supervisor" in Path(f"/proc/{self.pid}/cmdline").read_bytes():
                    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
            finally:
                os.close(pidfd)

    def wait(self, timeout_s: float) -> None:
        """Wait until the lock is free.

        Raises:
            TimeoutError: it is still held.
        """
        self.connection.settimeout(timeout_s)
        with contextlib.suppress(ConnectionResetError):  # the holder was killed: it never accepted us
            self.connection.recv(1)


def acquire(lab: str) -> socket.socket:
    """Take the lock of a lab; it is held for as long as the returned listening socket is open.

    Raises:
        LabIsUpError: another process holds it.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(_address(lab))
    except OSError as error:
        listener.close()
        raise LabIsUpError(f"lab {lab} is up already (`cfn lab down {lab}` takes it down)") from error
    listener.listen()
    return listener


def holder(lab: str) -> Holder | None:
    """Find out who holds the lock of a lab; the caller closes the connection."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(_address(lab))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        connection.close()
        return None
    pid, _, _ = struct.unpack("3i", credentials)
    return Holder(pid, connection)


def is_held(lab: str) -> bool:
    """Tell whether a process holds the lock of a lab."""
    found = holder(lab)
    if found is None:
        return False
    found.connection.close()
    return True


def _address(lab: str) -> str:
    return f"\0cfn-lab-{lab}"
