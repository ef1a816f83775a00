"""Tenants: signed requests and their replay window, rates, and what bills are made of."""

from __future__ import annotations

import random

from p4runtime_sh import shell
from scapy.packet import Packet

from cfn.auth import TenantKey, authenticate
from cfn.scapy_layer import CFN, CFNAuth
from cfn.wire import NackCode
from cfn.wire import Packet as Datagram
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import entry
from ptf_tests.network import (
    CLIENT_PORT,
    NEAR,
    ROUTER,
    SERVICES,
    TENANT,
    TO_NEAR,
    Family,
    cookie,
    func_match,
)
from ptf_tests.packets import bound, nack, request

TENANT_KEY = TenantKey(0x01234567, 0x89ABCDEF)
AUTH_SLOT = 255
SIGNS = entry(
    "tenant_key", {"tenant": TENANT}, "signs_with", auth_slot=AUTH_SLOT, k0=TENANT_KEY.k0, k1=TENANT_KEY.k1
)
NO_AUTH, WRONG, REPLAYED = 1, 2, 3
"""Details of UNAUTHENTICATED."""
WINDOW = 32
METERED = (TENANT, TENANT + 2)
"""A tenant for each family: a meter that is empty stays so."""


def signed(
    family: Family, sequence: int, sender: int = 3, key: TenantKey = TENANT_KEY, **fields: object
) -> Packet:
    """A request with a true AUTH."""
    sent = request(family, CFNAuth() / b"input", **fields)
    auth = authenticate(key, Datagram.decode(bytes(sent[CFN])).header, sender, sequence)
    sent[CFNAuth].sender, sent[CFNAuth].sequence, sent[CFNAuth].tag = auth.sender, auth.sequence, auth.tag
    return sent


class AuthTest(CfnTest):
    """A test of a tenant that signs; the windows start empty."""

    rows = (*ROUTER, *SERVICES, SIGNS)
    fresh = True

    def accepted(self, family: Family, sent: Packet) -> None:
        """The request is bound, its AUTH passed on."""
        affinity = cookie(NEAR, tenant=sent[CFN].tenant)
        self.carry(sent, bound(sent, family, NEAR, affinity), TO_NEAR, "BOUND_NEW")

    def refused(self, family: Family, sent: Packet, detail: int) -> None:
        """The request comes back as UNAUTHENTICATED."""
        expected = nack(sent, family, NackCode.UNAUTHENTICATED)
        expected[CFN].report_load = detail
        self.carry(sent, expected, CLIENT_PORT, "NACK_UNAUTHENTICATED")


class Signed(AuthTest):
    """A signed request is bound; another tenant's needs no signature."""

    @each_family
    def runTest(self, family: Family) -> None:
        first = 1 if family.name == "v4" else 1000
        for number in range(4):
            fields = {"request_id": random.getrandbits(32), "flags": number, "priority": 255 - number}
            demand = {
                "demand_type": number,
                "demand_grade": 4,
                "demand_latency_ms": 999,
                "demand_cost_ceiling": 7,
            }
            self.accepted(family, signed(family, first + number, **fields, **demand))
        self.accepted(family, request(family, tenant=TENANT + 1))


