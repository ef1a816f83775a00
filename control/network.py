"""The network graph: shortest paths by delay, their ECMP next hops, price and quality of a path.

Links are the same in both directions, so a round trip takes twice the delay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import networkx as nx

from control.catalogue import Catalogue, Host, Link
from control.quality import Quality, along

# Added to each link: a path of fewer hops wins a tie, and links without delay make no loops.
_HOP_MS = 1e-6
_SAME_MS = 1e-9
_WIDEST = 65_535
"""No IP packet is longer."""


class NextHop(NamedTuple):
    """Out of `port` to the station with MAC address `mac`; `edge` when that is a host; `mtu` in bytes."""

    port: int
    mac: str
    edge: bool
    mtu: int


@dataclass(frozen=True, slots=True)
class Path:
    """From a router to a host or router.

    Attributes:
        delay_ms: one way.
        cost: price of a request over the path's links, averaged over its ECMP branches.
        next_hops: of equal delay, sorted.
        mtu: longest IP packet that all links take, of all branches.
    """

    delay_ms: float
    cost: float
    next_hops: tuple[NextHop, ...]
    mtu: int


class Network:
    """All shortest paths of a catalogue, by the delays that its links have now."""

    def __init__(self, catalogue: Catalogue):
        self._catalogue = catalogue
        self._observed: dict[tuple[str, int], Quality] = {}
        self.measure([link.delay_ms for link in catalogue.links])

    def measure(self, delays_ms: Sequence[float]) -> None:
        """Find all paths anew, with these delays of the links instead of those declared."""
        catalogue = self._catalogue
        self._graph = _graph(catalogue, delays_ms)
        self.observe(self._observed)
        self._to = {router: _paths_to(self._graph, router) for router in catalogue.routers}
        self._to_host = {
            (router, host): self._find_host(router, host)
            for router in catalogue.routers
            for host in catalogue.hosts
        }

    @property
    def routers(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._catalogue.routers)

    def observe(self, observed: Mapping[tuple[str, int], Quality]) -> None:
        """Take jitter and loss of links as they were measured, by the router and port that they leave from.

        A link that nobody measured has what is declared. Paths stay: they go by delays (`measure`).
        """
        self._observed = dict(observed)
        for link in self._catalogue.links:
            for here, there in ((link.a, link.b), (link.b, link.a)):
                edge = self._graph.edges[here.router, there.router, here.port]
                seen = observed.get((here.router, here.port)) or observed.get((there.router, there.port))
                edge["quality"] = (seen or declared(link))._replace(
                    delay_ms=edge["delay"], rate_mbps=link.rate_mbps
                )
        self._quality: dict[tuple[str, str, tuple[str, ...]], Quality | None] = {}

    def quality(self, router: str, host: str, via: tuple[str, ...] = ()) -> Quality | None:
        """What the way to a host is like, None when there is none; of equal ones, the first.

        It leads by the shortest paths from one of the `via` to the next.
        """
        key = router, host, via
        if key not in self._quality:
            to = self._catalogue.hosts[host]
            legs = [self._leg(here, there) for here, there in pairwise((router, *via, to.router))]
            links = [link for leg in legs for link in leg or ()]
            self._quality[key] = None if None in legs else along([*links, declared(to)])
        return self._quality[key]

    def _leg(self, router: str, to: str) -> list[Quality] | None:
        """The links of the shortest path between two routers."""
        reached = self._to[to]
        links: list[Quality] = []
        while router != to:
            if router not in reached:
                return None
            neighbour, port = min(reached[router].branches)
            links.append(self._graph.edges[router, neighbour, port]["quality"])
            router = neighbour
        return links

    def hops(self, router: str) -> frozenset[NextHop]:
        """Every station on the router's ports."""
        neighbours = {
            self._next_hop(router, to, port) for _, to, port in self._graph.out_edges(router, keys=True)
        }
        hosts = {
            NextHop(host.port, host.mac, edge=True, mtu=host.mtu)
            for host in self._catalogue.hosts.values()
            if host.router == router
        }
        return frozenset(neighbours | hosts)

    def path_to_host(self, router: str, host: str) -> Path | None:
        """The shortest path, or None when there is none."""
        return self._to_host[router, host]

    def path_to_router(self, router: str, to: str) -> Path | None:
        """The shortest path to another router, or None when there is none."""
        reach = self._to[to].get(router)
        if reach is None:
            return None
        hops = tuple(sorted(self._next_hop(router, neighbour, port) for neighbour, port in reach.branches))
        return Path(reach.delay_ms, reach.cost, hops, reach.mtu)

    def path_via(self, router: str, routers: Sequence[str]) -> Path | None:
        """The way to the last of these routers by all of them, each by the shortest path from the one before.

        None when there is none.
        """
        legs = [self.path_to_router(a, b) for a, b in pairwise([router, *routers])]
        found = [leg for leg in legs if leg]
        if len(found) < len(legs):
            return None
        first = next((leg.next_hops for leg in found if leg.next_hops), ())
        delay_ms, cost = sum(leg.delay_ms for leg in found), sum(leg.cost for leg in found)
        return Path(delay_ms, cost, first, min((leg.mtu for leg in found), default=_WIDEST))

    def _find_host(self, router: str, host: str) -> Path | None:
        to = self._catalogue.hosts[host]
        if to.router == router:
            hop = NextHop(to.port, to.mac, edge=True, mtu=to.mtu)
            return Path(to.delay_ms, 0.0, (hop,), to.mtu)
        path = self.path_to_router(router, to.router)
        return path and replace(path, delay_ms=path.delay_ms + to.delay_ms, mtu=min(path.mtu, to.mtu))

    def _next_hop(self, router: str, neighbour: str, port: int) -> NextHop:
        mtu = self._graph.edges[router, neighbour, port]["mtu"]
        return NextHop(port, self._catalogue.routers[neighbour].mac, edge=False, mtu=mtu)


