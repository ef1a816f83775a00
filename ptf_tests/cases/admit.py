"""Admit: known function, permitted tenant, hops left; else a NACK that says which."""

from __future__ import annotations

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import entry
from ptf_tests.network import (
    CLIENT_PORT,
    FAMILIES,
    NEAR,
    PRIVATE,
    ROUTER,
    SERVICES,
    TENANT,
    TO_NEAR,
    UNKNOWN,
    Family,
    cookie,
    func_match,
    known,
    service,
)
from ptf_tests.packets import bound, nack, request

PRIVATE_SERVICES = tuple(row for family in FAMILIES for row in service(family, "billing/*", (NEAR.bind(), 1)))


class UnknownFunction(CfnTest):
    """A function that no prefix covers, whoever asks."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for tenant in (0, TENANT):
            sent = request(family, func_id=UNKNOWN, tenant=tenant)
            answer = nack(sent, family, NackCode.UNKNOWN_FUNCTION)
            self.carry(sent, answer, CLIENT_PORT, "NACK_UNKNOWN_FUNCTION")


class NotPermitted(CfnTest):
    """A function that is not public is for permitted tenants only."""

    rows = (*ROUTER, *PRIVATE_SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for tenant in (0, TENANT - 1, TENANT + 0x100, 0xFFFF):
            sent = request(family, func_id=PRIVATE, tenant=tenant)
            answer = nack(sent, family, NackCode.NOT_PERMITTED)
            self.carry(sent, answer, CLIENT_PORT, "NACK_NOT_PERMITTED")


class Permitted(CfnTest):
    """The tenant with a permit gets through, with a cookie of its own."""

    rows = (*ROUTER, *PRIVATE_SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, func_id=PRIVATE)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR, PRIVATE)), TO_NEAR, "BOUND_NEW")


class PermitOfPart(CfnTest):
    """A permit for one function of a namespace is none for the others."""

    rows = (*ROUTER, *PRIVATE_SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        tenant = 8
        part = entry("permit", {"tenant": tenant, "func_id": func_match("billing/quote")}, "allow")
        self.insert(part)
        sent = request(family, func_id=PRIVATE, tenant=tenant)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR, PRIVATE, tenant)), TO_NEAR, "BOUND_NEW")
        sent = request(family, func_id=PRIVATE ^ 1, tenant=tenant)
        self.carry(sent, nack(sent, family, NackCode.NOT_PERMITTED), CLIENT_PORT, "NACK_NOT_PERMITTED")
        self.delete(part)


class LongestPrefix(CfnTest):
    """What a longer prefix says of a function holds against the shorter one."""

    rows = (*ROUTER, *PRIVATE_SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        public = known("billing/quote")
        self.insert(public)
        sent = request(family, func_id=PRIVATE, tenant=99)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR, PRIVATE, 99)), TO_NEAR, "BOUND_NEW")
        sent = request(family, func_id=PRIVATE ^ 1, tenant=99)
        self.carry(sent, nack(sent, family, NackCode.NOT_PERMITTED), CLIENT_PORT, "NACK_NOT_PERMITTED")
        self.delete(public)


class HopLimit(CfnTest):
    """The last hop is spent by the router that binds; a request without hops is refused."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, hops=0)
        self.carry(sent, nack(sent, family, NackCode.HOP_LIMIT), CLIENT_PORT, "NACK_HOP_LIMIT")
        for hops in (1, 255):
            sent = request(family, hops=hops)
            self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")


class FirstReasonCounts(CfnTest):
    """Who may not ask is not told more: unknown comes before not permitted, and that before the hop limit."""

    rows = (*ROUTER, *PRIVATE_SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, func_id=UNKNOWN, tenant=0, hops=0)
        self.carry(sent, nack(sent, family, NackCode.UNKNOWN_FUNCTION), CLIENT_PORT, "NACK_UNKNOWN_FUNCTION")
        sent = request(family, func_id=PRIVATE, tenant=0, hops=0)
        self.carry(sent, nack(sent, family, NackCode.NOT_PERMITTED), CLIENT_PORT, "NACK_NOT_PERMITTED")
