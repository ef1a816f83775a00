"""Route: longest prefix, equal next hops by flow; what is not CFN's is forwarded untouched."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from scapy.layers.inet import ICMP, TCP, UDP, IPOption_NOP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from cfn.scapy_layer import CFN
from cfn.wire import PORT, Kind, NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.network import (
    CLIENT_MAC,
    CLIENT_PORT,
    CORE_PORT,
    CORE_PORT_2,
    FAMILIES,
    NEAR,
    NEAR_PORT,
    ROUTER,
    ROUTER_MAC,
    SERVICES,
    TO_CLIENT,
    TO_CORE,
    TO_CORE_2,
    TO_NEAR,
    V4,
    Family,
    NextHop,
    cookie,
    route,
)
from ptf_tests.packets import bound, forwarded, nack, request, residuals

PAYLOAD = b"\x11" * 72 + b"not CFN's, with a CFN header's length"


def to(family: Family, dst: str, datagram: Packet, ttl: int = 64, **fields: object) -> Packet:
    """A client's packet to a host."""
    return Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, dst, ttl, **fields) / datagram


class NotCfn(CfnTest):
    """Whatever IP carries is forwarded untouched but for TTL and MACs."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        echo = ICMPv6EchoRequest(data=PAYLOAD) if family.is_ipv6 else ICMP(type=8) / PAYLOAD
        proto = "nh" if family.is_ipv6 else "proto"
        for name, packet in {
            "UDP": to(family, NEAR.address(family), UDP(sport=1, dport=2) / PAYLOAD),
            "UDP of CFN's port number that is no CFN": to(
                family, NEAR.address(family), UDP(dport=PORT) / b"x"
            ),
            "UDP from CFN's port number": to(
                family, NEAR.address(family), UDP(sport=PORT, dport=9) / PAYLOAD
            ),
            "CFN to an instance": to(family, NEAR.address(family), UDP(dport=PORT) / CFN(hops=0) / PAYLOAD),
            "CFN of another version": to(
                family, NEAR.address(family), UDP(dport=PORT) / CFN(version=9) / PAYLOAD
            ),
            "UDP without payload": to(family, NEAR.address(family), UDP(sport=1, dport=2)),
            "UDP without checksum": to(
                family, NEAR.address(family), UDP(sport=1, dport=2, chksum=0) / PAYLOAD
            ),
            "UDP with a wrong checksum": to(family, NEAR.address(family), UDP(dport=PORT, chksum=7) / CFN()),
            "TCP": to(
                family, NEAR.address(family), TCP(dport=80, flags="SA", options=[("MSS", 9000)]) / PAYLOAD
            ),
            "TCP of CFN's port number": to(
                family, NEAR.address(family), TCP(sport=PORT, dport=PORT) / PAYLOAD
            ),
            "echo": to(family, NEAR.address(family), echo),
            "an unknown protocol": to(family, NEAR.address(family), Raw(PAYLOAD), **{proto: 253}),
            "a bare header": to(family, NEAR.address(family), Raw(b""), **{proto: 59}),
        }.items():
            with self.row(family.name, name):
                self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")


class Ipv4Options(CfnTest):
    """Options, and what follows them, stay; the header checksum holds."""

    rows = (*ROUTER, *SERVICES)

    def runTest(self) -> None:
        for count in (1, 10):
            for datagram in (UDP(sport=1, dport=2) / PAYLOAD, UDP(dport=PORT) / CFN(), TCP(), ICMP()):
                with self.row(count, "words of options,", datagram.summary()):
                    options = [IPOption_Router_Alert(), *[IPOption_NOP()] * (4 * count - 4)]
                    packet = to(V4, NEAR.ipv4, datagram, options=options)
                    received = self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")
                    self.assertEqual(residuals(received)["ipv4"], 0)


class Fragments(CfnTest):
    """Fragments are forwarded, first and later ones, with what looks like ports in them or not."""

    rows = (*ROUTER, *SERVICES)

    def runTest(self) -> None:
        looks_like_cfn = UDP(sport=PORT, dport=PORT, len=2000, chksum=1) / CFN(kind=Kind.RESPONSE)
        for flags, offset in (("MF", 0), ("MF", 10), (0, 100)):
            with self.row("v4", flags, offset):
                packet = to(V4, NEAR.ipv4, Raw(bytes(looks_like_cfn)), proto=17, flags=flags, frag=offset)
                self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")
        for family in FAMILIES[1:]:
            for offset, more in ((0, 1), (10, 1), (100, 0)):
                with self.row("v6", more, offset):
                    fragment = IPv6ExtHdrFragment(nh=17, offset=offset, m=more, id=7) / Raw(
                        bytes(looks_like_cfn)
                    )
                    packet = to(family, NEAR.ipv6, fragment)
                    self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")


class Ipv6Extensions(CfnTest):
    """Packets with IPv6 extension headers, and ICMPv6 errors, are forwarded."""

    def runTest(self) -> None:
        family = FAMILIES[1]
        for datagram in (
            IPv6ExtHdrHopByHop() / UDP(dport=PORT) / CFN(),
            IPv6ExtHdrDestOpt() / TCP(),
            ICMPv6PacketTooBig(mtu=1280) / family.ip(NEAR.ipv6, family.client) / UDP() / PAYLOAD,
        ):
            with self.row(datagram.summary()):
                packet = to(family, NEAR.ipv6, datagram)
                self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")


class LongestPrefix(CfnTest):
    """The longest prefix wins, down to the host and up to the default route."""

    @each_family
    def runTest(self, family: Family) -> None:
        bits = 128 if family.is_ipv6 else 32
        host, half = NEAR.address(family), ("fd00:2::/96" if family.is_ipv6 else "10.2.0.0/31")
        everything = route(family, f"{host}/1", TO_CLIENT)
        for added, next_hop in (
            ((), TO_NEAR),
            ((route(family, half, TO_CORE),), TO_CORE),
            ((route(family, f"{host}/{bits}", TO_CORE_2),), TO_CORE_2),
        ):
            self.insert(*added)
            packet = to(family, host, UDP(sport=1, dport=2))
            self.carry(packet, forwarded(packet, next_hop), next_hop, "ROUTED")
        packet = to(family, family.nowhere, UDP(sport=1, dport=2))
        self.refuse(packet, "DROP_NO_ROUTE")
        self.insert(everything)
        if not family.is_ipv6:
            self.carry(packet, forwarded(packet, TO_CLIENT), TO_CLIENT, "ROUTED")


class NoRoute(CfnTest):
    """What has no route, or a route to a next hop that is not there, is dropped; a request is answered."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        self.refuse(to(family, family.nowhere, UDP(sport=1, dport=2)), "DROP_NO_ROUTE")
        self.refuse(to(family, family.nowhere, UDP(dport=PORT) / CFN()), "DROP_NO_ROUTE")
        self.delete(TO_NEAR.row())
        self.refuse(to(family, NEAR.address(family), UDP(sport=1, dport=2)), "DROP_NO_ROUTE")
        sent = request(family, timestamp=5, affinity=cookie(NEAR) ^ 1, hops=3)
        self.carry(sent, nack(sent, family, NackCode.NO_CAPACITY), CLIENT_PORT, "NACK_NO_CAPACITY")
        self.insert(TO_NEAR.row())
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "REBOUND_FORGED")


