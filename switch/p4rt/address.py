"""Why a server cannot listen where it should: gRPC itself only says that it cannot."""

from __future__ import annotations

import os
import socket
import stat


def require_free(address: str) -> None:
    """Check that `host:port` or `unix:/path` can be listened on.

    Raises:
        OSError: it cannot; the message has address and reason.
    """
    try:
        if address.startswith("unix:"):
            _require_free_path(address.removeprefix("unix:").removeprefix("//"))
        else:
            _require_free_port(address)
    except OSError as error:
        raise OSError(f"cannot listen on {address}: {error.strerror or error}") from None


def _require_free_port(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 0xFFFF:
        raise OSError("it is neither host:port nor unix:/path")
    for family, kind, protocol, _, place in socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM
    ):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()


def _require_free_path(path: str) -> None:
    """GRPC takes a path over from whoever listens there: look first."""
    try:
        taken = os.stat(path)
    except FileNotFoundError:
        os.stat(os.path.dirname(path) or ".")
        return
    if not stat.S_ISSOCK(taken.st_mode):
        raise OSError("it is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return
    raise OSError("another process listens there")
