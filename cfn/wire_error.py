"""The error that encoding and decoding raise."""

from __future__ import annotations


class WireError(ValueError):
    """Bytes that are no CFN packet, or a value that does not fit its field.

    Attributes:
        field: name of the field, as in docs/wire-format.md.
        offset: byte offset of that field in the CFN datagram.
        reason: what is wrong with it.
    """

    def __init__(self, field: str, offset: int, reason: str) -> None:
        super().__init__(f"{field} (offset {offset}): {reason}")
        self.field = field
        self.offset = offset
        self.reason = reason
