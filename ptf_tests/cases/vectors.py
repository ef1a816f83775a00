"""Vectors: the P4 program takes the bytes and cookies of docs/wire-format.md as codec and scapy layer do."""

from __future__ import annotations

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from cfn.cookie import CookieKey
from cfn.wire import BASE_LENGTH, BASE_WORDS, PORT, VERSION, Kind, NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Entry, default, entry
from ptf_tests.network import (
    ADDRESSES,
    CLIENT_MAC,
    HOME,
    NEAR,
    ROUTER_MAC,
    ROUTES,
    TO_NEAR,
    Family,
    Home,
    Instance,
    known,
    service,
)
from ptf_tests.packets import bound, request
from tests.cfn.vectors import data, load

SEEN_BY_ROUTERS = ("short", "version-2", "kind-unassigned", "length-below-base", "length-beyond-datagram")
"""Malformed vectors whose fault is in the base header; routers don't read extensions."""


def refusal(asked: bytes, code: NackCode) -> bytes:
    """The NACK, put together byte by byte."""
    if len(asked) < BASE_LENGTH:
        asked = bytes(BASE_LENGTH)
    first = bytes([VERSION << 4 | Kind.NACK, asked[1], BASE_WORDS, 0])
    return first + asked[4:68] + bytes([code, 0, 0, 0])


class VectorTest(CfnTest):
    """A router that knows its addresses and routes, and no function."""

    rows = (*ADDRESSES, *ROUTES)

    def expect_refusal(self, family: Family, asked: bytes, code: NackCode) -> None:
        """The datagram comes back as a NACK with every other byte of the header."""
        ip = family.ip(family.client, family.anycast)
        self.send(Ether(src=CLIENT_MAC, dst=ROUTER_MAC) / ip / UDP(sport=40000, dport=PORT) / Raw(asked))
        _, received = self.receive()
        self.assertEqual(bytes(Ether(received)[UDP].payload).hex(), refusal(asked, code).hex())
        self.expect_outcomes(**{f"NACK_{code.name}": 1})


class Headers(VectorTest):
    """Each field is read and written where the document has it."""

    @each_family
    def runTest(self, family: Family) -> None:
        codes = {
            Kind.REQUEST: NackCode.UNKNOWN_FUNCTION,
            Kind.PREFETCH: NackCode.MALFORMED,
            Kind.PROBE: NackCode.MALFORMED,
        }
        asked = [each for each in load("vector") if each["layers"] == "cfn" and Kind[each["kind"]] in codes]
        self.assertTrue(asked)
        for vector in asked:
            with self.row(family.name, vector["name"]):
                self.expect_refusal(family, data(vector), codes[Kind[vector["kind"]]])


class Malformed(VectorTest):
    """What the document calls malformed in the base header is refused as that."""

    @each_family
    def runTest(self, family: Family) -> None:
        asked = [each for each in load("malformed") if each["name"] in SEEN_BY_ROUTERS]
        self.assertEqual(len(asked), len(SEEN_BY_ROUTERS))
        for vector in asked:
            with self.row(family.name, vector["name"]):
                self.expect_refusal(family, data(vector), NackCode.MALFORMED)


class Cookies(VectorTest):
    """The router seals the document's cookies, and takes them for true."""

    @each_family
    def runTest(self, family: Family) -> None:
        vectors = load("cookie")
        self.assertTrue(vectors)
        for vector in vectors:
            key = CookieKey(vector["k0"], vector["k1"])
            place = Instance(vector["site"], vector["instance"], NEAR.slot, NEAR.ipv4, NEAR.ipv6)
            rows = self._serving(family, vector["func_id"], place)
            true = entry("cookie_key", {"epoch": vector["epoch"]}, "use_key", k0=key.k0, k1=key.k1)
            self.insert(*rows, true)
            self.insert(default("seal_key", "seal_with", key_epoch=vector["epoch"], k0=key.k0, k1=key.k1))
            for affinity, outcome in ((0, "BOUND_NEW"), (vector["affinity"], "BOUND_BY_COOKIE")):
                with self.row(family.name, vector["name"], outcome):
                    fields = {"func_id": vector["func_id"], "tenant": vector["tenant"], "affinity": affinity}
                    sent = request(family, **fields)
                    self.carry(sent, bound(sent, family, place, vector["affinity"]), TO_NEAR, outcome)
            self.delete(*rows, true)

    @staticmethod
    def _serving(family: Family, func_id: int, place: Instance) -> tuple[Entry, ...]:
        return (
            known(f"{func_id:#x}"),
            *service(family, f"{func_id:#x}", (place.bind(), 1)),
            Home(place.site, HOME.slot, HOME.ipv4, HOME.ipv6).live(),
            place.live(),
        )
