"""Packets of the copies program: an order what to do with them, in a header of their own, and a payload."""

from __future__ import annotations

import struct

ORDER = struct.Struct("!BBBBHHI")
MULTICAST, CLONE, TO_CPU = 1, 2, 6
FORWARD = 99
"""No order: the packet leaves on port 1."""
PAYLOAD = b"payload"


def order(what: int, payload: bytes = PAYLOAD, count: int = 0) -> bytes:
    """A packet with an order; `count` is how often, where that matters."""
    return ORDER.pack(what, count, 0, 0, 0, 0, 0) + payload
