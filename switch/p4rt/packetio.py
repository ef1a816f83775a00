"""Controller headers: packet-in and packet-out metadata as the bits in front of a packet (§ 6.4.6, 16.1)."""

from __future__ import annotations

from collections.abc import Sequence

from finsy.proto import p4r

from .errors import invalid_argument
from .fields import Param


class ControllerHeader:
    """The header a program puts in front of packet-ins, or expects in front of packet-outs."""

    def __init__(self, name: str, fields: Sequence[Param]):
        self._name = name
        """`fields` are all that are in the packet; those with id 0 clients do not see."""
        self._layout = tuple(fields)
        self._fields = {field.id: field for field in fields if field.id}
        self._bits = sum(field.wire.bits for field in fields)
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
                given[field.id] = field.wire.decode(item.value)
            except ValueError as error:
                raise invalid_argument(f"{self._name}: {field.name}: {error}") from None
        header = 0
        for field in self._layout:
            if field.id and field.id not in given:
                raise invalid_argument(f"{self._name}: metadata {field.name} is missing")
            header = header << field.wire.bits | given.get(field.id, 0)
        return (header << self._padding).to_bytes(self._bytes) + message.payload

    def split(self, packet: bytes) -> p4r.PacketIn | None:
        """A packet-in as the client gets it, None where the packet is shorter than its header."""
        if len(packet) < self._bytes:
            return None
        message = p4r.PacketIn(payload=packet[self._bytes :])
        header = int.from_bytes(packet[: self._bytes]) >> self._padding
        left = self._bits
        for field in self._layout:
            left -= field.wire.bits
            value = header >> left & ((1 << field.wire.bits) - 1)
            if field.id:
                message.metadata.add(metadata_id=field.id, value=field.wire.encode(value))
        return message
