"""SRv6: requests sent to a site by a list of segments, on from one to the next, unpacked at the last."""

from __future__ import annotations

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Entry, Value, entry
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_MAC,
    CORE_PORT,
    DETECT,
    FAMILIES,
    FAR,
    HOME,
    MTU,
    NEAR,
    PRIVATE,
    ROUTER,
    ROUTER_MAC,
    TO_CORE,
    TO_NEAR,
    V6,
    Family,
    cookie,
    service,
)
from ptf_tests.packets import REPLY_TTL, bound, nack, request

SEGMENTS = ("fd00:3::a1", "fd00:3::a2", "fd00:3::a3")
OURS = "fd00::5e6"
URGENT = 2
"""A demand class."""
SEGMENT_BYTES = 40 + 8 + 16
"""What one segment adds: IPv6 header, routing header, address."""


def encapsulated(
    inner: Packet, segments: tuple[str, ...], left: int, src: str = V6.router, **fields: object
) -> Packet:
    """The packet in IPv6 with a segment routing header; the segments in the order of the way."""
    outer = IPv6(src=src, dst=segments[len(segments) - 1 - left], hlim=REPLY_TTL, nh=43, **fields)
    carried = inner[Ether].payload
    header = IPv6ExtHdrSegmentRouting(
        nh=4 if isinstance(carried, IP) else 41,
        addresses=list(reversed(segments)),
        segleft=left,
        lastentry=len(segments) - 1,
    )
    return Ether(src=inner[Ether].src, dst=inner[Ether].dst) / outer / header / carried


def via(
    segments: tuple[str, ...], priority: int = 1, site: int = FAR.site, mtu: int = 0xFFFF, **match: Value
) -> Entry:
    """The row that sends requests to a site by a list; `mtu` is of the narrowest link up to the last."""
    names = ["segment"] if len(segments) == 1 else [f"segment_{n + 1}" for n in range(len(segments))]
    addresses = dict(zip(names, segments, strict=True))
    action = f"via_{len(segments)}"
    return entry(
        "segment_list", {"site": site, **match}, action, priority, src=V6.router, mtu=mtu, **addresses
    )


class PinnedTest(CfnTest):
    """A far site whose requests are given lists of segments."""

    rows = (*ROUTER, *(row for family in FAMILIES for row in service(family, "vision/*", (FAR.bind(), 1))))

    def sent_by(self, family: Family, segments: tuple[str, ...], **fields: object) -> None:
        """A request with these fields takes this list along; without one it goes as it is."""
        sent = request(family, **fields)
        inner = bound(sent, family, FAR, 0, TO_CORE)
        if not segments:
            self.carry(sent, inner, TO_CORE, "BOUND_NEW")
            return
        self.send(sent)
        port, received = self.receive()
        self.expect_outcomes(BOUND_NEW=1)
        stamp = int.from_bytes(received[-len(bytes(inner[family.header].payload.payload)) + 12 :][:4])
        inner[family.header].payload.payload.timestamp = stamp
        expected = encapsulated(inner, segments, len(segments) - 1, fl=Ether(received)[IPv6].fl)
        self.assertEqual((port, received.hex()), (CORE_PORT, bytes(expected).hex()))


class Pinned(PinnedTest):
    """A site with a list of 1, 2 or 3 segments is reached by the first, either family inside."""

    @each_family
    def runTest(self, family: Family) -> None:
        for count in (1, 2, 3):
            listed = via(SEGMENTS[:count])
            self.insert(listed)
            with self.row(family.name, count, "segments"):
                self.sent_by(family, SEGMENTS[:count])
            self.delete(listed)


class PinnedByWhatIsAsked(PinnedTest):
    """Service and demand class say which list it is, the row of highest priority; other sites have others."""

    rows = (
        *PinnedTest.rows,
        *(
            row
            for family in FAMILIES
            for row in (
                *service(family, "vision/*", (FAR.bind(), 1), class_id=URGENT),
                *service(family, "billing/*", (FAR.bind(), 1)),
                *service(family, "billing/*", (FAR.bind(), 1), class_id=URGENT),
            )
        ),
        entry("demand_class", {"latency_ms": "1..20"}, "set_class", priority=1, class_id=URGENT),
        via(SEGMENTS[:1], 40, class_id=URGENT, service=1),
        entry("segment_list", {"site": FAR.site, "service": 1}, "direct", 30),
        via(SEGMENTS[:2], 20, class_id=URGENT),
        via(SEGMENTS, 50, site=HOME.site),
    )

    @each_family
    def runTest(self, family: Family) -> None:
        for name, func, latency_ms, segments in (
            ("service and class", DETECT, 20, SEGMENTS[:1]),
            ("service, by the shortest path", DETECT, 0, ()),
            ("class", PRIVATE, 20, SEGMENTS[:2]),
            ("neither", PRIVATE, 0, ()),
        ):
            with self.row(family.name, name):
                self.sent_by(family, segments, func_id=func, demand_latency_ms=latency_ms)


