"""Affinity: a true cookie brings the session back to its instance; any other is as good as none."""

from __future__ import annotations

from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import default, entry
from ptf_tests.network import (
    DETECT,
    EPOCH,
    FAMILIES,
    FAR,
    KEY,
    NEAR,
    NEAR_2,
    NEXT_EPOCH,
    NEXT_KEY,
    NO_IPV4,
    NO_IPV6,
    PRIVATE,
    ROUTER,
    SEGMENT,
    SERVICES,
    TENANT,
    TO_CORE,
    TO_NEAR,
    Family,
    Instance,
    Remote,
    cookie,
    service,
)
from ptf_tests.packets import bound, request

NEW_COOKIE = cookie(NEAR)
"""What a request gets that is bound anew: the services' groups hold `NEAR` alone."""


class Honoured(CfnTest):
    """A true cookie binds to an instance that the group would not choose, and stays as it was."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, affinity=cookie(FAR))
        self.carry(sent, bound(sent, family, FAR, cookie(FAR), TO_CORE), TO_CORE, "BOUND_BY_COOKIE")


class HonouredWithoutGroup(CfnTest):
    """A session goes on while its instance lives, even when the service takes no new ones."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, affinity=cookie(FAR), demand_grade=4)
        self.carry(sent, bound(sent, family, FAR, cookie(FAR), TO_CORE), TO_CORE, "BOUND_BY_COOKIE")


class ForgedCookie(CfnTest):
    """One bit of the cookie is wrong, whichever: bound anew, with a new cookie."""

    rows = (*ROUTER, *SERVICES)

    def runTest(self) -> None:
        for family in FAMILIES:
            for bit in range(62):
                with self.row(family.name, "bit", bit):
                    sent = request(family, affinity=cookie(FAR) ^ 1 << bit)
                    self.carry(sent, bound(sent, family, NEAR, NEW_COOKIE), TO_NEAR, "REBOUND_FORGED")


class Expired(CfnTest):
    """A cookie of an epoch without a key: bound anew."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for epoch in range(4):
            if epoch != EPOCH:
                sent = request(family, affinity=cookie(FAR, epoch=epoch))
                self.carry(sent, bound(sent, family, NEAR, NEW_COOKIE), TO_NEAR, "REBOUND_EXPIRED")


class KeyTakenBack(CfnTest):
    """A cookie is good for as long as its key is there."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        key = entry("cookie_key", {"epoch": NEXT_EPOCH}, "use_key", k0=NEXT_KEY.k0, k1=NEXT_KEY.k1)
        affinity = cookie(FAR, epoch=NEXT_EPOCH, key=NEXT_KEY)
        sent = request(family, affinity=affinity)
        self.insert(key)
        self.carry(sent, bound(sent, family, FAR, affinity, TO_CORE), TO_CORE, "BOUND_BY_COOKIE")
        self.delete(key)
        self.carry(sent, bound(sent, family, NEAR, NEW_COOKIE), TO_NEAR, "REBOUND_EXPIRED")


class TwoEpochs(CfnTest):
    """While keys change over, the old cookies hold and new sessions are sealed with the new key."""

    rows = (
        *ROUTER,
        *SERVICES,
        entry("cookie_key", {"epoch": NEXT_EPOCH}, "use_key", k0=NEXT_KEY.k0, k1=NEXT_KEY.k1),
        default("seal_key", "seal_with", key_epoch=NEXT_EPOCH, k0=NEXT_KEY.k0, k1=NEXT_KEY.k1),
    )

    @each_family
    def runTest(self, family: Family) -> None:
        old, new = cookie(FAR), cookie(FAR, epoch=NEXT_EPOCH, key=NEXT_KEY)
        for affinity in (old, new):
            sent = request(family, affinity=affinity)
            self.carry(sent, bound(sent, family, FAR, affinity, TO_CORE), TO_CORE, "BOUND_BY_COOKIE")
        sent = request(family)
        sealed = cookie(NEAR, epoch=NEXT_EPOCH, key=NEXT_KEY)
        self.carry(sent, bound(sent, family, NEAR, sealed), TO_NEAR, "BOUND_NEW")
        sent = request(family, affinity=cookie(FAR, epoch=EPOCH, key=NEXT_KEY))
        self.carry(sent, bound(sent, family, NEAR, sealed), TO_NEAR, "REBOUND_FORGED")


