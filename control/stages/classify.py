"""Neighbour and classify: which frames and addresses are the router's, which ports lead to other routers."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableAction, P4TableEntry

from control.catalogue import Catalogue
from control.sites import Sites
from control.stages.row import DualStack, row

_REPLY = {"ipv4": ("arp_reply", "answer_arp"), "ipv6": ("nd_reply", "answer_nd")}


def entities(catalogue: Catalogue, sites: Sites, router: str) -> Iterator[P4TableEntry]:
    """Rows of my_mac, local_*, arp_reply, nd_reply and core_port."""
    own = catalogue.routers[router]
    yield row("my_mac", {"dst_addr": own.mac}, P4TableAction("for_router"))
    yield from _local(catalogue.anycast, P4TableAction("anycast"))
    for site in sites.at(router):
        yield from _local(sites[site], P4TableAction("site_address", site=site))
    for owner in (own, catalogue.gateway):
        yield from _local(owner, P4TableAction("own_address"))
        for family, (table, answer) in _REPLY.items():
            address = getattr(owner, family)
            if address is not None:
                yield row(table, {"target": int(address)}, P4TableAction(answer, mac=own.mac))
    if own.sid is not None:
        yield row("local_ipv6", {"dst_addr": int(own.sid)}, P4TableAction("segment"))
    for link in catalogue.links:
        for end in (link.a, link.b):
            if end.router == router:
                yield row("core_port", {"port": end.port}, P4TableAction("from_core"))


def _local(owner: DualStack, action: P4TableAction) -> Iterator[P4TableEntry]:
    for address in (owner.ipv4, owner.ipv6):
        if address is not None:
            yield row(f"local_ipv{address.version}", {"dst_addr": int(address)}, action)
