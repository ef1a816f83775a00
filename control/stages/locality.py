"""Locality: who holds what, which member of a group is there, and what is sent ahead."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4CloneSessionEntry, P4TableAction, P4TableEntry

from control.catalogue import Catalogue
from control.entries import Entity
from control.locality import ResultKey
from control.model import Placement
from control.network import Network
from control.stages.row import numbers, row

PREFETCH_SESSION = 1
"""p4src/numbers.p4."""


def agents(catalogue: Catalogue, network: Network, router: str) -> Iterator[Entity]:
    """Rows of data_agent, and the clone session of what is sent ahead."""
    found = {site.id: site.data_agent for site in catalogue.sites.values() if site.data_agent}
    for site, agent in found.items():
        yield row("data_agent", {"site": site}, P4TableAction("agent_at", **numbers(agent)))
    ports = [hop.port for hop in network.hops(router)]
    if found and ports:
        # The copy is routed in its own right: which port it is made for is of no matter.
        yield P4CloneSessionEntry(session_id=PREFETCH_SESSION, replicas=[min(ports)])


def input_holder(data_in: bytes, site: int) -> P4TableEntry:
    """Requests about an input go to the site that holds it, while that has room."""
    return row("input_holder", {"data_in": int.from_bytes(data_in)}, P4TableAction("input_at", site=site))


def result_holder(result: ResultKey, site: int) -> P4TableEntry:
    """Requests whose result a site holds go there."""
    match = {"func_id": result.func_id, "data_in": int.from_bytes(result.data_in)}
    return row("result_holder", match, P4TableAction("result_at", site=site))


def member_remote(group: int, site: int, place: Placement) -> P4TableEntry:
    """A group's member that is a site elsewhere."""
    return row("member", {"group": group, "site": site}, P4TableAction("member_remote", **place._asdict()))


def member_here(group: int, site: int, slot: int, there: int) -> P4TableEntry:
    """A group's members at a site of this router, which are a group of their own."""
    action = P4TableAction("member_here", slot=slot, group=there)
    return row("member", {"group": group, "site": site}, action)
