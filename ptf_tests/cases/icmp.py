"""A plain router's ICMP: echo for its addresses, errors about what it cannot forward, and the MTU."""

from __future__ import annotations

from p4.v1 import p4runtime_pb2 as p4rt
from p4runtime_sh import shell
from scapy.layers.inet import ICMP, IP, UDP, IPerror
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import default, entry
from ptf_tests.network import (
    CLIENT_MAC,
    CLIENT_PORT,
    NEAR_PORT,
    ROUTER,
    ROUTER_MAC,
    SERVICES,
    TO_CORE,
    V4,
    V6,
    Family,
)
from ptf_tests.packets import REPLY_TTL, forwarded, nack, request, residuals

MTU = 1000
NUMBER = 77
SELF = default("router", "router_is", router=NUMBER, ipv4=V4.router, ipv6=V6.router)
NARROW = tuple(
    entry(
        "next_hop",
        {"next_hop": hop.id},
        hop.action,
        port=hop.port,
        src_mac=ROUTER_MAC,
        dst_mac=hop.mac,
        mtu=MTU,
    )
    for hop in (TO_CORE,)
)


def ping(family: Family, dst: str, **fields: object) -> Packet:
    """An echo request of the client's."""
    frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, dst, **fields)
    echo = ICMPv6EchoRequest(id=7, seq=9, data=b"abc") if family.is_ipv6 else ICMP(id=7, seq=9) / b"abc"
    return frame / echo


def datagram(family: Family, size: int = 100, **fields: object) -> Packet:
    """A datagram that only passes by, of this size with its IP header."""
    frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, family.passing, **fields)
    headers = len(family.ip(family.client, family.passing)) + 8
    return frame / UDP(sport=1234, dport=53) / Raw(bytes(size - headers))


def told(packet: Packet, family: Family, error: Packet) -> Packet:
    """The error about a packet: its IP header and 8 bytes, sent back by the router."""
    received = bytes(packet)
    quoted = received[14 : 14 + (48 if family.is_ipv6 else 28)]
    frame = Ether(src=ROUTER_MAC, dst=CLIENT_MAC)
    if family.is_ipv6:
        return frame / IPv6(src=family.router, dst=family.client, hlim=REPLY_TTL) / error / Raw(quoted)
    return frame / IP(src=family.router, dst=family.client, ttl=REPLY_TTL, id=0) / error / Raw(quoted)


class EchoAnswered(CfnTest):
    """Each of the router's addresses answers, the payload untouched; a broken sum stays broken."""

    @each_family
    def runTest(self, family: Family) -> None:
        for asked in (family.router, family.anycast):
            for ttl in (1, 64):
                sent = ping(family, asked, **({} if ttl == 64 else {"ttl": ttl}))
                answer = sent.copy()
                answer[Ether].src, answer[Ether].dst = ROUTER_MAC, CLIENT_MAC
                ip = answer[family.header]
                ip.src, ip.dst = asked, family.client
                setattr(ip, family.ttl, REPLY_TTL)
                if family.is_ipv6:
                    ip.payload = ICMPv6EchoReply(id=7, seq=9, data=b"abc")
                else:
                    answer[ICMP].type = 0
                self.carry(sent, answer, CLIENT_PORT, "ECHO_ANSWERED")
        damaged = bytearray(bytes(ping(family, family.router)))
        damaged[-1] ^= 0x55
        self.send(bytes(damaged))
        _, received = self.receive()
        self.expect_outcomes(ECHO_ANSWERED=1)
        before = residuals(bytes(damaged)) if family.is_ipv6 else None
        if before:
            self.assertEqual(residuals(received)["icmpv6"], before["icmpv6"])


