"""TRACE: each router puts its record before the others; without room it counts itself as missed."""

from __future__ import annotations

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from cfn.extensions import ExtensionType
from cfn.scapy_layer import CFN, CFNAuth, CFNTrace, CFNTraceRecord
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import default, entry
from ptf_tests.network import (
    CLIENT_PORT,
    DETECT,
    NEAR,
    NEAR_PORT,
    ROUTER,
    ROUTER_MAC,
    SERVICES,
    TO_CORE,
    TO_NEAR,
    V4,
    V6,
    Family,
    cookie,
)
from ptf_tests.packets import bound, chain, forwarded, request, residuals, response, restored

NUMBER = 77
SELF = default("router", "router_is", router=NUMBER, ipv4=V4.router, ipv6=V6.router)
OLDER = CFNTraceRecord(router=3, outcome=1, hops=9, site=8, instance=7, time_us=6, queue=5, residence_us=4)
BOUND_NEW, RESPONDED, ROUTED = 1, 10, 30


def with_record(packet: Packet, received: bytes, **fields: int) -> Packet:
    """The packet with this router's record in front; its times are those received, which vary."""
    out = packet.copy()
    found = Ether(received)[CFNTrace].records[0]
    record = CFNTraceRecord(
        router=NUMBER, time_us=found.time_us, queue=found.queue, residence_us=found.residence_us, **fields
    )
    out[CFNTrace].records = [record, *packet[CFNTrace].records]
    out[CFNTrace].length = out[CFN].length = None
    for layer in (out[UDP], out[UDP].underlayer):
        for name in ("len", "plen", "chksum"):
            if name in layer.default_fields:
                setattr(layer, name, None)
    return Ether(bytes(out))


class TraceTest(CfnTest):
    """A test of traced packets."""

    rows = (*ROUTER, *SERVICES, SELF)

    def traced(
        self, sent: Packet, expected: Packet, counted: str, port: int = CLIENT_PORT, **record: int
    ) -> Packet:
        """Send a packet that comes out as expected with a record more; returns it."""
        self.send(sent, port)
        _, received = self.receive()
        self.expect_outcomes(**{counted: 1})
        found = Ether(received)
        if expected[CFN].timestamp is None:
            expected[CFN].timestamp = found[CFN].timestamp
        wanted = with_record(expected, received, **record)
        self.assertEqual(bytes(wanted).hex(), received.hex())
        self.assertEqual(set(residuals(received).values()), {0})
        return found


class Recorded(TraceTest):
    """A request, with and without records of others, on its way in and when it only passes."""

    @each_family
    def runTest(self, family: Family) -> None:
        for older in ([], [OLDER], [OLDER] * 20):
            sent = request(family, CFNTrace(records=older) / b"input")
            place = {"hops": sent[CFN].hops - 1, "site": NEAR.site, "instance": NEAR.instance}
            expected = bound(sent, family, NEAR, cookie(NEAR))
            self.traced(sent, expected, "BOUND_NEW", outcome=BOUND_NEW, **place)
        passing = request(family, CFNTrace(records=[OLDER]) / b"input", dst=family.passing)
        self.traced(passing, forwarded(passing, TO_CORE), "ROUTED", outcome=ROUTED, hops=passing[CFN].hops)


