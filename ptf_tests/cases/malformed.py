"""Malformed: headers cut short, impossible lengths and noise never stop the router; each is accounted for."""

from __future__ import annotations

import random

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from cfn.scapy_layer import CFN
from cfn.wire import BASE_LENGTH, NackCode
from ptf_tests.base import WINDOW, CfnTest
from ptf_tests.network import (
    CLIENT_MAC,
    CLIENT_PORT,
    FAMILIES,
    NEAR,
    ROUTER,
    ROUTER_MAC,
    SERVICES,
    TO_NEAR,
    V4,
    Family,
    cookie,
)
from ptf_tests.packets import bound, nack, request

ETHERNET, UDP_HEADER = 14, 8
ETHER_TYPES = (0x0800, 0x86DD, 0x0806)
SHORTEST_FRAME = 15
"""Bytes of the shortest frame that Linux puts on a wire."""


def headers(family: Family) -> tuple[int, int, int]:
    """Where IP, UDP and CFN headers end in a request's frame."""
    ip = ETHERNET + (40 if family.is_ipv6 else 20)
    return ip, ip + UDP_HEADER, ip + UDP_HEADER + BASE_LENGTH


def bare(family: Family, payload: bytes, **udp: int) -> Packet:
    """A datagram to the CFN port of the anycast address."""
    ip = family.ip(family.client, family.anycast)
    return Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / ip / UDP(sport=40000, dport=23793, **udp) / Raw(payload)


def empty_nack(sent: Packet, family: Family) -> Packet:
    """The answer to what was too short to hold a header: all zero but the reason."""
    answer = nack(sent, family, NackCode.MALFORMED)
    udp = answer[UDP]
    udp.remove_payload()
    zero = {"tenant": 0, "hops": 0, "request_id": 0}
    return answer / CFN(kind=5, report_status=NackCode.MALFORMED, **zero)


class MalformedTest(CfnTest):
    """A router that could serve what is asked of it; afterwards it still does."""

    rows = (*ROUTER, *SERVICES)

    def tearDown(self) -> None:
        for family in FAMILIES:
            sent = request(family)
            self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        super().tearDown()

    def expect_malformed(self, sent: Packet, family: Family) -> None:
        """A NACK with the header comes back."""
        self.carry(sent, nack(sent, family, NackCode.MALFORMED), CLIENT_PORT, "NACK_MALFORMED")


class CutShort(MalformedTest):
    """A request's frame that ends at each of its bytes, with the lengths of the whole in its headers."""

    def runTest(self) -> None:
        for family in FAMILIES:
            whole = bytes(request(family, b""))
            ip_end, udp_end, cfn_end = headers(family)
            self.assertEqual(len(whole), cfn_end)
            for size in range(SHORTEST_FRAME, cfn_end):
                with self.row(family.name, size, "bytes"):
                    if size < ip_end:
                        self.refuse(whole[:size], "DROP_NOT_FOR_US")
                    elif size < udp_end:
                        self.refuse(whole[:size], "DROP_LOCAL")
                    else:
                        self.send(whole[:size])
                        self.expect(empty_nack(request(family, b""), family), CLIENT_PORT)
                        self.expect_outcomes(NACK_MALFORMED=1)


class TooShort(MalformedTest):
    """A true datagram that is too short to hold the header."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for size in range(BASE_LENGTH):
                with self.row(family.name, size, "bytes"):
                    sent = bare(family, bytes(CFN())[:size])
                    self.carry(sent, empty_nack(sent, family), CLIENT_PORT, "NACK_MALFORMED")


class PaddedFrame(MalformedTest):
    """Ethernet's padding behind a datagram that is too short is not its header."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for size in (0, 3, 71):
                with self.row(family.name, size, "bytes"):
                    sent = bare(family, bytes(CFN())[:size])
                    answer = empty_nack(sent, family)
                    self.send(bytes(sent) + bytes(CFN(tenant=1)) + bytes(40))
                    self.expect(answer, CLIENT_PORT)
                    self.expect_outcomes(NACK_MALFORMED=1)


class CfnHeader(MalformedTest):
    """Versions, kinds and lengths that are not this protocol's."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for fields in (
                *({"version": version} for version in range(16) if version != 1),
                *({"kind": kind} for kind in (0, 3, 4, *range(6, 16))),
                *({"length": length} for length in (0, 1, 17, 24, 255)),
            ):
                with self.row(family.name, fields):
                    sent = request(family, bytes(23), **fields)
                    self.expect_malformed(sent, family)
            for length, size in ((18, 0), (18, 23), (19, 4), (23, 20), (255, 1020 - BASE_LENGTH)):
                with self.row(family.name, "length", length, "is right with a payload of", size):
                    sent = request(family, bytes(size), length=length)
                    self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")


class UdpLength(MalformedTest):
    """A UDP length that the IP packet doesn't have room for, or that has no room for a header."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for length in (104, 1000, 0xFFFF):
                with self.row(family.name, length):
                    sent = request(family)
                    sent[UDP].len = length
                    self.expect_malformed(sent, family)
            for length in (0, 7, 8, 79):
                with self.row(family.name, length):
                    sent = request(family)
                    sent[UDP].len = length
                    self.send(sent)
                    self.expect(empty_nack(sent, family), CLIENT_PORT)
                    self.expect_outcomes(NACK_MALFORMED=1)


class IpLength(MalformedTest):
    """An IP length with no room for the UDP datagram."""

    def runTest(self) -> None:
        for family in FAMILIES:
            whole = request(family)
            field, header = ("plen", 0) if family.is_ipv6 else ("len", 20)
            for room in (0, 7, 8, 79, len(whole[UDP]) - 1):
                with self.row(family.name, "room for", room):
                    sent = request(family)
                    setattr(sent[family.header], field, header + room)
                    sent[UDP].len = len(whole[UDP])
                    self.expect_malformed(sent, family)


class FirstFragment(MalformedTest):
    """A request must come whole: its first fragment is answered by a whole packet; later ones can't be."""

    def runTest(self) -> None:
        sent = request(V4, bytes(400))
        sent[UDP].len = 8 + 72 + 800
        sent[V4.header].flags = "MF"
        answer = nack(sent, V4, NackCode.MALFORMED)
        answer[V4.header].flags = 0
        self.carry(sent, answer, CLIENT_PORT, "NACK_MALFORMED")
        later = request(V4, bytes(400))
        later[V4.header].frag = 60
        self.refuse(later, "DROP_LOCAL")


class Noise(MalformedTest):
    """Random frames, and random bytes where headers should be: all are counted, none stops the router."""

    def runTest(self) -> None:
        drawn = random.Random(7)
        for _ in range(20):
            for _ in range(WINDOW):
                self.send(drawn.randbytes(drawn.randrange(SHORTEST_FRAME, 200)))
            self.settle()
            for _ in range(WINDOW):
                ethernet = bytes(Ether(src=CLIENT_MAC, dst=ROUTER_MAC, type=drawn.choice(ETHER_TYPES)))
                self.send(ethernet + drawn.randbytes(drawn.randrange(1, 200)))
            self.settle()
