"""What a frame says, read from its bytes: for checks of what the router made of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.p4src import frames
from tests.p4src.frames import CFN_PORT, IPV4, IPV6, UDP
from tests.switch.harness import internet_checksum

ROUTING = 43
BASE_HEADER = 72
ETHERNET_BYTES, IPV6_BYTES = 14, 40


@dataclass(frozen=True)
class Seen:
    """The innermost IP packet of a frame; `whole_length` is that of the outermost, as its header says."""

    packet: bytes
    whole_length: int

    @property
    def is_ipv6(self) -> bool:
        return self.packet[0] >> 4 == 6

    @property
    def head(self) -> int:
        """Bytes of the IP header."""
        return IPV6_BYTES if self.is_ipv6 else (self.packet[0] & 0xF) * 4

    @property
    def length(self) -> int:
        """As the IP header says."""
        return _length(self.packet)

    @property
    def protocol(self) -> int:
        return self.packet[6] if self.is_ipv6 else self.packet[9]

    @property
    def dst(self) -> bytes:
        return self.packet[24:40] if self.is_ipv6 else self.packet[16:20]

    @property
    def is_fragment(self) -> bool:
        return not self.is_ipv6 and bool(struct.unpack("!H", self.packet[6:8])[0] & 0x3FFF)

    @property
    def data(self) -> bytes:
        """What IP carries."""
        return self.packet[self.head : self.length]

    @property
    def header(self) -> bytes:
        """The CFN base header, empty where there is no whole one."""
        if self.protocol != UDP or self.is_fragment or len(self.data) < 8 + BASE_HEADER:
            return b""
        if self.data[4:6] < struct.pack("!H", 8 + BASE_HEADER):
            return b""
        ports = struct.unpack("!HH", self.data[:4])
        return self.data[8 : 8 + BASE_HEADER] if CFN_PORT in ports else b""

    @property
    def kind(self) -> int:
        """0 where this is not CFN."""
        return self.header[0] & 0xF if self.header else 0

    @property
    def func_id(self) -> int:
        return int.from_bytes(self.header[24:32], "big")

    @property
    def demand_type(self) -> int:
        return self.header[64] >> 4

    def is_right(self) -> bool:
        """Whether the packet is whole and its checksums are right; a datagram over IPv4 may have none."""
        if self.head < 20 or not self.head <= self.length <= len(self.packet):
            return False
        if not self.is_ipv6 and internet_checksum(self.packet[: self.head]):
            return False
        if self.is_fragment:
            return True
        return self._data_is_right()

    def _data_is_right(self) -> bool:
        addresses = self.packet[8:40] if self.is_ipv6 else self.packet[12:20]
        pseudo = addresses + struct.pack("!IHBB", len(self.data), 0, 0, self.protocol)
        match self.protocol:
            case frames.UDP:
                if len(self.data) < 8 or self.data[4:6] != struct.pack("!H", len(self.data)):
                    return False
                has_none = self.data[6:8] == b"\0\0"
                return not self.is_ipv6 if has_none else not internet_checksum(pseudo + self.data)
            case frames.ICMPV6 if self.is_ipv6:
                return not internet_checksum(pseudo + self.data)
            case frames.ICMP if not self.is_ipv6:
                return not internet_checksum(self.data)
            case _:
                return True


def seen(frame: bytes) -> Seen | None:
    """What is in a frame; None where that is no IP packet with a whole header."""
    kind, packet = frame[12:ETHERNET_BYTES], frame[ETHERNET_BYTES:]
    if kind == struct.pack("!H", IPV4) and _starts(packet, 4):
        return Seen(packet, _length(packet))
    if kind != struct.pack("!H", IPV6) or not _starts(packet, 6):
        return None
    whole = _length(packet)
    if packet[6] == ROUTING and len(packet) > IPV6_BYTES + 1:
        inner = packet[IPV6_BYTES + 8 + 8 * packet[IPV6_BYTES + 1] :]
        if _starts(inner, 4) or _starts(inner, 6):
            packet = inner
    return Seen(packet, whole)


def _starts(packet: bytes, version: int) -> bool:
    return len(packet) >= {4: 20, 6: IPV6_BYTES}[version] and packet[0] >> 4 == version


def _length(packet: bytes) -> int:
    if packet[0] >> 4 == 6:
        return IPV6_BYTES + int(struct.unpack("!H", packet[4:6])[0])
    return int(struct.unpack("!H", packet[2:4])[0])