class NotSigned(AuthTest):
    """Without AUTH, with another key, or with anything changed that the tag vouches for."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.refused(family, request(family), NO_AUTH)
        changes: dict[str, object] = {
            "request_id": 1,
            "data_in": bytes(16),
            "data_out": bytes(16),
            "flags": 1,
            "priority": 9,
            "demand_type": 1,
            "demand_grade": 1,
            "demand_latency_ms": 1,
            "demand_cost_ceiling": 1,
        }
        for name, value in changes.items():
            with self.row(family.name, name):
                sent = signed(family, 5)
                setattr(sent[CFN], name, value)
                self.refused(family, sent, WRONG)
        for name, value in {"sender": 4, "sequence": 6, "tag": 1}.items():
            with self.row(family.name, name):
                sent = signed(family, 5)
                setattr(sent[CFNAuth], name, value)
                self.refused(family, sent, WRONG)
        self.refused(family, signed(family, 5, key=TenantKey(1, 2)), WRONG)
        self.refused(family, signed(family, 0), WRONG)
        self.refused(family, signed(family, 5, sender=256), WRONG)
        self.accepted(family, signed(family, 5 if family.name == "v4" else 6))


class Replayed(AuthTest):
    """Each number counts once, in any order within the window; what is older than the window is refused."""

    @each_family
    def runTest(self, family: Family) -> None:
        sender = int(family.is_ipv6)
        highest, seen = 0, set[int]()
        rng = random.Random(4303)
        numbers = [100, 100, 99, 69, 68, 101, 69, 70, 70, 2**32 - 1, 2**32 - 1, 2**32 - 32, 2**32 - 33, 100]
        walk = [1000 + step * 3 + rng.randrange(-40, 10) for step in range(60)]
        for index, number in enumerate([*walk, *numbers]):
            fresh = number > highest - WINDOW and number not in seen
            with self.row(family.name, index, number):
                sent = signed(family, number, sender)
                if fresh:
                    self.accepted(family, sent)
                    seen.add(number)
                    highest = max(highest, number)
                else:
                    self.refused(family, sent, REPLAYED)
        self.accepted(family, signed(family, 1, sender=200 + sender))


class Metered(CfnTest):
    """Within the committed rate a request goes on, within the peak rate behind others, beyond it not."""

    rows = (
        *ROUTER,
        *SERVICES,
        *(entry("contract", {"tenant": tenant}, "measure", retry_after_ms=250) for tenant in METERED),
    )
    fresh = True

    @each_family
    def runTest(self, family: Family) -> None:
        meter = shell.DirectMeterEntry("rate")
        tenant = METERED[family.is_ipv6]
        meter.table_entry.match["tenant"] = str(tenant)
        # So slow that no token comes back while the test runs.
        meter.cir, meter.cburst, meter.pir, meter.pburst = 1, 3, 1, 6
        meter.modify()
        found: list[str] = []
        for _ in range(12):
            sent = request(family, tenant=tenant)
            self.send(sent)
            port, received = self.receive()
            if port == CLIENT_PORT:
                self.assertEqual(received.hex(), bytes(nack(sent, family, NackCode.RATE_EXCEEDED, 250)).hex())
                found.append("red")
            else:
                octet = received[14] << 8 | received[15]
                traffic_class = octet >> 4 & 0xFF if family.is_ipv6 else octet & 0xFF
                found.append({0: "green", 4: "yellow"}[traffic_class])
        self.settle()
        self.assertEqual(found[0], "green")
        self.assertEqual(found[-1], "red")
        self.assertIn("yellow", found)
        self.assertEqual(found, sorted(found, key=["green", "yellow", "red"].index))
        self.carry(
            request(family, tenant=TENANT + 1),
            bound(request(family, tenant=TENANT + 1), family, NEAR, cookie(NEAR, tenant=TENANT + 1)),
            TO_NEAR,
            "BOUND_NEW",
        )


class Used(CfnTest):
    """Requests and bytes by tenant, service and site, of what was bound and nothing else."""

    SERVICE = 5
    rows = (
        *(row for row in ROUTER if row.table != "function"),
        *SERVICES,
        entry(
            "function",
            {"func_id": func_match("vision/*")},
            "known",
            service=SERVICE,
            public=1,
            per_request=0,
            lead=255,
            flow_s=0,
        ),
        entry("usage", {"tenant": TENANT, "service": SERVICE, "site": NEAR.site}, "count_use"),
    )

    @each_family
    def runTest(self, family: Family) -> None:
        before = self.used()
        size = 0
        for length in (0, 10, 100):
            sent = request(family, bytes(length))
            size += len(bytes(sent))
            self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        self.carry(
            request(family, hops=0),
            nack(request(family, hops=0), family, NackCode.HOP_LIMIT),
            CLIENT_PORT,
            "NACK_HOP_LIMIT",
        )
        other = request(family, tenant=TENANT + 1)
        self.carry(other, bound(other, family, NEAR, cookie(NEAR, tenant=TENANT + 1)), TO_NEAR, "BOUND_NEW")
        after = self.used()
        self.assertEqual((after[0] - before[0], after[1] - before[1]), (3, size))

    def used(self) -> tuple[int, int]:
        """Packets and bytes of the tenant's."""
        cell = shell.DirectCounterEntry("used")
        match = {"tenant": TENANT, "service": self.SERVICE, "site": NEAR.site}
        cell.table_entry.match.set(**{name: str(value) for name, value in match.items()})
        found = next(iter(cell.read()))
        return found.packet_count, found.byte_count
