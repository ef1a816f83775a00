"""SRv6: requests sent to a site by a list of segments, on from one to the next, unpacked at the last."""

from __future__ import annotations

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import entry
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_MAC,
    CORE_PORT,
    FAMILIES,
    FAR,
    HOME,
    MTU,
    NEAR,
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


class Pinned(CfnTest):
    """A remote member with a list of 1, 2 or 3 segments is reached by the first, either family inside."""

    rows = (*ROUTER, *(row for family in FAMILIES for row in service(family, "vision/*", (FAR.bind(), 1))))

    @each_family
    def runTest(self, family: Family) -> None:
        for count in (1, 2, 3):
            segments = SEGMENTS[:count]
            names = ["segment"] if count == 1 else [f"segment_{n + 1}" for n in range(count)]
            row = entry(
                "segment_list",
                {"slot": FAR.slot},
                f"via_{count}",
                src=V6.router,
                **dict(zip(names, segments, strict=True)),
            )
            self.insert(row)
            with self.row(family.name, count, "segments"):
                sent = request(family)
                self.send(sent)
                port, received = self.receive()
                self.expect_outcomes(BOUND_NEW=1)
                found = Ether(received)
                inner = bound(sent, family, FAR, 0, TO_CORE)
                stamp = int.from_bytes(received[-len(bytes(inner[family.header].payload.payload)) + 12 :][:4])
                inner[family.header].payload.payload.timestamp = stamp
                expected = encapsulated(inner, segments, count - 1, fl=found[IPv6].fl)
                self.assertEqual((port, received.hex()), (CORE_PORT, bytes(expected).hex()))
            self.delete(row)


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


class RefusedOnTheWay(CfnTest):
    """A request that does not fit with its segments comes back bare, as it came."""

    rows = (*ROUTER, *(row for family in FAMILIES for row in service(family, "vision/*", (FAR.bind(), 1))))

    @each_family
    def runTest(self, family: Family) -> None:
        row = entry("segment_list", {"slot": FAR.slot}, "via_1", src=V6.router, segment=SEGMENTS[0])
        self.insert(row)
        sent = request(family, bytes(MTU - SEGMENT_BYTES - (40 if family.is_ipv6 else 20) - 8 - 72 + 1))
        self.carry(
            sent, nack(sent, family, NackCode.TOO_BIG, MTU - SEGMENT_BYTES), CLIENT_PORT, "NACK_TOO_BIG"
        )
        self.delete(row)
