"""Neighbour: ARP and neighbour solicitations for the router's addresses."""

from __future__ import annotations

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Padding

from ptf_tests.base import CfnTest
from ptf_tests.network import CLIENT_MAC, CLIENT_PORT, ROUTER_MAC, V4, V6
from ptf_tests.packets import BROADCAST, LINK_LOCAL, SOLICITED, residuals, solicit, who_has


class ArpAnswered(CfnTest):
    """A request for one of our addresses, broadcast or (RFC 1122, section 2.3.2.1) unicast, is answered."""

    def runTest(self) -> None:
        answer = Ether(src=ROUTER_MAC, dst=CLIENT_MAC) / ARP(
            op=2, hwsrc=ROUTER_MAC, psrc=V4.router, hwdst=CLIENT_MAC, pdst=V4.client
        )
        for dst in (BROADCAST, ROUTER_MAC):
            for padding in (b"", bytes(18)):
                with self.row(dst, "padded" if padding else "bare"):
                    asked = who_has(V4.router)
                    asked[Ether].dst = dst
                    padded = answer / Padding(padding) if padding else answer
                    self.carry(
                        asked / Padding(padding) if padding else asked, padded, CLIENT_PORT, "ARP_ANSWERED"
                    )


class ArpNotAnswered(CfnTest):
    """Requests for others, replies, and what is not Ethernet and IPv4."""

    def runTest(self) -> None:
        asked = bytes(who_has(V4.router))
        for name, packet in {
            "another's address": who_has(V4.nowhere),
            "a reply": who_has(V4.router, op=2),
            "not Ethernet": who_has(V4.router, hwtype=6),
            "not IPv4": who_has(V4.router, ptype=0x86DD),
            "hardware length": asked[:18] + b"\x08" + asked[19:],
            "protocol length": asked[:19] + b"\x10" + asked[20:],
            "cut short": asked[:41],
        }.items():
            with self.row(name):
                self.refuse(packet, "DROP_NOT_FOR_US")


class NdAnswered(CfnTest):
    """A solicitation for one of our addresses, multicast or (RFC 4861, section 7.3) unicast, is answered."""

    def runTest(self) -> None:
        for src in (LINK_LOCAL, V6.client):
            for dst in (SOLICITED, V6.router):
                with self.row("from", src, "to", dst):
                    answer = (
                        Ether(src=ROUTER_MAC, dst=CLIENT_MAC)
                        / IPv6(src=V6.router, dst=src, hlim=255)
                        / ICMPv6ND_NA(tgt=V6.router, R=1, S=1, O=1)
                        / ICMPv6NDOptDstLLAddr(lladdr=ROUTER_MAC)
                    )
                    received = self.carry(solicit(V6.router, src, dst), answer, CLIENT_PORT, "ND_ANSWERED")
                    self.assertEqual(residuals(received), {"icmpv6": 0})


class NdNotAnswered(CfnTest):
    """Solicitations for others, and those that RFC 4861, section 7.1.1, tells a node to discard."""

    def runTest(self) -> None:
        bare = Ether(src=CLIENT_MAC, dst="33:33:ff:00:00:00") / IPv6(src=LINK_LOCAL, dst=SOLICITED, hlim=255)
        target_option = ICMPv6NDOptDstLLAddr(lladdr=CLIENT_MAC)
        for name, packet in {
            "another's address": solicit(V6.nowhere),
            "came over a router": solicit(V6.router, hlim=254),
            "code 1": bare / ICMPv6ND_NS(tgt=V6.router, code=1) / ICMPv6NDOptSrcLLAddr(lladdr=CLIENT_MAC),
            "an advertisement": bare / ICMPv6ND_NA(tgt=V6.router) / target_option,
            "of an unspecified address": bare / ICMPv6ND_NS(tgt=V6.router),
            "another option": bare / ICMPv6ND_NS(tgt=V6.router) / target_option,
            "cut short": bytes(solicit(V6.router))[:-1],
        }.items():
            with self.row(name):
                self.refuse(packet, "DROP_NOT_FOR_US")