class EchoNotAnswered(CfnTest):
    """Replies, other codes, and what is for others."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = ping(family, family.router)
        layer = ICMPv6EchoRequest if family.is_ipv6 else ICMP
        sent[layer].code = 1
        self.refuse(sent, "DROP_LOCAL")
        reply = ping(family, family.router)
        if family.is_ipv6:
            reply[family.header].payload = ICMPv6EchoReply()
        else:
            reply[ICMP].type = 0
        self.refuse(reply, "DROP_LOCAL")
        passing = ping(family, family.passing)
        self.carry(passing, forwarded(passing, TO_CORE), TO_CORE, "ROUTED")


class TimeExceeded(CfnTest):
    """Who sent a packet that has no hop left is told, with the head of the packet as it came."""

    rows = (*ROUTER, *SERVICES, SELF)

    @each_family
    def runTest(self, family: Family) -> None:
        error = ICMPv6TimeExceeded(code=0) if family.is_ipv6 else ICMP(type=11, code=0)
        for name, sent in {
            "a datagram": datagram(family, ttl=1),
            "without a hop": datagram(family, ttl=0),
            "an echo": ping(family, family.passing, ttl=1),
            "another protocol": Ether(src=CLIENT_MAC, dst=ROUTER_MAC)
            / family.ip(family.client, family.passing, 1, **({"nh": 99} if family.is_ipv6 else {"proto": 99}))
            / Raw(bytes(range(40))),
            "a request": request(family, ttl=1),
        }.items():
            with self.row(family.name, name):
                received = self.carry(sent, told(sent, family, error), CLIENT_PORT, "TIME_EXCEEDED")
                self.assertEqual(set(residuals(received).values()), {0})


class NotTold(CfnTest):
    """Nobody is told of errors, of fragments but the first, of what nobody sent, of less than 8 bytes."""

    rows = (*ROUTER, SELF)

    @each_family
    def runTest(self, family: Family) -> None:
        frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC)
        short = frame / family.ip(family.client, family.passing, 1) / Raw(b"1234567")
        if family.is_ipv6:
            error: Packet = ICMPv6TimeExceeded() / Raw(bytes(48))
            later = (
                frame
                / IPv6(src=family.client, dst=family.passing, hlim=1)
                / IPv6ExtHdrFragment(offset=3)
                / b"12345678"
            )
            nobody = ("::", "ff02::1")
            short[IPv6].nh = 99
        else:
            error = ICMP(type=3, code=1) / IPerror(bytes(datagram(family))[14:34]) / Raw(bytes(8))
            later = frame / IP(src=family.client, dst=family.passing, ttl=1, frag=3, proto=17) / b"12345678"
            nobody = ("0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1")  # noqa: S104 - no socket is bound
            short[IP].proto = 99
        rows: dict[str, Packet] = {
            "an error": frame / family.ip(family.client, family.passing, 1) / error,
            "short": short,
        }
        if not family.is_ipv6:
            rows["a later fragment"] = later
        for src in nobody:
            rows[f"from {src}"] = datagram(family, ttl=1)
            rows[f"from {src}"][family.header].src = src
        for name, sent in rows.items():
            with self.row(family.name, name):
                self.refuse(sent, "DROP_TTL")


class Nameless(CfnTest):
    """A router without an address of its own has nobody to tell by."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.refuse(datagram(family, ttl=1), "DROP_TTL")


class TooBig(CfnTest):
    """What the way out has no room for: a request is refused, others' packets are told of, nothing is cut."""

    rows = (*ROUTER, *SERVICES, SELF)

    def setUp(self) -> None:
        super().setUp()
        self.modify(*NARROW)

    @each_family
    def runTest(self, family: Family) -> None:
        fits, too_big = datagram(family, MTU), datagram(family, MTU + 1)
        self.carry(fits, forwarded(fits, TO_CORE), TO_CORE, "ROUTED")
        error = ICMPv6PacketTooBig(mtu=MTU) if family.is_ipv6 else ICMP(type=3, code=4, nexthopmtu=MTU)
        received = self.carry(too_big, told(too_big, family, error), CLIENT_PORT, "TOO_BIG")
        self.assertEqual(set(residuals(received).values()), {0})


class RequestTooBig(CfnTest):
    """A request that does not fit comes back as a NACK that tells the room."""

    rows = (*ROUTER, *SERVICES, SELF)

    @each_family
    def runTest(self, family: Family) -> None:
        narrow = entry(
            "next_hop",
            {"next_hop": 2},
            "forward_edge",
            port=NEAR_PORT,
            src_mac=ROUTER_MAC,
            dst_mac="02:00:00:00:00:02",
            mtu=MTU,
        )
        self.modify(narrow)
        headers = (40 if family.is_ipv6 else 20) + 8 + 72
        fits = request(family, bytes(MTU - headers))
        self.send(fits)
        self.receive()
        self.expect_outcomes(BOUND_NEW=1)
        sent = request(family, bytes(MTU - headers + 1))
        self.carry(sent, nack(sent, family, NackCode.TOO_BIG, MTU), CLIENT_PORT, "NACK_TOO_BIG")


class ErrorsBounded(CfnTest):
    """A meter by port bounds the errors that are told; what goes beyond is dropped and counted."""

    rows = (*ROUTER, SELF)

    @each_family
    def runTest(self, family: Family) -> None:
        meter = shell.MeterEntry("errors")
        meter.index = CLIENT_PORT
        meter.cir, meter.cburst, meter.pir, meter.pburst = 1, 1, 1, 1
        meter.modify()
        self.addCleanup(self._unbound)
        for _ in range(20):
            self.send(datagram(family, ttl=1))
        self.settle()
        counted = self.counted
        self.assertGreaterEqual(counted["DROP_TTL"], 15)

    @staticmethod
    def _unbound() -> None:
        update = p4rt.WriteRequest()
        change = update.updates.add(type=p4rt.Update.MODIFY)
        change.entity.meter_entry.meter_id = shell.MeterEntry("errors").id
        change.entity.meter_entry.index.index = CLIENT_PORT
        shell.client.write(update)
