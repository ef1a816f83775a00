"""Flows of hosts that echo no cookies: kept through changes of weight, bounded, counted when full."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice
from zlib import crc32

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import entry
from ptf_tests.network import (
    DETECT,
    FAR,
    NEAR,
    NEAR_2,
    ROUTER,
    TENANT,
    TO_CORE,
    TO_NEAR,
    Family,
    cookie,
    func_match,
    service,
)
from ptf_tests.packets import bound, flows, request

FLOWS = 400
BUCKETS, CELLS, FLOW_SALT = 2 * 16384, 4, 0x85EBCA6B
"""As in flows.p4 and sizes.p4."""
REMEMBERED = entry(
    "function",
    {"func_id": func_match("vision/*")},
    "known",
    service=1,
    public=1,
    per_request=0,
    lead=255,
    flow_s=255,
)


class FlowTest(CfnTest):
    """A test with a service that remembers its flows; the cells start empty."""

    rows = (*(row for row in ROUTER if row.match != REMEMBERED.match), REMEMBERED, NEAR_2.live())
    fresh = True


class Remembered(FlowTest):
    """A flow without a cookie goes where it went, though its group has another member now."""

    @each_family
    def runTest(self, family: Family) -> None:
        before, after = (
            service(family, "vision/*", (NEAR.bind(), 1)),
            service(family, "vision/*", (NEAR_2.bind(), 1)),
        )
        self.insert(*before)
        sent = request(family)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        self.modify(*after)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_BY_FLOW")
        for name, other in {
            "port": request(family, sport=40001),
            "client": request(family, src=family.passing),
            "tenant": request(family, tenant=TENANT + 1),
            "function": request(family, func_id=DETECT + 1),
        }.items():
            with self.row(family.name, "another", name):
                self.send(other)
                self.receive()
                self.expect_outcomes(BOUND_NEW=1)
        with_cookie = request(family, affinity=cookie(NEAR_2))
        self.carry(
            with_cookie, bound(with_cookie, family, NEAR_2, cookie(NEAR_2)), TO_NEAR, "BOUND_BY_COOKIE"
        )


class Forgotten(FlowTest):
    """What a flow was bound to and is gone is chosen anew, and remembered so."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR_2.bind(), 1)))
        sent = request(family)
        self.carry(sent, bound(sent, family, NEAR_2, cookie(NEAR_2)), TO_NEAR, "BOUND_NEW")
        self.modify(*service(family, "vision/*", (NEAR.bind(), 1)))
        self.delete(NEAR_2.live())
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "REBOUND_DEAD")
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_BY_FLOW")
        self.insert(NEAR_2.live())


class KeptTogether(FlowTest):
    """Many flows over two members stay where they are while the weights turn round."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 3), (FAR.bind(), 1)))
        packets = flows(family, FLOWS)
        first = self.where(packets)
        self.expect_outcomes(BOUND_NEW=FLOWS)
        self.assertEqual(set(first.values()), {TO_NEAR.port, TO_CORE.port})
        self.modify(*service(family, "vision/*", (NEAR.bind(), 1), (FAR.bind(), 3)))
        again = self.where(packets)
        self.expect_outcomes(BOUND_BY_FLOW=FLOWS)
        self.assertEqual(again, first)

    def where(self, packets: list[bytes]) -> dict[int, int]:
        """The port that each flow, by its client's UDP port, leaves by."""
        return {Ether(frame)[UDP].sport: port for port, frame in self.carry_all(packets)}


class Overflow(FlowTest):
    """A flow whose places are all taken by others that live is drawn by hash each time, and counted so."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 1)))
        victim = (40000, TENANT)
        for bucket in buckets(family, *victim):
            for sport, tenant in islice(in_bucket(family, bucket, victim), CELLS):
                sent = request(family, sport=sport, tenant=tenant)
                affinity = cookie(NEAR, tenant=tenant)
                self.carry(sent, bound(sent, family, NEAR, affinity), TO_NEAR, "BOUND_NEW")
        sent = request(family, sport=victim[0])
        for _ in range(2):
            self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_FLOW_UNKEPT")


def buckets(family: Family, sport: int, tenant: int) -> tuple[int, int]:
    """Where a flow of the client's for DETECT may be, as in flows.p4."""
    client = int(ip_address(family.client)).to_bytes(16)
    port, function, who = sport.to_bytes(2), DETECT.to_bytes(8), tenant.to_bytes(2)
    first = crc32(client + port + function + who)
    second = crc32(who + function + port + client + FLOW_SALT.to_bytes(4))
    return first % BUCKETS, second % BUCKETS


def in_bucket(family: Family, bucket: int, but: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Flows, by port and tenant, that look for their place in this bucket first."""
    flows_there = ((sport, tenant) for tenant in range(1000, 1100) for sport in range(1024, 65536))
    return (flow for flow in flows_there if flow != but and buckets(family, *flow)[0] == bucket)
