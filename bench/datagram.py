"""UDP datagrams over IPv4 as frames, made fast: scapy would take most of a benchmark's time for one each."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

_HEADERS = struct.Struct("!6s6sHBBHHHBBHIIHHHH")
_IPV4, _UDP = 20, 8
_ETHERTYPE, _VERSION_IHL, _DONT_FRAGMENT, _TTL, _PROTO_UDP = 0x0800, 0x45, 0x4000, 64, 17


def frame(
    macs: tuple[str, str], addresses: tuple[IPv4Address, IPv4Address], ports: tuple[int, int], data: bytes
) -> bytes:
    """Return the frame of a datagram; of each pair the first is the source."""
    source, destination = (bytes.fromhex(mac.replace(":", "")) for mac in macs)
    src, dst = (int(address) for address in addresses)
    length = _UDP + len(data)
    header = (_VERSION_IHL, 0, _IPV4 + length, 0, _DONT_FRAGMENT, _TTL, _PROTO_UDP, 0, src, dst)
    sums = _checksum(struct.pack("!BBHHHBBHII", *header))
    pseudo = struct.pack("!IIHHHHHH", src, dst, _PROTO_UDP, length, *ports, length, 0)
    headers = _HEADERS.pack(
        destination, source, _ETHERTYPE,
        _VERSION_IHL, 0, _IPV4 + length, 0, _DONT_FRAGMENT, _TTL, _PROTO_UDP, sums, src, dst,
        *ports, length, _checksum(pseudo + data) or 0xFFFF,
    )  # fmt: skip
    return headers + data


def _checksum(data: bytes) -> int:
    """The ones' complement of the ones' complement sum (RFC 1071), by casting out 65535s."""
    return -int.from_bytes(data + b"\0" * (len(data) % 2)) % 0xFFFF
