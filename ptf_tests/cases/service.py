"""Service: function prefix, family and demand class give a group; its weights draw the member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address

from p4runtime_sh import shell
from p4runtime_sh.p4runtime import P4RuntimeWriteException
from scapy.packet import Packet

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Call
from ptf_tests.network import (
    CLIENT_PORT,
    DETECT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    PRIVATE,
    ROUTER,
    SEGMENT,
    TENANT,
    TO_CORE,
    TO_NEAR,
    Family,
    Member,
    draw,
    group_of,
    known,
    sealed,
    service,
    service_row,
)
from ptf_tests.packets import bound, flows, nack, request

FLOWS = 1000
CHI_SQUARED = {1: 10.83, 2: 13.82}
"""Critical values at 0.1 % by degrees of freedom; the flows are the same in each run."""
MEMBERS = (NEAR, NEAR_2, FAR)
PER_REQUEST = known("vision/segment", per_request=1)


class ServiceTest(CfnTest):
    """A test that looks at which member each request went to."""

    def drawn(self, family: Family, packets: Iterable[Packet | bytes]) -> list[Member]:
        """The members that requests were bound to, in their order."""
        by_address = {ip_address(member.address(family)).packed: member for member in MEMBERS}
        place = slice(38, 54) if family.is_ipv6 else slice(30, 34)
        return [by_address[frame[place]] for _, frame in self.carry_all(packets)]

    def assert_follows(self, weights: dict[Member, int], drawn: list[Member]) -> None:
        """Pearson's chi-squared test of the draws against the weights."""
        counts, total = Counter(drawn), sum(weights.values())
        expected = {member: len(drawn) * weight / total for member, weight in weights.items()}
        self.assertEqual(set(counts), {member for member, weight in weights.items() if weight})
        statistic = sum((counts[member] - share) ** 2 / share for member, share in expected.items())
        found = [counts[member] for member in weights]
        wanted = [round(share) for share in expected.values()]
        self.assertLess(statistic, CHI_SQUARED[len(weights) - 1], f"expected {wanted}, found {found}")


class Weights(ServiceTest):
    """Flows are spread by weight, from equal to the whole of what a group may hold."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for weights in ((1, 1), (1, 3), (5, 3, 2), (1, 9), (16, 240), (200, 50, 6)):
                with self.row(family.name, *weights):
                    shares = dict(zip(MEMBERS, weights, strict=False))
                    group = service(
                        family, "vision/*", *((to.bind(), weight) for to, weight in shares.items())
                    )
                    self.insert(*group)
                    self.assert_follows(shares, self.drawn(family, flows(family, FLOWS)))
                    self.expect_outcomes(BOUND_NEW=FLOWS)
                    self.delete(*group)


class FlowSticks(ServiceTest):
    """Requests of one flow are drawn alike, whatever their number and content."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", *((member.bind(), 1) for member in MEMBERS)))
        for sport in range(5000, 5012):
            packets = [request(family, bytes(n), sport=sport, request_id=n, priority=n) for n in range(12)]
            self.assertEqual(len(set(self.drawn(family, packets))), 1)


