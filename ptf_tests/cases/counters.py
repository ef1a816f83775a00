"""Counters: every packet in is accounted for as exactly one outcome; entries count what hits them."""

from __future__ import annotations

import random
from collections import Counter

from p4runtime_sh import shell
from scapy.layers.inet import ICMP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import checksum

from cfn.extensions import ExtensionType
from cfn.wire import BASE_LENGTH, PORT, VERSION, Kind
from ptf_tests.base import INTERMEDIATE, CfnTest, each_family
from ptf_tests.entries import Call, entry
from ptf_tests.network import (
    CLIENT_MAC,
    CLIENT_PORT,
    CORE_PORT,
    DETECT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    PRIVATE,
    ROUTER,
    ROUTER_MAC,
    SEGMENT,
    TENANT,
    UNKNOWN,
    V4,
    V6,
    Family,
    cookie,
    func_match,
    service,
    service_row,
)
from ptf_tests.packets import chain, request, response, solicit, who_has

LONGEST_FRAME = 1514
"""Bytes that the wires carry."""
SEGMENT_ADDRESS = "fd00::5e9"
TOO_BIG = 1440
"""Bytes of UDP payload that make an IP packet of either family too big for the next hop, not for the wire."""
GROUPS = (
    entry("local_ipv6", {"dst_addr": SEGMENT_ADDRESS}, "segment"),
    *(
        row
        for family in FAMILIES
        for row in (
            *service(family, "vision/detect", (NEAR.bind(), 1)),
            service_row(family, "vision/segment", Call("no_capacity", {"retry_after_ms": 1})),
            *service(family, "billing/*", (FAR.bind(), 1)),
        )
    ),
)
ENDS_AS = {"CHAINED": "BOUND_NEW"}
"""How the packets end that have an intermediate outcome."""
ELSEWHERE = {
    *("BOUND_TO_RIVAL", "BOUND_BY_FLOW", "BOUND_FLOW_UNKEPT", "BOUND_TO_INPUT", "BOUND_TO_RESULT"),
    *("PREFETCHED", "DECAPSULATED", "TIME_EXCEEDED", "TOO_BIG", "PROBE_ECHOED", "PROBE_RETURNED"),
    *("EMITTED", "NACK_RATE_EXCEEDED", "NACK_UNAUTHENTICATED"),
}
"""Outcomes that need more rows than these or other packets before; their stages' tests have them."""

NACK_FRAMES = (14 + 20 + 8 + BASE_LENGTH, 14 + 40 + 8 + BASE_LENGTH)
"""Bytes of a NACK's frame over IPv4 and IPv6."""


def plain(family: Family, dst: str, ttl: int = 64, payload: bytes = b"datagram", **udp: int) -> Packet:
    """A datagram that is not CFN's."""
    frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, dst, ttl)
    return frame / UDP(**({"sport": 7, "dport": 9} | udp)) / payload


def echo(family: Family) -> Packet:
    """A ping of the router."""
    frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, family.router)
    return frame / (ICMPv6EchoRequest(data=b"ping") if family.is_ipv6 else ICMP(type=8) / b"ping")


def to_segment() -> Packet:
    """An encapsulated packet from outside of the network, to a segment of the router's."""
    segment = IPv6ExtHdrSegmentRouting(addresses=[SEGMENT_ADDRESS], segleft=0, lastentry=0, len=2, nh=41)
    outer = V6.ip(V6.client, SEGMENT_ADDRESS) / segment
    return Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / outer / V6.ip(V6.client, NEAR.ipv6) / b"inner"


def edited(packet: Packet, layer: type[Packet], **fields: object) -> Packet:
    """The packet with fields of a layer given."""
    for name, value in fields.items():
        setattr(packet[layer], name, value)
    return packet