class Ttl(CfnTest):
    """The last hop is not forwarded; one before is."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for ttl in (0, 1):
            self.refuse(to(family, NEAR.address(family), UDP(sport=1, dport=2), ttl), "DROP_TTL")
            self.refuse(request(family, ttl=ttl), "DROP_TTL")
        for ttl in (2, 128, 255):
            packet = to(family, NEAR.address(family), UDP(sport=1, dport=2), ttl)
            self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")


class MultipathSpreads(CfnTest):
    """Flows are spread evenly over equal next hops, each with its own MAC."""

    @each_family
    def runTest(self, family: Family) -> None:
        drawn = random.Random(1)
        packets = [
            to(family, family.multipath, UDP(sport=drawn.randrange(65536), dport=9)) for _ in range(400)
        ]
        ports = Counter(port for port, _ in self.carry_all(packets))
        self.expect_outcomes(ROUTED=400)
        self.assertEqual(set(ports), {CORE_PORT, CORE_PORT_2})
        deviation = (ports[CORE_PORT] - 200) ** 2 / 100
        self.assertLess(deviation, 10.83, f"chi-squared of {dict(ports)}, critical at 0.1 %")


class MultipathKeepsFlows(CfnTest):
    """Packets of a flow take one way, whatever passes between them: a response and TCP too."""

    @each_family
    def runTest(self, family: Family) -> None:
        echo = ICMPv6EchoRequest() if family.is_ipv6 else ICMP()
        drawn = random.Random(2)
        for datagram in (
            UDP(sport=5, dport=6) / PAYLOAD,
            TCP(sport=5, dport=6),
            echo,
            Raw(PAYLOAD),
            UDP(sport=PORT, dport=7) / CFN(kind=Kind.RESPONSE),
        ):
            with self.row(family.name, datagram.summary()):
                ways: list[int] = []
                for size in range(12):
                    self.send(to(family, family.multipath, datagram / bytes(size)))
                    ways.append(self.receive()[0])
                    other = UDP(sport=drawn.randrange(65536), dport=drawn.randrange(65536))
                    self.send(to(family, family.multipath, other))
                    self.receive()
                self.assertTrue(all(one == next_one for one, next_one in pairwise(ways)), f"ports {ways}")


class Multipath(CfnTest):
    """Each way's packets have that way's MAC addresses."""

    @each_family
    def runTest(self, family: Family) -> None:
        seen: set[NextHop] = set()
        for sport in range(40):
            packet = to(family, family.multipath, UDP(sport=sport, dport=9) / PAYLOAD)
            self.send(packet)
            port, received = self.receive()
            next_hop = {CORE_PORT: TO_CORE, CORE_PORT_2: TO_CORE_2}[port]
            self.assertEqual(received, bytes(forwarded(packet, next_hop)))
            seen.add(next_hop)
        self.assertEqual(seen, {TO_CORE, TO_CORE_2})


class BackWhereItCame(CfnTest):
    """A packet can leave through the port it came from."""

    @each_family
    def runTest(self, family: Family) -> None:
        packet = to(family, family.client, UDP(sport=1, dport=2))
        self.carry(packet, forwarded(packet, TO_CLIENT), TO_CLIENT, "ROUTED")
        packet = to(family, NEAR.address(family), UDP(sport=1, dport=2))
        self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED", NEAR_PORT)
