"""A lab as a graph: how far things are from each other, and drawings of it for terminal and Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx

from topo.impairment import Impairment
from topo.plan import Host, Plan


def build(plan: Plan) -> nx.Graph[str]:
    """Make the graph: nodes with a `kind` (router, client, site, controller), edges with an `impairment`.

    The weight of an edge, `delay_ms`, is its mean delay.
    """
    graph: nx.Graph[str] = nx.Graph(name=plan.name)
    for router in plan.routers.values():
        graph.add_node(router.name, kind="router")
    for link in plan.links:
        _connect(graph, link.a.router, link.b.router, link.impairment)
    for host in plan.hosts.values():
        graph.add_node(host.name, kind=_kind(plan, host))
        _connect(graph, host.attached.router, host.name, host.impairment)
    return graph


def distances_ms(plan: Plan) -> dict[str, dict[str, float]]:
    """Return the least delay in ms, one way, from each client to each site."""
    graph = build(plan)
    found: dict[str, dict[str, float]] = {}
    for client in plan.clients:
        lengths: dict[str, float] = nx.single_source_dijkstra_path_length(
            graph, client.name, weight="delay_ms"
        )
        found[client.name] = {site: round(lengths[site], 3) for site in plan.sites}
    return found


def to_text(plan: Plan) -> str:
    """Draw the lab as a tree of routers, ports and what hangs on them."""
    lines = [f"lab {plan.name}"]
    for router in plan.routers.values():
        lines.append(f"{router.name}  device {router.device_id}, P4Runtime port {router.grpc_port}")
        ports = sorted(_ports(plan, router.name))
        for index, (port, what) in enumerate(ports):
            lines.append(f"{'└' if index == len(ports) - 1 else '├'}─ {port:<2} {what}")
    for client, sites in distances_ms(plan).items():
        text = ", ".join(f"{site} {delay:g} ms" for site, delay in sorted(sites.items(), key=_second))
        lines.append(f"one way from {client}: {text}")
    return "\n".join(lines)


def to_dot(plan: Plan) -> str:
    """Draw the lab in Graphviz' language."""
    graph = build(plan)
    shapes = {"router": "circle", "client": "plaintext", "site": "box3d", "controller": "note"}
    lines = [f"graph {plan.name} {{", "  layout=neato; overlap=false; splines=true;"]
    for name, data in graph.nodes(data=True):
        lines.append(f'  "{name}" [shape={shapes[data["kind"]]}];')
    for a, b, data in graph.edges(data=True):
        lines.append(f'  "{a}" -- "{b}" [label="{describe(data["impairment"])}"];')
    return "\n".join([*lines, "}"])


def describe(impairment: Impairment) -> str:
    """Say in short what a line does."""
    parts: list[str] = []
    if impairment.delay_ms:
        jitter = f" ± {impairment.jitter_ms:g}" if impairment.jitter_ms else ""
        parts.append(f"{impairment.delay_ms:g}{jitter} ms")
    if impairment.rate_mbps:
        parts.append(f"{impairment.rate_mbps:g} Mbps")
    if impairment.loss:
        parts.append(f"{impairment.loss * 100:g} % loss")
    return ", ".join(parts)


def _ports(plan: Plan, router: str) -> Iterator[tuple[int, str]]:
    for link in plan.links:
        for here, there in ((link.a, link.b), (link.b, link.a)):
            if here.router == router:
                yield here.port, f"{there.router} port {there.port}  {describe(link.impairment)}".rstrip()
    for host in plan.hosts.values():
        if host.attached.router == router:
            addresses = f"{host.ipv4[0]} {host.ipv6[0]}"
            site = plan.sites.get(host.name)
            count = f" and {len(site.instances)} instances" if site else ""
            count += " and a data agent" if site and site.data_agent else ""
            yield (
                host.attached.port,
                f"{host.name}  {addresses}{count}  {describe(host.impairment)}".rstrip(),
            )


def _kind(plan: Plan, host: Host) -> str:
    if host.name in plan.sites:
        return "site"
    return "client" if host in plan.clients else "controller"


def _connect(graph: nx.Graph[str], a: str, b: str, impairment: Impairment) -> None:
    data: dict[str, Any] = {"impairment": impairment, "delay_ms": impairment.delay_ms}
    if graph.has_edge(a, b) and graph.edges[a, b]["delay_ms"] <= impairment.delay_ms:
        return  # of parallel links the shorter one counts
    graph.add_edge(a, b, **data)


def _second(item: tuple[str, float]) -> float:
    return item[1]
