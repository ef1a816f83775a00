"""Checksums as the receiver sums them: right after every rewrite, and as wrong as they came."""

from __future__ import annotations

import random

from scapy.layers.inet import ICMP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.network import (
    CLIENT_MAC,
    CLIENT_PORT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_PORT,
    ROUTER,
    ROUTER_MAC,
    SERVICES,
    TO_CLIENT,
    TO_CORE,
    TO_NEAR,
    UNKNOWN,
    V4,
    Family,
    cookie,
)
from ptf_tests.packets import bound, forwarded, nack, request, residuals, response, restored


class ChecksumTest(CfnTest):
    """A router that rewrites in all its ways."""

    rows = (*ROUTER, *SERVICES)

    def through(self, packet: Packet, port: int = CLIENT_PORT) -> bytes:
        """The frame that comes out for one that goes in."""
        self.send(packet, port)
        return self.receive()[1]


class HoldsAfterRewrites(ChecksumTest):
    """Every way of being rewritten, with payloads of any size and content."""

    def runTest(self) -> None:
        drawn = random.Random(3)
        for family in FAMILIES:
            for size in (0, 1, 2, 7, 8, 63, 511, 1301):
                payload = drawn.randbytes(size)
                fields = {"request_id": drawn.getrandbits(32), "timestamp": drawn.getrandbits(32)}
                plain = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / family.ip(family.client, NEAR.address(family))
                for name, packet, port in (
                    ("bound", request(family, payload, **fields), CLIENT_PORT),
                    (
                        "bound by cookie",
                        request(family, payload, affinity=cookie(FAR), **fields),
                        CLIENT_PORT,
                    ),
                    (
                        "rebound",
                        request(family, payload, affinity=drawn.getrandbits(64), **fields),
                        CLIENT_PORT,
                    ),
                    ("refused", request(family, payload, func_id=UNKNOWN, **fields), CLIENT_PORT),
                    ("restored", response(family, NEAR, payload, affinity=cookie(NEAR), **fields), NEAR_PORT),
                    ("passed on", response(family, NEAR, payload, affinity=0, **fields), NEAR_PORT),
                    ("routed", plain / UDP(sport=1, dport=2) / payload, CLIENT_PORT),
                ):
                    with self.row(family.name, name, size):
                        found = residuals(self.through(packet, port))
                        self.assertEqual(found, {"udp": 0} if family.is_ipv6 else {"ipv4": 0, "udp": 0})


