"""Classify: whose packet is it? What is for another station, broken, or for the router itself ends here."""

from __future__ import annotations

from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.scapy_layer import CFN
from cfn.wire import PORT, Kind
from ptf_tests.base import CfnTest, each_family
from ptf_tests.network import CLIENT_MAC, HOME, NEAR, ROUTER, ROUTER_MAC, SERVICES, TO_NEAR, V4, V6, Family
from ptf_tests.packets import forwarded, request

ANOTHER_MAC = "02:00:00:00:99:00"


def to(family: Family, dst: str, datagram: Packet) -> Packet:
    """A client's packet."""
    return Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, dst) / datagram


class AnotherStation(CfnTest):
    """A frame for another station is left alone, whatever it carries."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for mac in (ANOTHER_MAC, "ff:ff:ff:ff:ff:ff"):
            packet = request(family)
            packet[Ether].dst = mac
            self.refuse(packet, "DROP_NOT_FOR_US")


class OtherProtocols(CfnTest):
    """Frames that are neither IP nor ARP end here."""

    def runTest(self) -> None:
        for ether_type in (0x0000, 0x0805, 0x8100, 0x88CC, 0xFFFF):
            with self.row(f"{ether_type:#06x}"):
                frame = Ether(src=CLIENT_MAC, dst=ROUTER_MAC, type=ether_type) / bytes(50)
                self.refuse(frame, "DROP_NOT_FOR_US")


class BrokenIpv4(CfnTest):
    """An IPv4 header that cannot be, and one that was damaged on its way."""

    rows = (*ROUTER, *SERVICES)

    def runTest(self) -> None:
        right = Ether(bytes(request(V4)))[V4.header].chksum
        for field, value, outcome in (
            ("version", 5, "DROP_BAD_HEADER"),
            ("version", 6, "DROP_BAD_HEADER"),
            ("ihl", 0, "DROP_BAD_HEADER"),
            ("ihl", 4, "DROP_BAD_HEADER"),
            ("len", 0, "DROP_BAD_HEADER"),
            ("len", 19, "DROP_BAD_HEADER"),
            ("chksum", 0, "DROP_BAD_CHECKSUM"),
            ("chksum", right ^ 1, "DROP_BAD_CHECKSUM"),
            ("chksum", right ^ 0x8000, "DROP_BAD_CHECKSUM"),
        ):
            with self.row(field, value):
                packet = request(V4)
                setattr(packet[V4.header], field, value)
                self.refuse(packet, outcome)


class BrokenIpv6(CfnTest):
    """An IPv6 header of another version."""

    rows = (*ROUTER, *SERVICES)

    def runTest(self) -> None:
        for version in (0, 4, 5, 7, 15):
            with self.row("version", version):
                packet = request(V6)
                packet[V6.header].version = version
                self.refuse(packet, "DROP_BAD_HEADER")


class OwnAddresses(CfnTest):
    """Of UDP and TCP nothing answers at the router's addresses, but at the CFN port of anycast and sites."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for dst, datagram in (
            (family.router, UDP(sport=40000, dport=53) / b"query"),
            (family.router, UDP(sport=40000, dport=PORT) / CFN()),
            (family.router, TCP(dport=22)),
            (family.anycast, UDP(sport=40000, dport=PORT + 1) / b"not CFN"),
            (family.anycast, UDP(sport=PORT, dport=40000) / CFN(kind=Kind.RESPONSE)),
            (family.anycast, TCP(dport=PORT)),
            (HOME.address(family), UDP(sport=40000, dport=PORT + 1) / b"not CFN"),
            (HOME.address(family), TCP(dport=PORT)),
        ):
            self.refuse(to(family, dst, datagram), "DROP_LOCAL")


class Strays(CfnTest):
    """Responses and NACKs to the anycast address are never answered: no two routers talk to each other."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for kind in (Kind.RESPONSE, Kind.NACK):
            for sport in (PORT, 40000):
                for dst in (family.anycast, HOME.address(family)):
                    self.refuse(request(family, dst=dst, kind=kind, sport=sport), "DROP_STRAY")
                    self.refuse(request(family, dst=dst, kind=kind, sport=sport, version=2), "DROP_STRAY")


class BoundByAnother(CfnTest):
    """A request that another router has bound is only routed: its fields are left to the ingress."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        packet = request(family, dst=NEAR.address(family), hops=0, affinity=0x1234, timestamp=99)
        self.carry(packet, forwarded(packet, TO_NEAR), TO_NEAR, "ROUTED")
