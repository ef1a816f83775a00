"""Admit: which functions there are, and who may ask for them."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableAction, P4TableEntry

from control.catalogue import Catalogue, Service
from control.services import ServiceIndex
from control.stages.row import row

_ONE_DRAW = 255
"""As a lead: no rivals (p4src/choose.p4)."""


def entities(catalogue: Catalogue, services: ServiceIndex) -> Iterator[P4TableEntry]:
    """Rows of function and permit."""
    tenants = catalogue.tenants_by_name
    for service in catalogue.services:
        yield row("function", {"func_id": service.prefix}, _known(service, services.id(service)))
        for tenant in () if service.tenants == "any" else service.tenants:
            match = {"tenant": tenants[tenant].id, "func_id": service.prefix}
            yield row("permit", match, P4TableAction("allow"))


def _known(service: Service, number: int) -> P4TableAction:
    return P4TableAction(
        "known",
        service=number,
        public=int(service.tenants == "any"),
        per_request=int(service.select == "request"),
        lead=service.lead if service.two_choices else _ONE_DRAW,
        flow_s=service.flow_s,
    )