class RecordedOnTheWayBack(TraceTest):
    """A response takes the router's record along as well."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = response(family, NEAR, CFNTrace(records=[OLDER]) / b"output", affinity=cookie(NEAR))
        place = {"hops": sent[CFN].hops, "site": NEAR.site, "instance": NEAR.instance}
        self.traced(sent, restored(sent, family), "RESPONDED", NEAR_PORT, outcome=RESPONDED, **place)


class RecordedInAChain(TraceTest):
    """A request that the router makes of a response came in when the response did, by the same clock."""

    @each_family
    def runTest(self, family: Family) -> None:
        plain = request(family, CFNTrace() / b"input")
        behind = chain(DETECT, following=ExtensionType.TRACE) / CFNTrace() / b"output"
        chained = response(family, NEAR, behind, next=ExtensionType.CHAIN, affinity=cookie(NEAR))
        times: list[int] = []
        for sent, port, outcomes in (
            (plain, CLIENT_PORT, {"BOUND_NEW": 1}),
            (chained, NEAR_PORT, {"CHAINED": 1, "BOUND_NEW": 1}),
            (plain, CLIENT_PORT, {"BOUND_NEW": 1}),
        ):
            self.send(sent, port)
            _, received = self.receive()
            self.expect_outcomes(**outcomes)
            (record,) = Ether(received)[CFNTrace].records
            times.append(record.time_us)
        started, chained_at, ended = (each - times[0] & 0xFFFFFFFF for each in times)
        self.assertLessEqual(started, chained_at)
        self.assertLessEqual(chained_at, ended)


class BehindOthers(TraceTest):
    """TRACE is found behind extensions that the router knows, and left alone behind one that it does not."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, CFNAuth(sender=1, sequence=2, tag=3) / CFNTrace(records=[OLDER]) / b"input")
        place = {"hops": sent[CFN].hops - 1, "site": NEAR.site, "instance": NEAR.instance}
        expected = bound(sent, family, NEAR, cookie(NEAR))
        self.traced(sent, expected, "BOUND_NEW", outcome=BOUND_NEW, **place)
        unknown = Raw(bytes((3, 1, 0xAB, 0xCD)))  # of a type that nobody knows, then TRACE
        trace = Raw(bytes(CFNTrace(records=[OLDER])))
        sent = request(family, unknown / trace, next=200, length=18 + 1 + 5)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")


class NoRoom(TraceTest):
    """Where the way or the header's length has no room for a record, the router counts itself as missed."""

    @each_family
    def runTest(self, family: Family) -> None:
        full = CFNTrace(records=[OLDER] * 59)
        sent = request(family, full / b"")
        for missed in (0, 1, 254, 255):
            with self.row(family.name, "missed", missed):
                sent[CFNTrace].missed = missed
                expected = bound(sent, family, NEAR, cookie(NEAR))
                expected[CFNTrace].missed = min(missed + 1, 255)
                self.carry(sent, expected, TO_NEAR, "BOUND_NEW")


class NoRoomOnTheWay(TraceTest):
    """The MTU of the way out bounds the record, not the packet."""

    @each_family
    def runTest(self, family: Family) -> None:
        headers = (40 if family.is_ipv6 else 20) + 8 + 72 + 4
        for room in (15, 16):
            mtu = headers + 100 + room
            hop = TO_NEAR
            params = {"port": hop.port, "src_mac": ROUTER_MAC, "dst_mac": hop.mac, "mtu": mtu}
            self.modify(entry("next_hop", {"next_hop": hop.id}, hop.action, **params))
            sent = request(family, CFNTrace() / bytes(100))
            expected = bound(sent, family, NEAR, cookie(NEAR))
            with self.row(family.name, "room", room):
                if room < 16:
                    expected[CFNTrace].missed = 1
                    self.carry(sent, expected, TO_NEAR, "BOUND_NEW")
                else:
                    place = {"hops": sent[CFN].hops - 1, "site": NEAR.site, "instance": NEAR.instance}
                    self.traced(sent, expected, "BOUND_NEW", outcome=BOUND_NEW, **place)
        self.modify(TO_NEAR.row())


class Unsummed(TraceTest):
    """Without a UDP checksum (IPv4) there is none after the record either."""

    def runTest(self) -> None:
        sent = request(V4, CFNTrace() / b"input")
        sent[UDP].chksum = 0
        self.send(sent)
        _, received = self.receive()
        self.expect_outcomes(BOUND_NEW=1)
        found = Ether(received)
        self.assertEqual((found[UDP].chksum, len(found[CFNTrace].records)), (0, 1))
        self.assertEqual(set(residuals(received).values()), {0})
