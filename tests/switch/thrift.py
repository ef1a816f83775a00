"""One remote call in Thrift's binary protocol (doc/specs/thrift-binary-protocol.md of Apache Thrift)."""

from __future__ import annotations

import socket
import struct

_VERSION, _CALL, _EXCEPTION = 0x80010000, 1, 3
_STOP, _I32, _STRING = 0, 8, 11
TIMEOUT_S = 30


class ThriftError(Exception):
    """The call failed at the far end."""


def call(port: int, method: str, *arguments: int | bytes) -> None:
    """Call a method without a result on 127.0.0.1, with 32-bit integers and strings as arguments.

    Raises:
        ThriftError: the far end raised an exception.
    """
    name = method.encode()
    message = struct.pack("!II", _VERSION | _CALL, len(name)) + name + struct.pack("!I", 0)
    for number, argument in enumerate(arguments, 1):
        if isinstance(argument, int):
            message += struct.pack("!BHi", _I32, number, argument)
        else:
            message += struct.pack("!BHI", _STRING, number, len(argument)) + argument
    message += struct.pack("!B", _STOP)
    with (
        socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection,
        connection.makefile("rb") as reply,
    ):
        connection.sendall(message)
        version, length = struct.unpack("!II", reply.read(8))
        reply.read(length + 4)
        first = reply.read(1)
    if version & 0xFF == _EXCEPTION or first != bytes([_STOP]):
        raise ThriftError(f"{method} failed")