class FlowIsOfAFunction(ServiceTest):
    """The draws of a flow for different functions are independent."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 1), (FAR.bind(), 1)))
        packets = [request(family, func_id=DETECT & ~0xFFFF | n) for n in range(200)]
        self.assert_follows({NEAR: 1, FAR: 1}, self.drawn(family, packets))


class EachRequestDrawn(ServiceTest):
    """Where the service says so, each request of a flow is drawn anew, by weight."""

    rows = (*ROUTER, PER_REQUEST)

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 3), (FAR.bind(), 1)))
        packets = [request(family, b"", func_id=SEGMENT, request_id=n) for n in range(FLOWS)]
        self.assert_follows({NEAR: 3, FAR: 1}, self.drawn(family, packets))
        again = [request(family, b"", func_id=SEGMENT, request_id=7) for _ in range(20)]
        self.assertEqual(len(set(self.drawn(family, again))), 1)


class LongestPrefix(CfnTest):
    """The longest prefix that covers the function has the group; the shorter one serves the rest."""

    @each_family
    def runTest(self, family: Family) -> None:
        name = "vision/some"
        middle = service_row(family, "vision/*", Call("set_group", {"group": group_of(family, name)}))
        middle = replace(middle, match=dict(middle.match) | {"func_id": f"{DETECT & ~0xFFFF:#x}/48"})
        self.insert(
            *service(family, "vision/*", (NEAR.bind(), 1)),
            middle,
            draw(family, name, (NEAR_2.bind(), 1)),
            *service(family, "vision/detect", (FAR.bind(), 1)),
        )
        for func, member, next_hop in (
            (DETECT, FAR, TO_CORE),
            (DETECT ^ 1, NEAR_2, TO_NEAR),
            (DETECT ^ 0x8000, NEAR_2, TO_NEAR),
            (DETECT ^ 0x10000, NEAR, TO_NEAR),
            (SEGMENT, NEAR, TO_NEAR),
        ):
            sent = request(family, func_id=func)
            self.carry(
                sent, bound(sent, family, member, sealed(member, func), next_hop), next_hop, "BOUND_NEW"
            )


class NoGroup(CfnTest):
    """A function that is known but that nobody serves: its demand can't be met."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/detect", (NEAR.bind(), 1)))
        for func in (SEGMENT, PRIVATE):
            sent = request(family, func_id=func, tenant=TENANT)
            self.carry(sent, nack(sent, family, NackCode.DEMAND_UNMET), CLIENT_PORT, "NACK_DEMAND_UNMET")


class NoCapacity(CfnTest):
    """A service or its group says that there is no room, and when there may be again."""

    @each_family
    def runTest(self, family: Family) -> None:
        for retry_after_ms in (0, 1, 250, 0xFFFF):
            after = {"retry_after_ms": retry_after_ms}
            for rows in (
                (service_row(family, "vision/*", Call("no_capacity", after)),),
                service(family, "vision/*", (Call("shed", after), 1)),
            ):
                self.insert(*rows)
                sent = request(family)
                answer = nack(sent, family, NackCode.NO_CAPACITY, retry_after_ms)
                self.carry(sent, answer, CLIENT_PORT, "NACK_NO_CAPACITY")
                self.delete(*rows)


class WithoutGroup(CfnTest):
    """A group that the router was not told of has no room."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(service(family, "vision/*")[0])
        sent = request(family)
        self.carry(sent, nack(sent, family, NackCode.NO_CAPACITY), CLIENT_PORT, "NACK_NO_CAPACITY")


class PartlyNoCapacity(ServiceTest):
    """A part of the flows can be refused by weight, so that load is shed."""

    @each_family
    def runTest(self, family: Family) -> None:
        refusing = Call("shed", {"retry_after_ms": 10})
        self.insert(*service(family, "vision/*", (NEAR.bind(), 3), (refusing, 1)))
        ports = Counter(port for port, _ in self.carry_all(flows(family, FLOWS)))
        self.expect_outcomes(BOUND_NEW=ports[TO_NEAR.port], NACK_NO_CAPACITY=ports[CLIENT_PORT])
        drawn = [NEAR] * ports[TO_NEAR.port] + [FAR] * ports[CLIENT_PORT]
        self.assert_follows({NEAR: 3, FAR: 1}, drawn)


class EmptySet(CfnTest):
    """A one-shot set without actions: a target may refuse it, but no request may be lost by it."""

    @each_family
    def runTest(self, family: Family) -> None:
        asked, drawn = service(family, "vision/*")
        self.insert(asked)
        row = drawn.shell_entry()
        row.oneshot = shell.Oneshot("draw")
        with suppress(P4RuntimeWriteException):
            row.insert()
        sent = request(family)
        self.carry(sent, nack(sent, family, NackCode.NO_CAPACITY), CLIENT_PORT, "NACK_NO_CAPACITY")
