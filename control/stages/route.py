"""Route: next hops, and the ways to hosts, sites and routers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from finsy import P4IndirectAction, P4TableAction, P4TableEntry

from control.catalogue import Catalogue
from control.network import Network, NextHop
from control.sites import Sites
from control.stages.row import DualStack, row

_BITS = {4: 32, 6: 128}


def entities(catalogue: Catalogue, network: Network, sites: Sites, router: str) -> Iterator[P4TableEntry]:
    """Rows of next_hop, ipv4_route and ipv6_route."""
    own_mac = catalogue.routers[router].mac
    for hop in sorted(network.hops(router)):
        name = "forward_edge" if hop.edge else "forward_core"
        action = P4TableAction(name, port=hop.port, src_mac=own_mac, dst_mac=hop.mac, mtu=hop.mtu)
        yield row("next_hop", {"next_hop": hop.port}, action)
    for name, host in catalogue.hosts.items():
        path = network.path_to_host(router, name)
        if path:
            for address in (*host.ipv4, *host.ipv6):
                yield _route(address, path.next_hops)
    owners: list[tuple[str, DualStack]] = list(catalogue.routers.items())
    owners += [(sites.router(site), sites[site]) for site in sites]
    for at, owner in owners:
        path = network.path_to_router(router, at)
        if path and path.next_hops:
            for address in (owner.ipv4, owner.ipv6):
                if address is not None:
                    yield _route(address, path.next_hops)
    for at, owner in catalogue.routers.items():
        path = network.path_to_router(router, at)
        if owner.sid is not None and path and path.next_hops:
            yield _route(owner.sid, path.next_hops)


def _route(address: IPv4Address | IPv6Address, hops: Iterable[NextHop]) -> P4TableEntry:
    # A port has one station on it, so its number also names the next hop.
    ways = [(1, P4TableAction("set_next_hop", next_hop=hop.port)) for hop in hops]
    match = {"dst_addr": (int(address), _BITS[address.version])}
    return row(f"ipv{address.version}_route", match, P4IndirectAction(ways))
