"""Sites: the client's router sends a request to a site, whose own router chooses among its instances."""

from __future__ import annotations

from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.scapy_layer import CFN
from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_MAC,
    CORE_PORT,
    CORE_PORT_2,
    FAMILIES,
    FAR,
    HOME,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    PRIVATE,
    ROUTER,
    TO_CORE,
    TO_NEAR,
    UNKNOWN,
    Family,
    Home,
    Instance,
    Member,
    Remote,
    cookie,
    draw,
    service,
)
from ptf_tests.packets import bound, nack, request, residuals

STAMP = 0xDEADBEEF
"""A timestamp that no clock of a test shows."""
BETTER_ELSEWHERE = tuple(row for family in FAMILIES for row in service(family, "vision/*", (FAR.bind(), 1)))
HOME_ELSEWHERE = Remote(HOME.site, NEAR.instance, HOME.slot, "10.3.0.7", "fd00:3::7")
"""The site as another router knows it."""
AT_HOME = tuple(
    row for family in FAMILIES for row in service(family, "vision/*", (NEAR.bind(), 1), scope=HOME.site)
)


def to_site(family: Family, **fields: object) -> Packet:
    """A request that another router sent to the site here."""
    sent = request(family, dst=HOME.address(family), timestamp=STAMP, **fields)
    sent[Ether].src = CORE_MAC
    return sent


def bound_at_site(sent: Packet, family: Family, member: Member, affinity: int) -> Packet:
    """The request on its way to an instance, with the timestamp of the client's router."""
    out = bound(sent, family, member, affinity)
    out[CFN].timestamp = sent[CFN].timestamp
    return out


