"""Demand: what the request needs decides which group of the service it is drawn from."""

from __future__ import annotations

from cfn.wire import ComputeType, NackCode
from ptf_tests.base import CfnTest
from ptf_tests.entries import entry
from ptf_tests.network import (
    CLIENT_PORT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    ROUTER,
    TO_CORE,
    TO_NEAR,
    cookie,
    sealed,
    service,
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
