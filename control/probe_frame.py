"""Probes of links, as frames of a router (docs/wire-format.md, PROBE)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from cfn.wire import PORT, Header, Kind, Packet
from control.catalogue import Router

_UDP = 17
_TTL = 255
"""Only a neighbour's packet has it still (RFC 5082)."""


def addresses(here: Router, there: Router) -> tuple[IPv4Address | IPv6Address, ...] | None:
    """Addresses of the same family, IPv4 if both have it; None where there is none."""
    for family in ("ipv4", "ipv6"):
        pair = getattr(here, family), getattr(there, family)
        if all(pair):
            return pair
    return None


def probe_frame(here: Router, there: Router, number: int) -> bytes | None:
    """The probe of this number (32 bits) to a neighbour; None where they have no addresses of one family."""
    pair = addresses(here, there)
    if pair is None:
        return None
    source, target = pair
    body = Packet(Header(Kind.PROBE, 0, request_id=number, hops=0)).encode()
    length = 8 + len(body)
    pseudo = source.packed + target.packed + struct.pack("!IHH", length, 0, _UDP)
    ports = struct.pack("!HHH", PORT, PORT, length)
    checksum = _checksum(pseudo + ports + bytes(2) + body) or 0xFFFF
    udp = ports + struct.pack("!H", checksum) + body
    macs = bytes.fromhex((there.mac + here.mac).replace(":", ""))
    if source.version == 6:
        ip = struct.pack("!IHBB", 6 << 28, length, _UDP, _TTL) + source.packed + target.packed
        return macs + b"\x86\xdd" + ip + udp
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 0, 0, _TTL, _UDP)
    checksum = _checksum(start + bytes(2) + source.packed + target.packed)
    return macs + b"\x08\x00" + start + struct.pack("!H", checksum) + source.packed + target.packed + udp


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