def by_outcome(family: Family) -> dict[str, tuple[Packet, int]]:
    """A packet for each outcome, with the port that it comes from."""
    true = cookie(NEAR)
    chained = response(family, NEAR, chain(DETECT), affinity=true, next=ExtensionType.CHAIN)
    broken = response(family, NEAR, chain(DETECT), affinity=true, next=ExtensionType.CHAIN, report_status=1)
    relayed = edited(response(family, NEAR, affinity=true), family.header, dst=family.passing)
    passing = edited(response(family, FAR, affinity=cookie(FAR)), family.header, dst=family.passing)
    asked = (who_has(V4.router), solicit(V6.router))[family.is_ipv6]
    packets = {
        "BOUND_NEW": request(family),
        "BOUND_BY_COOKIE": request(family, affinity=true),
        "REBOUND_FORGED": request(family, affinity=true ^ 1),
        "REBOUND_EXPIRED": request(family, affinity=cookie(NEAR, epoch=3)),
        "REBOUND_DEAD": request(family, affinity=cookie(NEAR_2)),
        "RESPONDED": response(family, NEAR, affinity=true),
        "RESPONSE_PASSED": passing,
        "RESPONSE_RELAYED": relayed,
        "CHAINED": chained,
        "RESPONSE_UNVERIFIED": response(family, NEAR, affinity=0),
        "NACK_UNKNOWN_FUNCTION": request(family, func_id=UNKNOWN),
        "NACK_NOT_PERMITTED": request(family, func_id=PRIVATE, tenant=0),
        "NACK_NO_CAPACITY": request(family, func_id=SEGMENT),
        "NACK_DEMAND_UNMET": request(family, func_id=SEGMENT ^ 1),
        "NACK_HOP_LIMIT": request(family, hops=0),
        "NACK_MALFORMED": request(family, version=0),
        "NACK_CHAIN_BROKEN": broken,
        "ROUTED": plain(family, NEAR.address(family)),
        "ND_ANSWERED" if family.is_ipv6 else "ARP_ANSWERED": asked,
        "DROP_NOT_FOR_US": edited(request(family), Ether, dst=CLIENT_MAC),
        "DROP_BAD_HEADER": edited(request(family), family.header, version=9),
        "DROP_NO_ROUTE": plain(family, family.nowhere),
        "DROP_TTL": plain(family, NEAR.address(family), ttl=1),
        "DROP_LOCAL": plain(family, family.router),
        "DROP_STRAY": request(family, kind=2),
        "DROP_PREFETCH": request(family, dst=NEAR.address(family), kind=Kind.PREFETCH),
        "DROP_PROBE": request(family, dst=family.router, kind=Kind.PROBE),
        "DROP_TOO_BIG": plain(family, NEAR.address(family), payload=bytes(TOO_BIG)),
        "NACK_TOO_BIG": request(family, bytes(TOO_BIG - BASE_LENGTH)),
        "ECHO_ANSWERED": echo(family),
    }
    if family.is_ipv6:
        packets["DROP_SEGMENT"] = to_segment()
    else:
        packets["DROP_BAD_CHECKSUM"] = edited(request(family), family.header, chksum=1)
    return {
        outcome: (packet, NEAR_PORT if UDP in packet and packet[UDP].sport == PORT else CLIENT_PORT)
        for outcome, packet in packets.items()
    }


def counts_of(outcome: str) -> dict[str, int]:
    """What the packet for an outcome counts as: as that, and as what an intermediate one ends as."""
    return {counted: 1 for counted in (outcome, ENDS_AS.get(outcome)) if counted}


class EachOutcome(CfnTest):
    """There is a packet for each outcome that the program knows, and it counts as that one, once."""

    rows = (*ROUTER, *GROUPS)

    def runTest(self) -> None:
        known = {
            member.name for member in shell.context.p4info.type_info.serializable_enums["Outcome"].members
        }
        shown = {outcome for family in FAMILIES for outcome in by_outcome(family)}
        self.assertEqual(shown, known - ELSEWHERE)
        for family in FAMILIES:
            for outcome, (packet, port) in by_outcome(family).items():
                with self.row(family.name, outcome):
                    self.send(packet, port)
                    if not outcome.startswith("DROP"):
                        self.receive()
                    self.expect_outcomes(**counts_of(outcome))


