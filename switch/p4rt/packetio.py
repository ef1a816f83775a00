"""Controller headers: packet-in and packet-out metadata as the bits in front of a packet (§ 6.4.6, 16.1)."""

from __future__ import annotations

from collections.abc import Sequence

from finsy.proto import p4r

from . import values
from .errors import invalid_argument
from .p4info import Param


class ControllerHeader:
    """The header a program puts in front of packet-ins, or expects in front of packet-outs."""

    def __init__(self, name: str, fields: Sequence[Param]):
        self._name = name
        self._fields = {field.id: field for field in fields}
        self._bits = sum(field.bits for field in fields)
        self._bytes = (self._bits + 7) // 8
        self._padding = 8 * self._bytes - self._bits

    def prepend(self, message: p4r.PacketOut) -> bytes:
        """A packet-out as the pipeline gets it.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT for metadata that are not precisely P4Info's (§ 16.1).
        """
        given: dict[int, int] = {}
        for item in message.metadata:
            field = self._fields.get(item.metadata_id)
            if field is None:
                raise invalid_argument(f"{self._name} has no metadata {item.metadata_id}")
            if field.id in given:
                raise invalid_argument(f"{self._name}: {field.name} is given twice")
            try:
                given[field.id] = values.decode(item.value, field.bits)
            except ValueError as error:
                raise invalid_argument(f"{self._name}: {field.name}: {error}") from None
        header = 0
        for field in self._fields.values():
            if field.id not in given:
                raise invalid_argument(f"{self._name}: metadata {field.name} is missing")
            header = header << field.bits | given[field.id]
        return (header << self._padding).to_bytes(self._bytes) + message.payload

    def split(self, packet: bytes) -> p4r.PacketIn | None:
        """A packet-in as the client gets it, None where the packet is shorter than its header."""
        if len(packet) < self._bytes:
            return None
        message = p4r.PacketIn(payload=packet[self._bytes :])
        header = int.from_bytes(packet[: self._bytes]) >> self._padding
        left = self._bits
        for field in self._fields.values():
            left -= field.bits
            value = header >> left & ((1 << field.bits) - 1)
            message.metadata.add(metadata_id=field.id, value=values.encode(value))
        return message
