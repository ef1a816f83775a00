"""Demand: which class a request's demand falls into."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableAction, P4TableEntry

from cfn.wire import ComputeType
from control.catalogue import Catalogue, DemandClass
from control.services import ServiceIndex
from control.stages.row import row


def entities(catalogue: Catalogue, services: ServiceIndex) -> Iterator[P4TableEntry]:
    """Rows of demand_class: one a class, or one for each service that the class names."""
    for index, demand in enumerate(catalogue.classes.values()):
        action = P4TableAction("set_class", class_id=demand.id)
        for match in _matches(demand, services):
            yield row("demand_class", match, action, priority=len(catalogue.classes) - index)


def _matches(demand: DemandClass, services: ServiceIndex) -> Iterator[dict[str, object]]:
    asked = _asked(demand)
    if demand.services is None:
        yield asked
    else:
        yield from ({"service": services.id(service), **asked} for service in services.named(demand.services))


def _asked(demand: DemandClass) -> dict[str, object]:
    match: dict[str, object] = {}
    if demand.type is not None:
        match["type"] = int(ComputeType[demand.type.upper()])
    if demand.grade is not None:
        match["grade"] = demand.grade
    if demand.latency_ms is not None:
        match["latency_ms"] = demand.latency_ms
    if demand.cost_ceiling is not None:
        match["cost"] = demand.cost_ceiling
    return match
