"""Packets that the tests send, what should become of them, and how a difference is told.

Builders leave checksums and lengths to scapy, so that what is expected of a rewrite is computed from the
whole packet while the router works from differences. A packet can be built damaged by giving the wrong
number.
"""

from __future__ import annotations

import difflib
import random

from scapy.layers.inet import UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet
from scapy.utils import hexdump

from cfn.scapy_layer import CFN, CFNExtension
from cfn.wire import PORT, Kind, NackCode
from ptf_tests.network import (
    CLIENT_MAC,
    DETECT,
    HOME,
    NEAR_MAC,
    ROUTER_MAC,
    TENANT,
    TO_CLIENT,
    TO_CORE,
    TO_NEAR,
    V4,
    Family,
    Home,
    Member,
    NextHop,
)

REPLY_TTL = 64
INPUT = b"an input of odd length."
CLIENT_UDP_PORT = 40000
BROADCAST = "ff:ff:ff:ff:ff:ff"
LINK_LOCAL = "fe80::1:1"
SOLICITED = "ff02::1:ff00:0"


def request(
    family: Family,
    payload: bytes | Packet = INPUT,
    *,
    src: str | None = None,
    dst: str | None = None,
    ttl: int = 64,
    sport: int = CLIENT_UDP_PORT,
    **fields: object,
) -> Packet:
    """A client's request to the anycast address; a packet as payload starts with extensions."""
    header = {"func_id": DETECT, "tenant": TENANT, "request_id": 0x01020304} | fields
    header = {"data_in": b"input ----------", "data_out": b"output----------", "priority": 3} | header
    frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(
        src or family.client, dst or family.anycast, ttl
    )
    return frame / UDP(sport=sport, dport=PORT) / CFN(**header) / payload


def flows(family: Family, count: int, dst: str | None = None) -> list[bytes]:
    """Requests that differ in the client's port alone, and have no UDP checksum.

    Patched rather than built, which would take most of the test's time.
    """
    template = request(family, b"", dst=dst)
    template[UDP].chksum = 0
    start = len(template) - len(template[UDP])
    frame = bytes(template)
    ports = random.Random(PORT).sample(range(1024, 65536), count)
    return [frame[:start] + port.to_bytes(2, "big") + frame[start + 2 :] for port in ports]


def who_has(target: str, **fields: object) -> Packet:
    """A client's ARP request."""
    asked = {
        "op": 1,
        "hwsrc": CLIENT_MAC,
        "psrc": V4.client,
        "hwdst": "00:00:00:00:00:00",
        "pdst": target,
    } | fields
    return Ether(src=CLIENT_MAC, dst=BROADCAST) / ARP(**asked)


def solicit(target: str, src: str = LINK_LOCAL, dst: str = SOLICITED, hlim: int = 255) -> Packet:
    """A client's neighbour solicitation, with its link-layer address."""
    frame = Ether(src=CLIENT_MAC, dst="33:33:ff:00:00:00") / IPv6(src=src, dst=dst, hlim=hlim)
    return frame / ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=CLIENT_MAC)


def response(
    family: Family,
    member: Member,
    payload: bytes | Packet = INPUT,
    *,
    src: str | None = None,
    **fields: object,
) -> Packet:
    """An instance's response to the client, as its host sends it, or as its site's router does."""
    header = {"func_id": DETECT, "tenant": TENANT, "request_id": 0x01020304, "kind": Kind.RESPONSE} | fields
    frame = Ether(src=NEAR_MAC, dst=ROUTER_MAC) / family.ip(src or member.address(family), family.client)
    return frame / UDP(sport=PORT, dport=CLIENT_UDP_PORT) / CFN(**header) / payload


def extension(body: bytes, following: int = 0) -> Packet:
    """An extension of any type, with the type of the one that follows it."""
    return CFNExtension(next=following, body=body)


def auth(following: int = 0) -> Packet:
    """An AUTH of the right length."""
    return extension(bytes(range(14)), following)


def chain(*functions: int, done: int = 0, following: int = 0) -> Packet:
    """A CHAIN with these functions left, each with a DataOut of its own."""
    left = b"".join(function.to_bytes(8) + data_out(function) for function in functions)
    return extension(bytes([done, len(functions)]) + left, following)


def data_out(function: int) -> bytes:
    """The DataOut that the chains of the tests have for a function."""
    return function.to_bytes(8) + b"-out----"


