"""Own: what a router calls itself and the network."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableAction, P4TableEntry

from control.catalogue import Catalogue
from control.stages.row import default, numbers


def entities(catalogue: Catalogue, router: str) -> Iterator[P4TableEntry]:
    """The anycast address, and the router's number and addresses."""
    yield default("anycast_source", P4TableAction("anycast_is", **numbers(catalogue.anycast)))
    own = catalogue.routers[router]
    number = catalogue.router_ids[router]
    yield default("router", P4TableAction("router_is", router=number, **numbers(own)))