def declared(line: Link | Host) -> Quality:
    """What the catalogue has of a link, or of the link of a host."""
    return Quality(line.delay_ms, line.jitter_ms, line.loss, line.rate_mbps)


@dataclass(frozen=True, slots=True)
class _Reach:
    delay_ms: float
    cost: float
    branches: tuple[tuple[str, int], ...]
    mtu: int


def _graph(catalogue: Catalogue, delays_ms: Sequence[float]) -> nx.MultiDiGraph[str]:
    """Routers as nodes; one edge a direction and link, keyed by the port it leaves from."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from(catalogue.routers)
    for link, delay_ms in zip(catalogue.links, delays_ms, strict=True):
        for here, there in ((link.a, link.b), (link.b, link.a)):
            graph.add_edge(
                here.router,
                there.router,
                key=here.port,
                delay=delay_ms,
                hop=delay_ms + _HOP_MS,
                cost=link.cost,
                mtu=link.mtu,
            )
    return graph


def _paths_to(graph: nx.MultiDiGraph[str], target: str) -> dict[str, _Reach]:
    distance: dict[str, float] = nx.single_source_dijkstra_path_length(
        graph.reverse(copy=False), target, weight="hop"
    )
    found = {target: _Reach(0.0, 0.0, (), _WIDEST)}
    for router in sorted(distance, key=distance.__getitem__):
        if router == target:
            continue
        best = [
            (neighbour, port, data)
            for _, neighbour, port, data in graph.out_edges(router, keys=True, data=True)
            if neighbour in distance and abs(distance[neighbour] + data["hop"] - distance[router]) < _SAME_MS
        ]
        found[router] = _Reach(
            delay_ms=best[0][2]["delay"] + found[best[0][0]].delay_ms,
            cost=sum(data["cost"] + found[neighbour].cost for neighbour, _, data in best) / len(best),
            branches=tuple((neighbour, port) for neighbour, port, _ in best),
            mtu=min(min(data["mtu"], found[neighbour].mtu) for neighbour, _, data in best),
        )
    return found