class NoneStaysNone(ChecksumTest):
    """A datagram over IPv4 without UDP checksum (RFC 768) stays so."""

    def runTest(self) -> None:
        asked, true, untrue = request(V4), response(V4, NEAR, affinity=cookie(NEAR)), response(V4, NEAR)
        for sent in (asked, true, untrue):
            sent[UDP].chksum = 0
        for sent, expected, next_hop, outcome, port in (
            (asked, bound(asked, V4, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW", CLIENT_PORT),
            (true, restored(true, V4), TO_CLIENT, "RESPONDED", NEAR_PORT),
            (untrue, forwarded(untrue, TO_CLIENT), TO_CLIENT, "RESPONSE_UNVERIFIED", NEAR_PORT),
        ):
            with self.row(outcome):
                self.carry(sent, expected, next_hop, outcome, port)


class ZeroIsSentAsOnes(ChecksumTest):
    """A sum of zero is sent as 0xffff: zero would say that there is none (RFC 768; RFC 8200, 8.1)."""

    def as_ones(self, expected: Packet) -> Packet:
        """Look at what is expected: its checksum is to be all ones."""
        self.assertEqual(Ether(bytes(expected))[UDP].chksum, 0xFFFF)
        return expected

    @each_family
    def runTest(self, family: Family) -> None:
        # With its own checksum as a word of the payload, or of data_out, a datagram sums to zero.
        sent = response(family, NEAR, bytes(2), affinity=cookie(NEAR))
        word = Ether(bytes(restored(sent, family)))[UDP].chksum
        sent = response(family, NEAR, word.to_bytes(2, "big"), affinity=cookie(NEAR))
        self.carry(sent, self.as_ones(restored(sent, family)), TO_CLIENT, "RESPONDED", NEAR_PORT)

        fields = {"func_id": UNKNOWN, "data_out": bytes(16)}
        word = Ether(bytes(nack(request(family, **fields), family, NackCode.UNKNOWN_FUNCTION)))[UDP].chksum
        sent = request(family, **fields | {"data_out": bytes(14) + word.to_bytes(2, "big")})
        answer = self.as_ones(nack(sent, family, NackCode.UNKNOWN_FUNCTION))
        self.carry(sent, answer, CLIENT_PORT, "NACK_UNKNOWN_FUNCTION")


class OnesComeAndGo(ChecksumTest):
    """A checksum of 0xffff that comes in is a sum of zero like any other, rewritten or not."""

    @each_family
    def runTest(self, family: Family) -> None:
        for affinity, outcome in ((cookie(NEAR), "RESPONDED"), (0, "RESPONSE_UNVERIFIED")):
            sent = response(family, NEAR, bytes(2), affinity=affinity)
            word = Ether(bytes(sent))[UDP].chksum
            sent = response(family, NEAR, word.to_bytes(2, "big"), affinity=affinity)
            self.assertEqual(Ether(bytes(sent))[UDP].chksum, 0xFFFF)
            expected = restored(sent, family) if affinity else forwarded(sent, TO_CLIENT)
            self.carry(sent, expected, TO_CLIENT, outcome, NEAR_PORT)
        sent = request(family, bytes(2))
        word = Ether(bytes(sent))[UDP].chksum
        sent = request(family, word.to_bytes(2, "big"))
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")


class DamageStaysVisible(ChecksumTest):
    """A datagram that came damaged is as wrong when it leaves; a NACK, which is new, is right."""

    @each_family
    def runTest(self, family: Family) -> None:
        for wrong_by in (1, 0x0100, 0x7FFF, 0xFFFE):
            for packet, port in (
                (request(family), CLIENT_PORT),
                (request(family, affinity=cookie(FAR)), CLIENT_PORT),
                (response(family, NEAR, affinity=cookie(NEAR)), NEAR_PORT),
                (response(family, NEAR, affinity=0), NEAR_PORT),
            ):
                right = Ether(bytes(packet))[UDP].chksum
                packet[UDP].chksum = (right + wrong_by) % 0xFFFF or 0xFFFF
                came = residuals(bytes(packet))["udp"]
                self.assertNotEqual(came, 0)
                self.assertEqual(residuals(self.through(packet, port))["udp"], came)
            refused = request(family, func_id=UNKNOWN)
            refused[UDP].chksum = wrong_by
            self.assertEqual(residuals(self.through(refused))["udp"], 0)


class Ipv4HeaderSums(ChecksumTest):
    """The header checksum for every TTL, and where it comes to zero, a sum as any other."""

    def runTest(self) -> None:
        plain = Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / V4.ip(V4.client, NEAR.ipv4) / UDP(sport=1, dport=2)
        for ttl in range(2, 256):
            plain[V4.header].ttl = ttl
            self.carry(plain, forwarded(plain, TO_NEAR), TO_NEAR, "ROUTED")
        for sent, after, next_hop, outcome in (
            (plain, lambda sent: forwarded(sent, TO_NEAR), TO_NEAR, "ROUTED"),
            (request(V4), lambda sent: bound(sent, V4, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW"),
            (
                request(V4, affinity=cookie(FAR)),
                lambda sent: bound(sent, V4, FAR, cookie(FAR), TO_CORE),
                TO_CORE,
                "BOUND_BY_COOKIE",
            ),
            (
                Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / V4.ip(V4.client, NEAR.ipv4) / ICMP(),
                lambda sent: forwarded(sent, TO_NEAR),
                TO_NEAR,
                "ROUTED",
            ),
        ):
            with self.row(outcome):
                sent[V4.header].id = 0
                sent[V4.header].id = Ether(bytes(after(sent)))[V4.header].chksum
                expected = after(sent)
                self.assertEqual(Ether(bytes(expected))[V4.header].chksum, 0)
                self.carry(sent, expected, next_hop, outcome)
