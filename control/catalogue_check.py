"""What must hold between the fields of a catalogue: references exist, numbers and addresses are used once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import networkx as nx

from cfn.names import func_prefix
from cfn.yamlfile import FieldPath, Problem, dotted
from control import domain_check

if TYPE_CHECKING:
    from control.catalogue import Catalogue, PinnedPath, Service

MAX_SIGNERS = 256
"""Tenants that a router can tell replays of (`tenant_key` in P4Info)."""

MAX_SEGMENTS = 3
"""Segments in one list (actions `via_1` to `via_3` in P4Info)."""

MAX_LISTS = 1024
"""Rows that a router has for lists of segments (`segment_list` in P4Info)."""

TUNABLE = frozenset({"latency", "mix"})
"""Policies whose parameters can be learned."""

_Used = Iterable[tuple[FieldPath, Hashable]]


class HasPaths(Protocol):
    """A file that pins paths: the catalogue, and a lab's."""

    @property
    def routers(self) -> Mapping[str, object]:
        """By name, like all but the services."""
        ...

    @property
    def sites(self) -> Mapping[str, object]:
        """Places that run instances."""
        ...

    @property
    def classes(self) -> Mapping[str, object]:
        """Demand classes."""
        ...

    @property
    def services(self) -> Sequence[Service]:
        """What is offered."""
        ...

    @property
    def paths(self) -> Mapping[str, PinnedPath]:
        """What is pinned."""
        ...


def problems(catalogue: Catalogue) -> list[Problem]:
    """Everything that is inconsistent, in the order of the fields."""
    return [
        *_references(catalogue),
        *_ends(catalogue),
        *_site_places(catalogue),
        *_data_agents(catalogue),
        *_unique(
            "device_id", ((("routers", n, "device_id"), r.device_id) for n, r in catalogue.routers.items())
        ),
        *_unique(
            "router id",
            ((("routers", n, "id"), r.id) for n, r in catalogue.routers.items() if r.id is not None),
        ),
        *_unique("target", ((("routers", n, "address"), r.address) for n, r in catalogue.routers.items())),
        *_unique("MAC address", _macs(catalogue)),
        *_unique("port", _ports(catalogue)),
        *_unique("address", _addresses(catalogue)),
        *_unique("site id", ((("sites", n, "id"), s.id) for n, s in catalogue.sites.items())),
        *_unique("host", _site_hosts(catalogue)),
        *_unique("tenant id", ((("tenants", n), t.id) for n, t in catalogue.tenants_by_name.items())),
        *_signers(catalogue),
        *_unique("class id", ((("classes", n, "id"), c.id) for n, c in catalogue.classes.items())),
        *_unique("FuncID", ((("services", i, "name"), s.prefix) for i, s in enumerate(catalogue.services))),
        *_unique(
            "service id",
            ((("services", i, "id"), s.id) for i, s in enumerate(catalogue.services) if s.id is not None),
        ),
        *_services_of_classes(catalogue),
        *_tuned(catalogue),
        *_paths(catalogue),
        *domain_check.problems(catalogue),
    ]


def _references(catalogue: Catalogue) -> Iterator[Problem]:
    routers = [
        (("links", i, end), x.router)
        for i, k in enumerate(catalogue.links)
        for end, x in (("a", k.a), ("b", k.b))
    ]
    hosts = [(("hosts", name), host.router) for name, host in catalogue.hosts.items()]
    for path, router in [*routers, *hosts]:
        if router not in catalogue.routers:
            yield Problem((*path, "router"), f"there is no router {router!r}")
    for path, host in _site_hosts(catalogue):
        if host not in catalogue.hosts:
            yield Problem(path, f"there is no host {host!r}")
    for index, service in enumerate(catalogue.services):
        tenants = () if service.tenants == "any" else service.tenants
        for at, tenant in enumerate(tenants):
            if tenant not in catalogue.tenants:
                yield Problem(("services", index, "tenants", at), f"there is no tenant {tenant!r}")
        for at, name in enumerate(service.classes or ()):
            if name not in catalogue.classes:
                yield Problem(("services", index, "classes", at), f"there is no class {name!r}")


def _ends(catalogue: Catalogue) -> Iterator[Problem]:
    for index, link in enumerate(catalogue.links):
        if link.a.router == link.b.router:
            yield Problem(("links", index, "b", "router"), f"the link starts and ends at {link.a.router!r}")
    for name, host in catalogue.hosts.items():
        if not host.ipv4 and not host.ipv6:
            yield Problem(("hosts", name), "needs at least one address in ipv4 or ipv6")


def _site_places(catalogue: Catalogue) -> Iterator[Problem]:
    families = [f for f in ("ipv4", "ipv6") if getattr(catalogue.anycast, f) is not None]
    for name, site in catalogue.sites.items():
        for family in families:
            if getattr(site, family) is None:
                yield Problem(("sites", name), f"needs an address of its own in {family}, as anycast has one")
        known = [(i, catalogue.hosts[host]) for i, host in enumerate(site.hosts) if host in catalogue.hosts]
        for index, host in known[1:]:
            first = known[0][1].router
            if host.router != first:
                yield Problem(
                    ("sites", name, "hosts", index), f"is at router {host.router!r}, the first at {first!r}"
                )


def _data_agents(catalogue: Catalogue) -> Iterator[Problem]:
    for name, site in catalogue.sites.items():
        hosts = [catalogue.hosts[host] for host in site.hosts if host in catalogue.hosts]
        for family in ("ipv4", "ipv6"):
            address = site.data_agent and getattr(site.data_agent, family)
            if address and all(address not in getattr(host, family) for host in hosts):
                yield Problem(
                    ("sites", name, "data_agent", family), f"no host of the site has the address {address}"
                )


