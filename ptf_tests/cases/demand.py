"""Demand: what the request needs decides which group of the service it is drawn from."""

from __future__ import annotations

from cfn.wire import ComputeType, DemandPart, NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Call, entry
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_PORT,
    DETECT,
    FAMILIES,
    FAR,
    HOME,
    NEAR,
    NEAR_2,
    ROUTER,
    SEGMENT,
    TO_CORE,
    TO_NEAR,
    Family,
    cookie,
    known,
    sealed,
    service,
    service_row,
)
from ptf_tests.packets import bound, nack, request

ANY, PARALLEL, URGENT, CHEAP, UNSERVED = 0, 1, 2, 3, 255
"""Demand classes. No service has a group for the last."""

RULES = (
    entry("demand_class", {"latency_ms": "1..20"}, "set_class", priority=40, class_id=URGENT),
    entry("demand_class", {"type": ComputeType.PARALLEL}, "set_class", priority=30, class_id=PARALLEL),
    entry(
        "demand_class",
        {"type": ComputeType.NEURAL, "grade": "0b1100&&&0b1100"},
        "set_class",
        priority=20,
        class_id=UNSERVED,
    ),
    entry("demand_class", {"grade": 4}, "set_class", priority=20, class_id=UNSERVED),
    entry(
        "demand_class", {"cost": "1..9", "type": ComputeType.LOGIC}, "set_class", priority=10, class_id=CHEAP
    ),
)
GROUPS = tuple(
    row
    for family in FAMILIES
    for class_id, member in ((ANY, NEAR), (PARALLEL, NEAR_2), (URGENT, FAR), (CHEAP, NEAR_2))
    for row in service(family, "vision/*", (member.bind(), 1), class_id=class_id)
)
CASES = (
    # type, grade, latency bound in ms, cost ceiling: the class
    ((ComputeType.ANY, 0, 0, 0), ANY),
    ((ComputeType.LOGIC, 0, 0, 0), ANY),
    ((ComputeType.NEURAL, 3, 0, 0), ANY),
    ((ComputeType.PARALLEL, 0, 0, 0), PARALLEL),
    ((ComputeType.PARALLEL, 3, 21, 255), PARALLEL),
    ((ComputeType.PARALLEL, 0, 20, 0), URGENT),
    ((ComputeType.ANY, 0, 1, 0), URGENT),
    ((ComputeType.ANY, 4, 20, 0), URGENT),
    ((ComputeType.ANY, 0, 21, 0), ANY),
    ((ComputeType.ANY, 0, 0xFFFF, 0), ANY),
    ((ComputeType.ANY, 0, 0x0100, 0), ANY),
    ((ComputeType.LOGIC, 0, 0, 1), CHEAP),
    ((ComputeType.LOGIC, 0, 0, 9), CHEAP),
    ((ComputeType.LOGIC, 0, 0, 10), ANY),
    ((ComputeType.ANY, 0, 0, 5), ANY),
    ((ComputeType.LOGIC, 4, 0, 5), UNSERVED),
    ((ComputeType.NEURAL, 12, 0, 0), UNSERVED),
    ((ComputeType.NEURAL, 15, 500, 0), UNSERVED),
    ((15, 15, 0xFFFF, 255), ANY),
)
SERVED_BY = {
    ANY: (NEAR, TO_NEAR),
    PARALLEL: (NEAR_2, TO_NEAR),
    URGENT: (FAR, TO_CORE),
    CHEAP: (NEAR_2, TO_NEAR),
}


class Classes(CfnTest):
    """Type and grade match by bits, latency bound and cost by range, and the higher priority wins."""

    rows = (*ROUTER, *RULES, *GROUPS)

    def runTest(self) -> None:
        for family in FAMILIES:
            for (compute_type, grade, latency_ms, cost), class_id in CASES:
                with self.row(family.name, compute_type, grade, latency_ms, cost):
                    sent = request(
                        family,
                        demand_type=compute_type,
                        demand_grade=grade,
                        demand_latency_ms=latency_ms,
                        demand_cost_ceiling=cost,
                    )
                    if class_id == UNSERVED:
                        answer = nack(sent, family, NackCode.DEMAND_UNMET)
                        self.carry(sent, answer, CLIENT_PORT, "NACK_DEMAND_UNMET")
                    else:
                        member, next_hop = SERVED_BY[class_id]
                        expected = bound(sent, family, member, sealed(member), next_hop)
                        self.carry(sent, expected, next_hop, "BOUND_NEW")