class BoundToItsUse(CfnTest):
    """A cookie is of one tenant and one function; it is worth nothing for another."""

    rows = (
        *ROUTER,
        *SERVICES,
        *(row for family in FAMILIES for row in service(family, "billing/*", (NEAR.bind(), 1))),
    )

    @each_family
    def runTest(self, family: Family) -> None:
        for stolen, fields in (
            (cookie(FAR), {"tenant": TENANT + 1}),
            (cookie(FAR), {"func_id": SEGMENT}),
            (cookie(FAR), {"func_id": PRIVATE}),
            (cookie(FAR, SEGMENT), {}),
            (cookie(FAR, tenant=0), {}),
        ):
            use = {"func_id": DETECT, "tenant": TENANT} | fields
            sent = request(family, affinity=stolen, **use)
            expected = bound(sent, family, NEAR, cookie(NEAR, use["func_id"], use["tenant"]))
            self.carry(sent, expected, TO_NEAR, "REBOUND_FORGED")


class Dead(CfnTest):
    """A true cookie of an instance that is gone from a live site, or of a site that is gone: bound anew."""

    rows = (*ROUTER, *SERVICES, Instance(3, 1, 9, NEAR.ipv4, NEAR.ipv6).live())

    @each_family
    def runTest(self, family: Family) -> None:
        for site, instance in ((1, 2), (1, 0xFFFF), (0, 0), (2, 1), (3, 1), (0x3FFE, 0xFFFF)):
            sent = request(family, affinity=cookie(Instance(site, instance, 0, NO_IPV4, NO_IPV6)))
            self.carry(sent, bound(sent, family, NEAR, NEW_COOKIE), TO_NEAR, "REBOUND_DEAD")


class DiesAndReturns(CfnTest):
    """Taking a member's row away and giving it back works at once."""

    rows = (*ROUTER, *SERVICES, NEAR_2.live())

    @each_family
    def runTest(self, family: Family) -> None:
        for member, next_hop in ((NEAR_2, TO_NEAR), (FAR, TO_CORE)):
            sent = request(family, affinity=cookie(member))
            self.delete(member.live())
            self.carry(sent, bound(sent, family, NEAR, NEW_COOKIE), TO_NEAR, "REBOUND_DEAD")
            self.insert(member.live())
            expected = bound(sent, family, member, cookie(member), next_hop)
            self.carry(sent, expected, next_hop, "BOUND_BY_COOKIE")


class OtherFamilyOnly(CfnTest):
    """An instance or a site without an address of the request's family is as good as gone for it."""

    rows = (*ROUTER, *SERVICES)

    def runTest(self) -> None:
        for only_v4, only_v6, next_hop in (
            (Instance(1, 4, 30, "10.2.0.4", NO_IPV6), Instance(1, 6, 31, NO_IPV4, "fd00:2::6"), TO_NEAR),
            (Remote(4, 1, 32, "10.3.0.4", NO_IPV6), Remote(6, 1, 33, NO_IPV4, "fd00:3::6"), TO_CORE),
        ):
            self.insert(only_v4.live(), only_v6.live())
            for family, has, has_not in zip(FAMILIES, (only_v4, only_v6), (only_v6, only_v4), strict=True):
                with self.row(family.name, type(has).__name__):
                    sent = request(family, affinity=cookie(has))
                    expected = bound(sent, family, has, cookie(has), next_hop)
                    self.carry(sent, expected, next_hop, "BOUND_BY_COOKIE")
                    sent = request(family, affinity=cookie(has_not))
                    self.carry(sent, bound(sent, family, NEAR, NEW_COOKIE), TO_NEAR, "REBOUND_DEAD")


class Roams(CfnTest):
    """The cookie is not of the client's address or port, so a client that moves keeps its instance."""

    rows = (*ROUTER, *SERVICES)

    @each_family
    def runTest(self, family: Family) -> None:
        for src, sport in ((family.passing, 1024), (family.nowhere, 65535)):
            sent = request(family, src=src, sport=sport, affinity=cookie(FAR, key=KEY))
            self.carry(sent, bound(sent, family, FAR, cookie(FAR), TO_CORE), TO_CORE, "BOUND_BY_COOKIE")