class SentToSite(CfnTest):
    """The client's router writes the site's address, stamps, takes a false cookie away, and seals none."""

    rows = (*ROUTER, *BETTER_ELSEWHERE, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        for affinity, outcome in (
            (0, "BOUND_NEW"),
            (cookie(FAR) ^ 1, "REBOUND_FORGED"),
            (cookie(FAR, epoch=3), "REBOUND_EXPIRED"),
            (cookie(NEAR_2), "REBOUND_DEAD"),
        ):
            for size in (0, 1, 700):
                sent = request(family, bytes(size), affinity=affinity, timestamp=STAMP)
                received = self.carry(sent, bound(sent, family, FAR, 0, TO_CORE), TO_CORE, outcome)
                self.assertNotEqual(Ether(received)[CFN].timestamp, STAMP)
                self.assertEqual(set(residuals(received).values()), {0})


class KeptAtSite(CfnTest):
    """A true cookie of a remote site's goes there, and stays as it is for the site's own router."""

    rows = (*ROUTER, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, affinity=cookie(FAR), timestamp=STAMP)
        expected = bound(sent, family, FAR, cookie(FAR), TO_CORE)
        received = self.carry(sent, expected, TO_CORE, "BOUND_BY_COOKIE")
        self.assertNotEqual(Ether(received)[CFN].timestamp, STAMP)


class BoundAtSite(CfnTest):
    """The site's router binds to its instances by rows of their own, seals, and leaves the timestamp."""

    rows = (*ROUTER, *BETTER_ELSEWHERE, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        for port in (CORE_PORT, CORE_PORT_2):
            for affinity, outcome in (
                (0, "BOUND_NEW"),
                (1, "REBOUND_EXPIRED"),
                (cookie(NEAR), "BOUND_BY_COOKIE"),
            ):
                sent = to_site(family, affinity=affinity)
                expected = bound_at_site(sent, family, NEAR, cookie(NEAR))
                received = self.carry(sent, expected, TO_NEAR, outcome, port)
                self.assertEqual(set(residuals(received).values()), {0})


class NeverSentOn(CfnTest):
    """A request for this site with a true cookie of another is bound here: it is sent to no third place."""

    rows = (*ROUTER, *BETTER_ELSEWHERE, *AT_HOME, Remote(2, 1, 20, "10.3.0.2", "fd00:3::2").live())

    @each_family
    def runTest(self, family: Family) -> None:
        for affinity in (cookie(FAR), cookie(Remote(2, 1, 0, "", ""))):
            sent = to_site(family, affinity=affinity)
            expected = bound_at_site(sent, family, NEAR, cookie(NEAR))
            self.carry(sent, expected, TO_NEAR, "REBOUND_DEAD", CORE_PORT)


class NoInstanceAtSite(CfnTest):
    """Where the site has none for the function, the client is told; rows of other scopes are not for it."""

    rows = (*ROUTER, *BETTER_ELSEWHERE)

    @each_family
    def runTest(self, family: Family) -> None:
        other = service(family, "vision/*", (NEAR.bind(), 1), scope=HOME.site + 1)
        self.insert(*other)
        for affinity in (0, cookie(FAR), cookie(NEAR_2)):
            sent = to_site(family, affinity=affinity)
            self.carry(
                sent, nack(sent, family, NackCode.NO_CAPACITY), CORE_PORT, "NACK_NO_CAPACITY", CORE_PORT
            )
        self.delete(*other)


class ScopeIsNotForAll(CfnTest):
    """Rows of a site's are not for requests to the anycast address."""

    rows = (*ROUTER, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family)
        self.carry(sent, nack(sent, family, NackCode.DEMAND_UNMET), CLIENT_PORT, "NACK_DEMAND_UNMET")


class FromTheEdge(CfnTest):
    """Only another router may ask for a site; a host may not choose."""

    rows = (*ROUTER, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        for port in (CLIENT_PORT, NEAR_PORT):
            for affinity in (0, cookie(NEAR)):
                sent = to_site(family, affinity=affinity)
                self.carry(sent, nack(sent, family, NackCode.NOT_PERMITTED), port, "NACK_NOT_PERMITTED", port)


class RefusedAtSite(CfnTest):
    """A refusal comes from the anycast address, out of the port that the request came from."""

    rows = (*ROUTER, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        for code, fields in (
            (NackCode.UNKNOWN_FUNCTION, {"func_id": UNKNOWN}),
            (NackCode.NOT_PERMITTED, {"func_id": PRIVATE, "tenant": 99}),
            (NackCode.NO_CAPACITY, {"func_id": PRIVATE}),
            (NackCode.HOP_LIMIT, {"hops": 0}),
            (NackCode.MALFORMED, {"version": 2}),
        ):
            sent = to_site(family, **fields)
            answer = nack(sent, family, code)
            received = self.carry(sent, answer, CORE_PORT, f"NACK_{code.name}", CORE_PORT)
            self.assertEqual(Ether(received)[family.header].src, family.anycast)
            self.assertEqual(set(residuals(received).values()), {0})


class HopsSpent(CfnTest):
    """Each of the two routers spends a hop: with one, a request reaches the site's router and no further."""

    rows = (*ROUTER, *BETTER_ELSEWHERE, *AT_HOME)

    @each_family
    def runTest(self, family: Family) -> None:
        for hops in (1, 2):
            sent = request(family, hops=hops)
            out = Ether(self.carry(sent, bound(sent, family, FAR, 0, TO_CORE), TO_CORE, "BOUND_NEW"))
            self.assertEqual(out[CFN].hops, hops - 1)
            there = to_site(family, hops=out[CFN].hops)
            if hops == 1:
                answer = nack(there, family, NackCode.HOP_LIMIT)
                self.carry(there, answer, CORE_PORT, "NACK_HOP_LIMIT", CORE_PORT)
            else:
                expected = bound_at_site(there, family, NEAR, cookie(NEAR))
                self.carry(there, expected, TO_NEAR, "BOUND_NEW", CORE_PORT)


class RoutersDisagree(CfnTest):
    """Of two routers each believes the other's site to be better: a request ends at the second.

    The router under test is one after the other: what it sends as the first comes back to it as the second,
    whose site has the address that the first knew, and is refused or bound there.
    """

    rows = (*ROUTER, *BETTER_ELSEWHERE)

    @each_family
    def runTest(self, family: Family) -> None:
        there = Home(FAR.site, FAR.slot, FAR.ipv4, FAR.ipv6)
        instance = Instance(FAR.site, 1, 21, NEAR.ipv4, NEAR.ipv6)
        second = (there.live(), there.asked_at(family), instance.live(), HOME_ELSEWHERE.live())
        group = service(family, "vision/*", (instance.bind(), 1), scope=there.site)
        other_way = draw(family, "vision/*", (HOME_ELSEWHERE.bind(), 1))
        for affinity, at_first, at_second in (
            (0, "BOUND_NEW", "BOUND_NEW"),
            (cookie(FAR), "BOUND_BY_COOKIE", "REBOUND_DEAD"),
        ):
            sent = request(family, affinity=affinity)
            out = Ether(self.carry(sent, bound(sent, family, FAR, affinity, TO_CORE), TO_CORE, at_first))
            fields = {name: getattr(out[CFN], name) for name in ("affinity", "hops", "timestamp")}
            came = request(family, dst=FAR.address(family), ttl=63, **fields)
            came[Ether].src = CORE_MAC
            self.assertEqual(bytes(came)[14:], bytes(out)[14:])
            self.delete(FAR.live(), HOME.live(), NEAR.live())
            self.modify(other_way)
            self.insert(*second)
            answer = nack(came, family, NackCode.NO_CAPACITY)
            self.carry(came, answer, CORE_PORT, "NACK_NO_CAPACITY", CORE_PORT)
            self.insert(*group)
            expected = bound_at_site(came, family, instance, cookie(instance))
            self.carry(came, expected, TO_NEAR, at_second, CORE_PORT)
            own = request(family)
            expected = bound(own, family, HOME_ELSEWHERE, 0, TO_CORE)
            self.carry(own, expected, TO_CORE, "BOUND_NEW")
            self.delete(*second, *group)
            self.modify(draw(family, "vision/*", (FAR.bind(), 1)))
            self.insert(FAR.live(), HOME.live(), NEAR.live())