def trace(records: int, following: int = 0) -> Packet:
    """A TRACE with records of other routers."""
    return extension(b"\0\0" + b"\xa5" * 16 * records, following)


def forwarded(packet: Packet, next_hop: NextHop) -> Packet:
    """The packet one hop further."""
    out = packet.copy()
    out[Ether].src, out[Ether].dst = ROUTER_MAC, next_hop.mac
    ip = out[Ether].payload
    field = "ttl" if ip.version == 4 else "hlim"
    setattr(ip, field, getattr(ip, field) - 1)
    return out


def bound(
    packet: Packet, family: Family, member: Member, affinity: int, next_hop: NextHop = TO_NEAR
) -> Packet:
    """The request on its way to a member; a timestamp of None stands for the one that the router gave."""
    out = forwarded(packet, next_hop)
    out[family.header].dst = member.address(family)
    out[CFN].hops -= 1
    out[CFN].timestamp = None
    out[CFN].affinity = affinity
    return out


def restored(packet: Packet, family: Family) -> Packet:
    """The response on its way to the client, under the anycast address."""
    out = forwarded(packet, TO_CLIENT)
    out[family.header].src = family.anycast
    return out


def relayed(packet: Packet, family: Family, home: Home = HOME, next_hop: NextHop = TO_CORE) -> Packet:
    """The response on its way to the client's router, under its site's address."""
    out = forwarded(packet, next_hop)
    out[family.header].src = home.address(family)
    return out


def nack(packet: Packet, family: Family, code: NackCode, retry_after_ms: int = 0, detail: int = 0) -> Packet:
    """The refusal of a request: its base header, turned around, from the anycast address."""
    out = packet.copy()
    ip, udp, header = out[family.header], out[UDP], out[CFN] if CFN in out else CFN(hops=0)
    out[Ether].src, out[Ether].dst = out[Ether].dst, out[Ether].src
    ip.src, ip.dst = family.anycast, ip.src
    setattr(ip, family.ttl, REPLY_TTL)
    udp.sport, udp.dport = udp.dport, udp.sport
    header.remove_payload()
    header.version, header.kind, header.length, header.next = 1, Kind.NACK, None, 0
    header.report_status, header.report_load, header.report_queue = code, detail, retry_after_ms
    for layer, names in ((ip, ("len", "plen", "chksum")), (udp, ("len", "chksum"))):
        for name in names:
            if name in layer.default_fields:
                setattr(layer, name, None)
    udp.remove_payload()
    return out / header


def with_timestamp(expected: Packet, received: bytes) -> Packet:
    """The expected packet with the router's timestamp where any will do."""
    if CFN not in expected or expected[CFN].timestamp is not None:
        return expected
    found = Ether(received)
    expected = expected.copy()
    expected[CFN].timestamp = found[CFN].timestamp if CFN in found else 0
    return expected


def difference(expected: Packet, received: bytes) -> str:
    """Both packets field by field and byte by byte, as a diff."""
    wanted = Ether(bytes(expected))
    texts = []
    for frame in (wanted, Ether(received)):
        dump = hexdump(frame, dump=True)
        texts.append(f"{frame.show(dump=True)}\n{dump}".splitlines())
    return "\n".join(difflib.unified_diff(*texts, "expected", "received", n=2, lineterm=""))


def residuals(frame: bytes) -> dict[str, int]:
    """What a receiver's sums come to: 0 where the checksum holds, else by how much it is off (RFC 1071).

    Summed from the bytes alone. `udp` is left out where an IPv4 packet carries none (checksum 0).
    """
    packet = frame[14:]
    found: dict[str, int] = {}
    if packet[0] >> 4 == 4:
        length = (packet[0] & 0xF) * 4
        found["ipv4"] = _folded(packet[:length])
        protocol, addresses = packet[9], packet[12:20]
        data = packet[length : int.from_bytes(packet[2:4], "big")]
    else:
        protocol, addresses = packet[6], packet[8:40]
        data = packet[40 : 40 + int.from_bytes(packet[4:6], "big")]
    pseudo = addresses + len(data).to_bytes(4, "big") + protocol.to_bytes(4, "big")
    if protocol == 17 and not (packet[0] >> 4 == 4 and data[6:8] == b"\0\0"):
        found["udp"] = _folded(pseudo + data)
    elif protocol == 58:
        found["icmpv6"] = _folded(pseudo + data)
    return found


def _folded(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    return sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)) % 0xFFFF