class Transit(CfnTest):
    """A router that owns a segment sends on to the next; one that owns none routes."""

    rows = (*ROUTER, entry("local_ipv6", {"dst_addr": OURS}, "segment"))

    def runTest(self) -> None:
        for family in FAMILIES:
            for segments, left in (
                ((OURS, SEGMENTS[0]), 1),
                ((SEGMENTS[2], OURS, SEGMENTS[0]), 1),
                ((OURS, *SEGMENTS[:2]), 2),
            ):
                with self.row(family.name, segments, left):
                    sent = encapsulated(request(family), segments, left)
                    sent[Ether].src = CORE_MAC
                    expected = encapsulated(request(family), segments, left - 1)
                    expected[IPv6].hlim -= 1
                    expected[Ether].src, expected[Ether].dst = ROUTER_MAC, CORE_MAC
                    self.carry(sent, expected, TO_CORE, "ROUTED", CORE_PORT)
            sent = encapsulated(request(family), SEGMENTS, 2)
            expected = sent.copy()
            expected[IPv6].hlim -= 1
            expected[Ether].src, expected[Ether].dst = ROUTER_MAC, CORE_MAC
            self.carry(sent, expected, TO_CORE, "ROUTED")


class Unpacked(CfnTest):
    """At its last segment the packet is what it was before, and goes through the pipeline as such."""

    rows = (
        *ROUTER,
        *(
            row
            for family in FAMILIES
            for row in service(family, "vision/*", (NEAR.bind(), 1), scope=NEAR.site)
        ),
        entry("local_ipv6", {"dst_addr": OURS}, "segment"),
    )

    @each_family
    def runTest(self, family: Family) -> None:
        inner = request(family, dst=HOME.address(family), timestamp=123)
        expected = bound(inner, family, NEAR, cookie(NEAR))
        expected[family.header].payload.payload.timestamp = 123
        for segments in ((OURS,), (SEGMENTS[0], OURS), (*SEGMENTS[:2], OURS)):
            with self.row(family.name, len(segments), "segments"):
                sent = encapsulated(inner, segments, 0)
                self.send(sent, CORE_PORT)
                self.expect(expected, TO_NEAR.port)
                self.expect_outcomes(DECAPSULATED=1, BOUND_NEW=1)


class NotUnpacked(CfnTest):
    """From outside of the network, or with a list that is none, nothing is unpacked."""

    rows = (*ROUTER, entry("local_ipv6", {"dst_addr": OURS}, "segment"))

    @each_family
    def runTest(self, family: Family) -> None:
        whole = encapsulated(request(family), (OURS,), 0)
        self.refuse(whole, "DROP_SEGMENT")
        for name, fields in {
            "another type": {"type": 2},
            "more left than there are": {"segleft": 1},
            "another length": {"len": 4},
            "carries something else": {"nh": 17},
        }.items():
            with self.row(family.name, name):
                sent = encapsulated(request(family), (OURS,), 0)
                for field, value in fields.items():
                    setattr(sent[IPv6ExtHdrSegmentRouting], field, value)
                self.refuse(sent, "DROP_SEGMENT", CORE_PORT)


class RefusedOnTheWay(PinnedTest):
    """A request that does not fit a link with its segments comes back bare, as it came."""

    @each_family
    def runTest(self, family: Family) -> None:
        for narrowest in (MTU, MTU - 100, 0xFFFF):
            room = min(MTU, narrowest) - SEGMENT_BYTES
            most = room - (40 if family.is_ipv6 else 20) - 8 - 72
            listed = via(SEGMENTS[:1], mtu=narrowest)
            self.insert(listed)
            with self.row(family.name, narrowest, "fits"):
                self.sent_by(family, SEGMENTS[:1], payload=bytes(most))
            with self.row(family.name, narrowest, "does not"):
                sent = request(family, bytes(most + 1))
                self.carry(sent, nack(sent, family, NackCode.TOO_BIG, room), CLIENT_PORT, "NACK_TOO_BIG")
            self.delete(listed)
