"""Bind: the request is rewritten to its instance, sealed with a cookie, stamped and counted."""

from __future__ import annotations

import random
import time
from itertools import pairwise

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from cfn.cookie import CookieKey
from cfn.scapy_layer import CFN
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import bound_count, default
from ptf_tests.network import (
    FAMILIES,
    FAR,
    NEAR,
    ROUTER,
    SERVICES,
    TO_CORE,
    TO_NEAR,
    Family,
    Instance,
    cookie,
    known,
    service,
)
from ptf_tests.packets import bound, request, residuals


class Rewrite(CfnTest):
    """The destination, hops, timestamp and cookie change, and nothing else; the checksums hold."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for size in (0, 1, 2, 3, 700, 1300):
            sent = request(family, random.randbytes(size), request_id=size)
            received = self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
            self.assertEqual(set(residuals(received).values()), {0})


class EveryField(CfnTest):
    """Fields that are not the router's to set go through with any value."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for byte in (0x00, 0xFF):
            sent = request(
                family,
                flags=byte,
                priority=byte,
                request_id=byte * 0x01010101,
                timestamp=byte * 0x01010101,
                data_in=bytes([byte]) * 16,
                data_out=bytes([byte]) * 16,
                report_status=byte,
                report_load=byte,
                report_queue=byte * 0x0101,
            )
            self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")


class CookieOfAnyKey(CfnTest):
    """The router seals the cookie that `cfn.cookie` computes, for keys and parts drawn at random."""

    def runTest(self) -> None:
        drawn = random.Random(1)
        for _ in range(40):
            key = CookieKey(drawn.getrandbits(32), drawn.getrandbits(32))
            epoch, func, tenant = drawn.randrange(4), drawn.getrandbits(64), drawn.getrandbits(16)
            place = Instance(drawn.getrandbits(14), drawn.getrandbits(16), 1, NEAR.ipv4, NEAR.ipv6)
            family = drawn.choice(FAMILIES)
            added = (
                known(f"{func:#x}"),
                *service(family, f"{func:#x}", (place.bind(), 1)),
            )
            with self.row(f"key {key} epoch {epoch} function {func:#x} tenant {tenant}"):
                self.insert(*added, default("seal_key", "seal_with", key_epoch=epoch, k0=key.k0, k1=key.k1))
                sent = request(family, func_id=func, tenant=tenant)
                sealed = cookie(place, func, tenant, epoch, key)
                self.carry(sent, bound(sent, family, place, sealed), TO_NEAR, "BOUND_NEW")
                self.delete(*added)


class WithoutKey(CfnTest):
    """A router that has no key to seal with gives no cookie, and takes a false one away."""

    rows = (*ROUTER, *SERVICES, default("seal_key", "NoAction"))

    @each_family
    def runTest(self, family: Family) -> None:
        for affinity, outcome in ((0, "BOUND_NEW"), (cookie(FAR) ^ 1, "REBOUND_FORGED")):
            sent = request(family, affinity=affinity)
            self.carry(sent, bound(sent, family, NEAR, 0), TO_NEAR, outcome)


class Timestamp(CfnTest):
    """The timestamp is the router's clock in microseconds: it runs, and no faster than ours."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        stamps: list[int] = []
        start = time.monotonic()
        for request_id in range(20):
            self.send(request(family, request_id=request_id, timestamp=0xDEADBEEF))
            _, received = self.receive()
            stamps.append(Ether(received)[CFN].timestamp)
        elapsed_us = (time.monotonic() - start) * 1e6
        steps = [(later - earlier) % 2**32 for earlier, later in pairwise(stamps)]
        self.assertGreater(min(steps), 0, f"timestamps {stamps}")
        self.assertLess(sum(steps), elapsed_us, f"timestamps {stamps}")


class CountsByMember(CfnTest):
    """Requests are counted by the slot of their member, however it was chosen."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for instance, sent, next_hop, outcome in (
            (NEAR, request(family), TO_NEAR, "BOUND_NEW"),
            (FAR, request(family, affinity=cookie(FAR)), TO_CORE, "BOUND_BY_COOKIE"),
        ):
            packets, octets = bound_count(instance.slot)
            self.carry(sent, bound(sent, family, instance, cookie(instance), next_hop), next_hop, outcome)
            self.assertEqual(bound_count(instance.slot), (packets + 1, octets + len(sent)))


class PortsStay(CfnTest):
    """Routers rewrite addresses and not ports, and any port of the client's will do."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for sport in (0, 1, 53, 23793, 65535):
            sent = request(family, sport=sport)
            received = self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
            self.assertEqual(Ether(received)[UDP].sport, sport)