class NoFamily(CfnTest):
    """A service whose instances have addresses of one family only cannot meet the demand of the other."""

    def runTest(self) -> None:
        for served, refused in (FAMILIES, FAMILIES[::-1]):
            with self.row(served.name, "only"):
                group = service(served, "vision/*", (NEAR.bind(), 1))
                self.insert(*group)
                sent = request(served)
                self.carry(sent, bound(sent, served, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
                sent = request(refused)
                self.carry(sent, nack(sent, refused, NackCode.DEMAND_UNMET), CLIENT_PORT, "NACK_DEMAND_UNMET")
                self.delete(*group)


class PerService(CfnTest):
    """Rules may be of one service: what is a class of its own for one is none for another."""

    rows = (
        *ROUTER,
        known("vision/segment", service=3),
        *(
            entry(
                "demand_class", {"service": service, "grade": 2}, "set_class", priority=5, class_id=class_id
            )
            for service, class_id in ((1, PARALLEL), (3, URGENT))
        ),
        entry("demand_class", {"grade": 3}, "set_class", priority=1, class_id=CHEAP),
        entry("demand_class", {"service": 3, "grade": 3}, "set_class", priority=2, class_id=URGENT),
        *GROUPS,
    )

    @each_family
    def runTest(self, family: Family) -> None:
        for func, grade, class_id in (
            (DETECT, 0, ANY),
            (SEGMENT, 0, ANY),
            (DETECT, 2, PARALLEL),
            (SEGMENT, 2, URGENT),
            (DETECT, 3, CHEAP),
            (SEGMENT, 3, URGENT),
        ):
            member, next_hop = SERVED_BY[class_id]
            sent = request(family, func_id=func, demand_grade=grade)
            expected = bound(sent, family, member, sealed(member, func), next_hop)
            self.carry(sent, expected, next_hop, "BOUND_NEW")


class Unmet(CfnTest):
    """A service says which part of a demand nobody can meet, to some classes and not to others."""

    rows = (*ROUTER, *RULES, *GROUPS)

    @each_family
    def runTest(self, family: Family) -> None:
        for part in (*DemandPart, 255):
            for name, func in (("vision/detect", DETECT), ("vision/segment", SEGMENT)):
                says = service_row(family, name, Call("unmet", {"part": part}), class_id=UNSERVED)
                self.insert(says)
                sent = request(family, demand_grade=4, func_id=func)
                answer = nack(sent, family, NackCode.DEMAND_UNMET, detail=part)
                self.carry(sent, answer, CLIENT_PORT, "NACK_DEMAND_UNMET")
                other = request(family, demand_grade=4, func_id=SEGMENT if func == DETECT else DETECT)
                answer = nack(other, family, NackCode.DEMAND_UNMET)
                self.carry(other, answer, CLIENT_PORT, "NACK_DEMAND_UNMET")
                met = request(family, func_id=func)
                self.carry(met, bound(met, family, NEAR, cookie(NEAR, func)), TO_NEAR, "BOUND_NEW")
                self.delete(says)


class UnmetHere(CfnTest):
    """At a site's address too, the client hears which part it was."""

    rows = (*ROUTER, *RULES)

    @each_family
    def runTest(self, family: Family) -> None:
        place = {"class_id": UNSERVED, "scope": HOME.site}
        self.insert(service_row(family, "vision/*", Call("unmet", {"part": DemandPart.GRADE}), **place))
        sent = request(family, dst=HOME.address(family), demand_grade=4)
        answer = nack(sent, family, NackCode.DEMAND_UNMET, detail=DemandPart.GRADE)
        self.carry(sent, answer, CORE_PORT, "NACK_DEMAND_UNMET", CORE_PORT)