def _signers(catalogue: Catalogue) -> Iterator[Problem]:
    keyed = [name for name, tenant in catalogue.tenants_by_name.items() if tenant.key]
    for name in keyed[MAX_SIGNERS:]:
        yield Problem(("tenants", name), f"more than {MAX_SIGNERS} tenants have a key")


def _services_of_classes(catalogue: Catalogue) -> Iterator[Problem]:
    names = {service.prefix for service in catalogue.services}
    for name, demand in catalogue.classes.items():
        for index, service in enumerate(demand.services or ()):
            if func_prefix(service) not in names:
                yield Problem(("classes", name, "services", index), f"there is no service {service!r}")
    for index, service in enumerate(catalogue.services):
        for at, name in enumerate(service.classes or ()):
            demand = catalogue.classes.get(name)
            if demand and not demand.holds_for(service):
                yield Problem(
                    ("services", index, "classes", at), f"the class {name!r} names services without this one"
                )


def _paths(catalogue: Catalogue) -> Iterator[Problem]:
    unknown = list(unknown_in_paths(catalogue))
    yield from unknown
    if not unknown:
        yield from _broken_paths(catalogue)
    rows = sum(
        len(catalogue.sites if path.sites is None else path.sites)
        * len(path.services or (None,))
        * len(path.classes or (None,))
        for path in catalogue.paths.values()
    )
    if rows > MAX_LISTS:
        yield Problem(
            ("paths",),
            f"{rows} combinations of site, service and class; a router has room for {MAX_LISTS}",
        )
    for name, router in catalogue.routers.items() if catalogue.paths else ():
        if router.ipv6 is None and router.sid is None:
            yield Problem(("routers", name), "needs ipv6 or a sid, as paths go by SRv6")


def unknown_in_paths(spec: HasPaths) -> Iterator[Problem]:
    """What pinned paths name that is not there."""
    services = {service.prefix for service in spec.services}
    for name, path in spec.paths.items():
        for at, service in enumerate(path.services or ()):
            if func_prefix(service) not in services:
                yield Problem(("paths", name, "services", at), f"there is no service {service!r}")
        for field, what, names, known in (
            ("via", "router", path.via, spec.routers),
            ("classes", "class", path.classes or (), spec.classes),
            ("sites", "site", path.sites or (), spec.sites),
        ):
            for at, one in enumerate(names):
                if one not in known:
                    yield Problem(("paths", name, field, at), f"there is no {what} {one!r}")


def _broken_paths(catalogue: Catalogue) -> Iterator[Problem]:
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(catalogue.routers)
    graph.add_edges_from((link.a.router, link.b.router) for link in catalogue.links)
    for name, path in catalogue.paths.items():
        for at, router in enumerate(path.via):
            place = ("paths", name, "via", at)
            if catalogue.routers[router].sid is None:
                yield Problem(place, f"the router {router!r} has no sid")
            if at and not nx.has_path(graph, path.via[at - 1], router):
                yield Problem(place, f"no links lead from {path.via[at - 1]!r} to it")


def _tuned(catalogue: Catalogue) -> Iterator[Problem]:
    for index, service in enumerate(catalogue.services):
        policy = service.policy or catalogue.policy
        if service.tune and policy not in TUNABLE:
            yield Problem(
                ("services", index, "tune"), f"the policy {policy} has no parameters that can be learned"
            )


def _unique(what: str, used: _Used) -> Iterator[Problem]:
    first: dict[Hashable, FieldPath] = {}
    for path, value in used:
        if value in first:
            shown = f" {value}" if isinstance(value, int) else ""
            yield Problem(path, f"{what}{shown} is already used by {dotted(first[value])}")
        first.setdefault(value, path)


def _macs(catalogue: Catalogue) -> Iterator[tuple[FieldPath, Hashable]]:
    for name, router in catalogue.routers.items():
        yield ("routers", name, "mac"), router.mac
    for name, host in catalogue.hosts.items():
        yield ("hosts", name, "mac"), host.mac


def _ports(catalogue: Catalogue) -> Iterator[tuple[FieldPath, Hashable]]:
    for index, link in enumerate(catalogue.links):
        yield ("links", index, "a", "port"), (link.a.router, link.a.port)
        yield ("links", index, "b", "port"), (link.b.router, link.b.port)
    for name, host in catalogue.hosts.items():
        yield ("hosts", name, "port"), (host.router, host.port)


def _addresses(catalogue: Catalogue) -> Iterator[tuple[FieldPath, Hashable]]:
    singles = [(("anycast",), catalogue.anycast), (("gateway",), catalogue.gateway)]
    singles += [(("routers", name), router) for name, router in catalogue.routers.items()]
    singles += [(("sites", name), site) for name, site in catalogue.sites.items()]
    for path, owner in singles:
        for family, address in (("ipv4", owner.ipv4), ("ipv6", owner.ipv6)):
            if address is not None:
                yield (*path, family), address
    for name, router in catalogue.routers.items():
        if router.sid is not None:
            yield ("routers", name, "sid"), router.sid
    for name, host in catalogue.hosts.items():
        for family, addresses in (("ipv4", host.ipv4), ("ipv6", host.ipv6)):
            for index, address in enumerate(addresses):
                yield ("hosts", name, family, index), address


def _site_hosts(catalogue: Catalogue) -> Iterator[tuple[FieldPath, str]]:
    for name, site in catalogue.sites.items():
        for index, host in enumerate(site.hosts):
            yield ("sites", name, "hosts", index), host