class InIsOutAndNacksAndDrops(CfnTest):
    """Of a mixture of everything, what came in went out, was answered or dropped, and was counted so."""

    rows = (*ROUTER, *GROUPS)

    def runTest(self) -> None:
        drawn = random.Random(4)
        mixture = [*by_outcome(V4).items(), *by_outcome(V6).items()]
        sent, came_out, nacks = Counter[str](), 0, 0
        for _ in range(600):
            outcome, (packet, port) = drawn.choice(mixture)
            sent.update(counts_of(outcome))
            self.send(packet, port)
            if not outcome.startswith("DROP"):
                _, frame = self.receive()
                came_out += 1
                nacks += len(frame) in NACK_FRAMES and frame[-BASE_LENGTH] == VERSION << 4 | Kind.NACK
        self.expect_outcomes(**sent)
        drops = sum(count for outcome, count in sent.items() if outcome.startswith("DROP"))
        self.assertEqual(came_out + drops, self.sent)
        self.assertEqual(nacks, sum(count for outcome, count in sent.items() if outcome.startswith("NACK")))


class DamagedAtRandom(CfnTest):
    """Frames of every kind, damaged: one outcome each, and one frame out unless that was a drop."""

    rows = (*ROUTER, *GROUPS)

    def runTest(self) -> None:
        drawn = random.Random(5)
        frames = [
            (bytes(packet), port) for family in FAMILIES for packet, port in by_outcome(family).values()
        ]
        for _ in range(1500):
            frame, port = drawn.choice(frames)
            damaged = self.damaged(drawn, bytearray(frame))
            self.send(damaged, port)
            counted = self.await_one()
            if not counted.startswith("DROP"):
                self.receive()
            self.assert_silent(f"{counted}: {damaged.hex()} on port {port}")

    @staticmethod
    def damaged(drawn: random.Random, frame: bytearray) -> bytes:
        """The frame with up to three bytes changed behind its MAC addresses, seldom of another length."""
        for _ in range(drawn.randrange(4)):
            frame[drawn.randrange(12, len(frame))] = drawn.choice((0, 1, 0xFF, drawn.randrange(256)))
        if frame[12:14] == b"\x08\x00" and drawn.random() < 0.7:
            frame[24:26] = b"\0\0"
            frame[24:26] = checksum(bytes(frame[14:34])).to_bytes(2, "big")
        if drawn.random() < 0.15:
            frame = frame[: drawn.randrange(15, len(frame))]
        elif drawn.random() < 0.1:
            frame += drawn.randbytes(drawn.randrange(1, 60))
        return bytes(frame[:LONGEST_FRAME])

    def await_one(self) -> str:
        """The one outcome that was counted since the last look, but for intermediate ones."""
        after = self.settled()
        found, self.counted = after - self.counted, after
        final = [outcome for outcome in found.elements() if outcome not in INTERMEDIATE]
        self.assertEqual(len(final), 1, found)
        return final[0]


class RequestsAndPermits(CfnTest):
    """Functions and permits count the packets and bytes of the requests that hit them."""

    rows = (*ROUTER, *GROUPS)

    def count(self, row: str, **match: object) -> tuple[int, int]:
        cell = shell.DirectCounterEntry(row)
        table = cell.table_entry
        table.match.set(**{name: str(value) for name, value in match.items()})
        found = next(iter(cell.read()))
        return found.packet_count, found.byte_count

    @each_family
    def runTest(self, family: Family) -> None:
        billing = func_match("billing/*")
        function = {"func_id": billing}
        permit = {"tenant": TENANT, "func_id": billing}
        for tenant, permitted in ((TENANT, 1), (TENANT + 1, 0)):
            packet = request(family, func_id=PRIVATE, tenant=tenant)
            requests, permits = self.count("requests", **function), self.count("permitted", **permit)
            self.send(packet)
            self.receive()
            size = len(packet)
            self.assertEqual(self.count("requests", **function), (requests[0] + 1, requests[1] + size))
            self.assertEqual(
                self.count("permitted", **permit), (permits[0] + permitted, permits[1] + permitted * size)
            )


class NotCounted(CfnTest):
    """Only requests to the anycast address count for a function."""

    rows = (*ROUTER, *GROUPS)
    count = RequestsAndPermits.count

    @each_family
    def runTest(self, family: Family) -> None:
        function = {"func_id": func_match("vision/*")}
        before = self.count("requests", **function)
        self.send(request(family, dst=NEAR.address(family)))
        self.receive()
        self.send(response(family, NEAR, affinity=cookie(NEAR)), CORE_PORT)
        self.receive()
        self.expect_outcomes(ROUTED=1, RESPONDED=1)
        self.refuse(plain(family, family.anycast, dport=PORT + 1), "DROP_LOCAL")
        self.assertEqual(self.count("requests", **function), before)
