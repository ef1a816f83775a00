"""Frames in plain bytes, each field free to lie, and what the router makes of them."""

from __future__ import annotations

import struct
from typing import Any

from tests.switch.harness import internet_checksum

ROUTER_MAC, CLIENT_MAC = bytes.fromhex("020000000100"), bytes.fromhex("020000000001")
CORE_MAC, NEXT_MAC = bytes.fromhex("020000000300"), bytes.fromhex("020000000301")
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, UDP, ICMPV6 = 1, 17, 58
CFN_PORT = 23793
CLIENT_4, ROUTER_4, ANYCAST_4, PASSING_4, NOWHERE_4 = (
    bytes(address)
    for address in ((10, 1, 0, 1), (10, 0, 0, 1), (10, 255, 0, 1), (10, 3, 0, 9), (10, 9, 0, 9))
)
CLIENT_6, ANYCAST_6, PASSING_6, NOWHERE_6 = (
    bytes.fromhex(address)
    for address in (
        "fd000001000000000000000000000001",
        "fd0000cf000000000000000000000001",
        "fd000003000000000000000000000009",
        "fd000009000000000000000000000009",
    )
)
REPLY_TTL = 64
NACK_WORDS, NACK_KIND = 18, 5


def ethernet(kind: int, payload: bytes, dst: bytes = ROUTER_MAC, src: bytes = CLIENT_MAC) -> bytes:
    return dst + src + struct.pack("!H", kind) + payload


def ipv4(payload: bytes, options: bytes = b"", **fields: Any) -> bytes:
    """In Ethernet; `length` and `checksum` are right unless given, `ihl` is 5 words and the options."""
    given: dict[str, Any] = {
        "version": 4,
        "ihl": 5 + len(options) // 4,
        "length": 20 + len(options) + len(payload),
        "fragment": 0,
    }
    given |= {"ttl": 64, "protocol": UDP, "src": CLIENT_4, "dst": ANYCAST_4, "checksum": None} | fields
    first = struct.pack("!BBHHHBB", given["version"] << 4 | given["ihl"], 0, given["length"], 1,
                        given["fragment"], given["ttl"], given["protocol"])  # fmt: skip
    last = given["src"] + given["dst"] + options
    sum_ = internet_checksum(first + b"\0\0" + last) if given["checksum"] is None else given["checksum"]
    return ethernet(IPV4, first + struct.pack("!H", sum_) + last + payload)


def ipv6(payload: bytes, **fields: Any) -> bytes:
    """In Ethernet; `length` is right unless given."""
    given: dict[str, Any] = {
        "version": 6,
        "length": len(payload),
        "next": UDP,
        "hops": 64,
        "src": CLIENT_6,
        "dst": ANYCAST_6,
    }
    given |= fields
    head = struct.pack("!IHBB", given["version"] << 28, given["length"], given["next"], given["hops"])
    return ethernet(IPV6, head + given["src"] + given["dst"] + payload)


def udp(payload: bytes, src: int = 40000, dst: int = CFN_PORT, length: int | None = None) -> bytes:
    """Without a checksum."""
    return struct.pack("!HHHH", src, dst, 8 + len(payload) if length is None else length, 0) + payload


def cfn(
    version: int = 1, kind: int = 1, length: int = NACK_WORDS, hops: int = 64, following: int = 0
) -> bytes:
    """A base header with a value in each field (docs/wire-format.md)."""
    first = (version << 4 | kind, 0, length, following)
    head = struct.pack("!BBBBHBBII", *first, 7, hops, 3, 0x01020304, 0x0A0B0C0D)
    return head + bytes(8) + bytes(range(8)) + b"i" * 16 + b"o" * 16 + bytes(8)


def routed(frame: bytes) -> bytes:
    """The frame at the next router: other stations, a hop less, the checksum updated (RFC 1624 § 3)."""
    packet = bytearray(NEXT_MAC + CORE_MAC + frame[12:])
    if frame[12:14] == struct.pack("!H", IPV6):
        packet[21] -= 1
        return bytes(packet)
    before, kept = packet[22], packet[23]
    packet[22] -= 1
    (old,) = struct.unpack("!H", packet[24:26])
    terms = (~old & 0xFFFF, ~(before << 8 | kept) & 0xFFFF, packet[22] << 8 | kept)
    packet[24:26] = struct.pack("!H", internet_checksum(struct.pack("!3H", *terms)))
    return bytes(packet)


def nack(frame: bytes, code: int, header: bool = True) -> bytes:
    """The answer to a frame without IP options: its own CFN header, or an empty one, with the reason."""
    is_ipv6 = frame[12:14] == struct.pack("!H", IPV6)
    udp_at = 14 + (40 if is_ipv6 else 20)
    base = bytearray(frame[udp_at + 8 : udp_at + 80] if header else bytes(72))
    base[0], base[2], base[3], base[68:72] = 1 << 4 | NACK_KIND, NACK_WORDS, 0, bytes([code, 0, 0, 0])
    ports = frame[udp_at + 2 : udp_at + 4] + frame[udp_at : udp_at + 2]
    head = bytearray(frame[14:udp_at])
    if is_ipv6:
        src, dst = bytes(head[24:40]), bytes(head[8:24])
        head[4:6], head[7], head[8:40] = struct.pack("!H", 80), REPLY_TTL, src + dst
    else:
        src, dst = bytes(head[16:20]), bytes(head[12:16])
        head[2:4], head[8], head[10:20] = struct.pack("!H", 100), REPLY_TTL, b"\0\0" + src + dst
        head[6] &= ~0x20
        head[10:12] = struct.pack("!H", internet_checksum(bytes(head)))
    datagram = ports + struct.pack("!H", 80) + b"\0\0" + bytes(base)
    total = internet_checksum(src + dst + struct.pack("!HH", UDP, 80) + datagram)
    datagram = datagram[:6] + struct.pack("!H", total or 0xFFFF) + datagram[8:]
    return ethernet(IPV6 if is_ipv6 else IPV4, bytes(head) + datagram, frame[6:12], frame[:6])
