"""Frames of every kind that the router knows, right and wrong, drawn from a source of chance.

Most are right but for one thing or none, so that they get deep. Addresses and names are of `full_router`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from cfn.auth import authenticate
from cfn.cookie import seal
from cfn.wire import Demand, Header, Kind, Packet, Report
from tests.p4src import full_router as router
from tests.p4src.frames import (
    ARP,
    CFN_PORT,
    CLIENT_4,
    CLIENT_6,
    CLIENT_MAC,
    ICMP,
    ICMPV6,
    IPV4,
    IPV6,
    NOWHERE_4,
    NOWHERE_6,
    PASSING_4,
    PASSING_6,
    ROUTER_MAC,
    UDP,
    ethernet,
)
from tests.switch.compare import Case
from tests.switch.harness import internet_checksum

T = TypeVar("T")

CLIENT, PASSING, NOWHERE = (CLIENT_4, CLIENT_6), (PASSING_4, PASSING_6), (NOWHERE_4, NOWHERE_6)
NARROW = router.pair("10.5.0.9", "fd00:5::9")
LIMITED_BROADCAST = (b"\xff" * 4, b"\xff\x02" + bytes(13) + b"\1")
ADDRESSES = (router.ANYCAST, router.HOME_ADDRESS, router.ROUTER, CLIENT, PASSING, NARROW, NOWHERE,
             LIMITED_BROADCAST, *(place.address for place in (*router.INSTANCES, *router.SITES)))  # fmt: skip
FUNCTIONS = (*(service.high << 32 for service in router.SERVICES), router.IDLE << 32, router.UNKNOWN << 32)
TENANTS = (router.MEMBER,) * 4 + (router.SIGNER,) * 2 + (router.LIMITED, router.LOWERED, router.STRANGER)
IP_IN_IP, IPV6_IN_IP, ROUTING, TCP = 4, 41, 43, 6
SEGMENT_ROUTING = 4
NOT_A_KIND = (0, 6, 15)
ODD_IP = ("version", "length", "fragment", "options", "checksum", "ttl", "multicast")
Ends = tuple[bytes, bytes]
"""Source and destination."""


class RandomFrames:
    """Draws frames that come in on one port."""

    def __init__(self, chance: Random, port: int) -> None:
        self.chance = chance
        self.port = port

    def frame(self) -> bytes:
        """One frame; from the controller with the header that says where it is to go."""
        make = self._one((self._cfn,) * 12 + (self._icmp, self._other, self._neighbour, self._segments))
        frame = bytearray(make())
        if self._rarely(16):
            frame[: len(ROUTER_MAC)] = self._one((b"\xff" * 6, CLIENT_MAC))
        if self._rarely(16):
            del frame[self.chance.randrange(len(frame)) :]
        if self._rarely(24) and frame:
            frame[self.chance.randrange(len(frame))] ^= 1 << self.chance.randrange(8)
        if self._rarely(24):
            frame += self._bytes(46)
        if self.port == router.CONTROLLER:
            return struct.pack("!H", self._one((*router.MTUS, 100)) << 7) + bytes(frame)
        return bytes(frame)

    def _one(self, options: Sequence[T]) -> T:
        return options[self.chance.randrange(len(options))]

    def _rarely(self, among: int) -> bool:
        return self.chance.randrange(among) == 1

    def _bytes(self, most: int) -> bytes:
        return bytes(self.chance.getrandbits(8) for _ in range(self.chance.randrange(most + 1)))

    def _payload(self) -> bytes:
        return b"\xa5" * self._one((0, 1, 23, 24, 100, 168, 192, 256, 1300, 1400))

    # What IP carries, and IP.

    def _ip(self, family: int, protocol: int, data: bytes, ends: Ends, ttl: int) -> bytes:
        """An IP packet; in one of 8 something about its header is wrong or unusual."""
        src, dst = ends
        odd = self._one(ODD_IP) if self._rarely(8) else ""
        if odd == "ttl":
            ttl = self._one((0, 1, 2, 255))
        elif odd == "multicast":
            src = LIMITED_BROADCAST[family]
        length = len(data) + (0 if family else 20)
        if odd == "length":
            length = self._one((0, 19, 20, 27, 28, length - 1, length + 1, 0xFFFF))
        version = self._one((0, 4, 5, 6)) if odd == "version" else (4, 6)[family]
        if family:
            if odd == "options":
                data, protocol = bytes([protocol, 0, 1, 4, 0, 0, 0, 0]) + data, self._one((0, 60, 43, 44))
                length += 8
            head = struct.pack("!IHBB", version << 28 | 0x300000, max(length, 0), protocol, ttl)
            return head + src + dst + data
        options = b"\1\1\1\0" * self.chance.randrange(1, 11) if odd == "options" else b""
        fragment = self._one((0x2000, 0x2001, 1, 0x4000, 0x8000)) if odd == "fragment" else 0
        ihl = 5 + len(options) // 4
        if odd == "version" and self._rarely(2):
            ihl = self.chance.randrange(16)
        first = struct.pack(
            "!BBHHHBB", version << 4 | ihl, 3, length + len(options), 1, fragment, ttl, protocol
        )
        sum_ = internet_checksum(first + b"\0\0" + src + dst + options) ^ (odd == "checksum")
        return first + struct.pack("!H", sum_) + src + dst + options + data

    def _framed(self, family: int, packet: bytes) -> bytes:
        return ethernet((IPV4, IPV6)[family], packet)

    def _udp(self, src: bytes, dst: bytes, ports: tuple[int, int], data: bytes) -> bytes:
        """A datagram; in one of 16 its checksum or length is wrong, or it has no checksum."""
        odd = self._one(("none", "checksum", "length")) if self._rarely(16) else ""
        length = 8 + len(data)
        sent = self._one((0, 7, 8, 79, 80, length - 1, length + 1, 0xFFFF)) if odd == "length" else length
        datagram = struct.pack("!HHHH", *ports, sent, 0) + data
        pseudo = src + dst + struct.pack("!HH", UDP, sent)
        sum_ = internet_checksum(pseudo + datagram) or 0xFFFF
        sum_ = {"none": 0, "checksum": sum_ ^ 0x100}.get(odd, sum_)
        return datagram[:6] + struct.pack("!H", sum_) + data

    # CFN.

    def _cfn(self) -> bytes:
        kind = self._one((Kind.REQUEST,) * 9 + (Kind.RESPONSE,) * 4 + (Kind.NACK, Kind.PREFETCH, Kind.PROBE))
        family, place = self.chance.randrange(2), self._one((*router.INSTANCES, *router.SITES))
        src, dst, ports, ttl = CLIENT, router.ANYCAST, (40000 + self.chance.randrange(9), CFN_PORT), 64
        if kind == Kind.REQUEST and self.port in router.CORE_PORTS and not self._rarely(3):
            dst = router.HOME_ADDRESS
        elif kind in {Kind.RESPONSE, Kind.NACK}:
            src, dst = place.address, self._one((CLIENT, CLIENT, PASSING, NARROW))
            ports = (ports[1], ports[0])
            if self._rarely(8):
                dst, ports = router.ANYCAST, (CFN_PORT, CFN_PORT)
        elif kind == Kind.PREFETCH:
            dst = self._one(tuple(router.AGENTS.values()))
        elif kind == Kind.PROBE:
            src, dst, ports, ttl = PASSING, router.ROUTER, (CFN_PORT, CFN_PORT), 255
        if self._rarely(12):
            dst = self._one(ADDRESSES)
        if self._rarely(12):
            src = self._one((*ADDRESSES, CLIENT))
        if self._rarely(24):
            ports = self._one(((CFN_PORT, CFN_PORT), (53, 53), (CFN_PORT, 9), (9, CFN_PORT)))
        data = self._message(kind, place)
        datagram = self._udp(src[family], dst[family], ports, data)
        return self._framed(family, self._ip(family, UDP, datagram, (src[family], dst[family]), ttl))

    def _header(self, kind: Kind, place: router.Place) -> Header:
        tenant, func_id = self._one(TENANTS), self._one(FUNCTIONS) | self.chance.randrange(3)
        answers = kind in {Kind.RESPONSE, Kind.NACK}
        affinity = self._affinity(place, func_id, tenant) if answers or self._rarely(2) else 0
        kinds = (0, 0, 0, 1, 4, router.TYPE_FAR, router.TYPE_NONE)
        return Header(
            kind=kind,
            func_id=func_id,
            tenant=tenant,
            request_id=self.chance.randrange(1 << 32),
            hops=self._one((64,) * 8 + (255, 1, 0)),
            priority=self._one((0, 3)),
            timestamp=self._one((0, 0x0A0B0C0D)),
            affinity=affinity,
            data_in=self._one((bytes(16), bytes(16), b"?" * 16, router.COMPUTED, *router.INPUTS.values())),
            data_out=b"o" * 16 if kind != Kind.PROBE else bytes(16),
            demand=Demand(self._one(kinds), 0, 0, 0),
            report=self._report() if answers else Report(self._one((0, 1, 2)) if kind == Kind.PROBE else 0),
        )

    def _report(self) -> Report:
        return Report(self._one((0, 0, 0, 1, 9)), self._one((0, 100, 200, 255)), self._one((0, 1, 7, 0xFFFF)))

    def _affinity(self, place: router.Place, func_id: int, tenant: int) -> int:
        """A cookie: true mostly, else forged, of a key that is gone, or of nobody."""
        what = self._one(("true",) * 5 + ("forged", "expired", "dead", "dead site"))
        if what == "expired":
            return router.EXPIRED_EPOCH << 62 | self.chance.randrange(1 << 62)
        epoch = self._one(tuple(router.COOKIE_KEYS))
        site, instance = place.site, place.instance
        if what == "dead":
            instance = 99
        elif what == "dead site":
            site = 9
        key = router.COOKIE_KEYS[epoch]
        true = seal(key, epoch=epoch, site=site, instance=instance, func_id=func_id, tenant=tenant)
        return true ^ (what == "forged")

    def _message(self, kind: Kind, place: router.Place) -> bytes:
        header = self._header(kind, place)
        base = bytearray(Packet(header).encode())
        bodies: list[tuple[int, bytes]] = []
        if (header.tenant == router.SIGNER and kind == Kind.REQUEST and not self._rarely(8)) or self._rarely(
            24
        ):
            bodies.append((2, self._auth(header)))
        if kind != Kind.PROBE and self._rarely(3):
            bodies.append((1, self._chain()))
        if self._rarely(3):
            records = self._one((0, 1, 2, 7))
            bodies.append((3, bytes([self._one((0, 254, 255)), 0]) + b"\xa5" * 16 * records))
        if self._rarely(8):
            bodies.append((self._one((4, 99, 255)), bytes(2 + 4 * self.chance.randrange(4))))
        if self._rarely(8):
            self.chance.shuffle(bodies)
        if self._rarely(24) and bodies:
            bodies.append(bodies[0])
        base[3] = bodies[0][0] if bodies else 0
        body = b""
        for at, (_, inside) in enumerate(bodies):
            following = bodies[at + 1][0] if at + 1 < len(bodies) else 0
            length = (2 + len(inside)) // 4
            if self._rarely(24):
                length = self._one((0, 1, length - 1, length + 1, 255)) & 0xFF
            body += bytes([following, length]) + inside
        base[2] += len(body) // 4
        if self._rarely(24):
            base[2] = self._one((0, 17, 18, base[2] - 1, base[2] + 1, 255))
        if self._rarely(32):
            base[0] = self._one((0x20 | kind, *(0x10 | other for other in NOT_A_KIND)))
        return bytes(base) + body + (b"" if kind == Kind.PROBE else self._payload())

    def _auth(self, header: Header) -> bytes:
        """True mostly; sequences are few, so that some come again."""
        made = authenticate(router.TENANT_KEY, header, self._one((0, 3, 255)), self.chance.randrange(1, 99))
        tag = made.tag ^ self._rarely(8)
        return struct.pack("!HIQ", made.sender | self._rarely(24) << 8, made.sequence, tag)

    def _chain(self) -> bytes:
        left = self._one((0, 1, 1, 1, 2, 8))
        functions = b"".join(self._one(FUNCTIONS).to_bytes(8) + b"c" * 16 for _ in range(left))
        if self._rarely(24):
            left = self._one((0, left + 1, 9, 255))
        return bytes([self._one((0, 1, 255)), left]) + functions

    # All else.

    def _icmp(self) -> bytes:
        family = self.chance.randrange(2)
        kind = self._one(((8, 0, 3, 11), (128, 129, 1, 135))[family])
        src, dst = CLIENT[family], self._one(ADDRESSES)[family]
        message = struct.pack("!BBHI", kind, self._one((0, 0, 0, 1)), 0, 0x00010002) + self._payload()
        pseudo = src + dst + struct.pack("!IHH", len(message), 0, ICMPV6) if family else b""
        if len(pseudo + message) % 2:
            message += b"\0"
            pseudo = src + dst + struct.pack("!IHH", len(message), 0, ICMPV6) if family else b""
        message = message[:2] + struct.pack("!H", internet_checksum(pseudo + message)) + message[4:]
        packet = self._ip(family, ICMPV6 if family else ICMP, message, (src, dst), self._one((64, 255, 1)))
        return self._framed(family, packet)

    def _other(self) -> bytes:
        family, ports = self.chance.randrange(2), (self._one((53, 40000)), 53)
        src, dst = self._one((CLIENT, PASSING))[family], self._one(ADDRESSES)[family]
        protocol = self._one((UDP, UDP, TCP, 0, 59, 255, ROUTING))
        data = self._udp(src, dst, ports, self._payload()) if protocol == UDP else self._bytes(40)
        ttl = self._one((64, 64, 2, 1, 0))
        return self._framed(family, self._ip(family, protocol, data, (src, dst), ttl))

    def _neighbour(self) -> bytes:
        target = self._one((router.ROUTER, router.ROUTER, CLIENT))
        if self._rarely(2):
            operation, hardware = self._one((1, 1, 1, 2)), self._one((1, 1, 1, 6))
            head = struct.pack("!HHBBH", hardware, IPV4, 6, 4, operation)
            return ethernet(ARP, head + CLIENT_MAC + CLIENT_4 + bytes(6) + target[0])
        body = bytes(4) + target[1] + bytes([1, 1]) + CLIENT_MAC
        pseudo = CLIENT_6 + target[1] + struct.pack("!IHH", 32, 0, ICMPV6)
        sum_ = internet_checksum(pseudo + b"\x87\0\0\0" + body)
        message = b"\x87\0" + struct.pack("!H", sum_) + body
        return self._framed(1, self._ip(1, ICMPV6, message, (CLIENT_6, target[1]), self._one((255, 255, 64))))

    def _segments(self) -> bytes:
        """Another frame inside, with a list of segments of which one is the router's."""
        inner = self._cfn()[14:]
        listed = [router.SEGMENTS[1]] * self._one((1, 2, 3))
        left = self._one((0, 0, 0, 1, 2, 3))
        listed[min(left, len(listed) - 1)] = router.OUR_SEGMENT
        inside = IP_IN_IP if inner[0] >> 4 == 4 else IPV6_IN_IP
        words, last, kind = 2 * len(listed), len(listed) - 1, SEGMENT_ROUTING
        if self._rarely(6):
            inside = self._one((IP_IN_IP, IPV6_IN_IP, 59))
            last, kind = self._one((last, 0, 255)), self._one((kind, 0))
        routing = struct.pack("!BBBBBBH", inside, words, kind, left, last, 0, 0) + b"".join(listed)
        dst = self._one((router.OUR_SEGMENT,) * 5 + (PASSING_6, router.ANYCAST[1]))
        return self._framed(
            1, self._ip(1, ROUTING, routing + inner, (PASSING_6, dst), self._one((64, 64, 2, 1)))
        )


def draw(seed: str, count: int, port: int) -> Case:
    """The full router and frames that come in on a port, for both switches."""
    frames = RandomFrames(Random(seed), port)
    return Case(router.full(), tuple(frames.frame() or b"\0" for _ in range(count)), port)
