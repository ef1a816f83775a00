"""Listening at a unix socket."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def listening(path: Path, kind: socket.SocketKind) -> Generator[socket.socket]:
    """A socket bound to the path, which does not block; the path goes when the block ends.

    Raises:
        OSError: can't listen there, for instance because another process does; says why.
    """
    inbox = socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK)
    try:
        # The socket file of a process that was killed is still there; that of one that lives answers.
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, kind) as probe:
                try:
                    probe.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink()
        try:
            inbox.bind(str(path))
        except OSError as error:
            raise OSError(error.errno, f"cannot listen at {path}: {error.strerror}") from None
        try:
            yield inbox
        finally:
            path.unlink(missing_ok=True)
    finally:
        inbox.close()
