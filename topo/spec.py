"""The lab file: routers, links, hosts and sites as a person writes them. `docs/lab.md` explains each field.

What the catalogue knows too (addresses, services, tenants, policy) is written here once; `topo.render` makes
the catalogue of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

import networkx as nx
from pydantic import AfterValidator, Field, SecretStr, Strict, model_validator

from cfn import yamlfile
from cfn.names import func_id
from cfn.yamlfile import FieldPath, Problem
from control.catalogue import Addresses, DemandClass, PinnedPath, PolicyName, Service
from control.catalogue_check import unknown_in_paths
from control.compute import Declared
from control.fields import (
    Cost,
    DeviceId,
    Id14,
    Id16,
    IPv4,
    IPv6,
    Mac,
    Mbps,
    Milliseconds,
    Model,
    Name,
    Port,
    Probability,
)
from control.model import ComputeType

CONTROLLER = "controller"
"""Name under which the controller is a host of the network."""

CORE = "core"
"""Name of the namespace that holds the switches; no host may have it."""

MAX_INSTANCES = 200
"""Instances of one site: each has the next address after its site's."""


def _function_name(value: str) -> str:
    func_id(value)
    return value


LabName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,15}$")]
RouterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,8}$")]
"""Short: `x-NAME-PORT` becomes the name of an interface, which has at most 15 characters."""

FunctionName = Annotated[str, AfterValidator(_function_name)]
FunctionObject = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
"""Python object that runs a function, `module:object` as `cfn serve` takes it."""

Count = Annotated[int, Strict(), Field(ge=1, le=MAX_INSTANCES)]
Cores = Annotated[float, Strict(), Field(ge=0.05, le=1024)]


class RouterSpec(Model):
    """A router; what isn't given is generated from its place in the file."""

    device_id: DeviceId | None = None
    mac: Mac | None = None


class Line(Model):
    """What a line does to packets, the same in both directions (`topo.impairment`)."""

    delay_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    loss: Probability = 0.0
    rate_mbps: Mbps | None = None
    queue: Annotated[int, Strict(), Field(ge=1, le=1_000_000)] = 1000


class LinkSpec(Line):
    """A link between two routers; ports are the next free ones where not given."""

    between: tuple[RouterName, RouterName]
    ports: tuple[Port, Port] | None = None
    cost: Cost = 0.0


class Access(Line):
    """How something hangs on a router: a line of its own, an Ethernet address, an address of each family."""

    router: RouterName
    port: Port | None = None
    mac: Mac | None = None
    ipv4: IPv4 | None = None
    ipv6: IPv6 | None = None


class DataSpec(Model):
    """A site's data agent, and how many MB of content it keeps."""

    size_mb: Annotated[float, Strict(), Field(ge=0.001, le=1_000_000)]


class SiteSpec(Access):
    """A site: CPU in cores, how many instances of which functions it runs, and its data agent if any."""

    id: Id14 | None = None
    price: Cost = 1.0
    token: Annotated[SecretStr, Field(min_length=8)] | None = None
    cores: Cores
    compute: dict[ComputeType, Declared] = Field(default_factory=dict[ComputeType, Declared])
    instances: Annotated[dict[FunctionName, Count], Field(min_length=1)]
    data: DataSpec | None = None


class DomainSpec(Model):
    """A control domain: its routers, the rest having others; each is an autonomous system of its own."""

    routers: Annotated[tuple[RouterName, ...], Field(min_length=1)]


class LabSpec(Model):
    """A whole lab file; an instance of it always has consistent references."""

    name: LabName
    anycast: Addresses = Addresses.model_validate({"ipv4": "10.255.0.1", "ipv6": "fd00:cf::1"})
    gateway: Addresses = Addresses.model_validate({"ipv4": "169.254.1.1", "ipv6": "fe80::1"})
    routers: Annotated[dict[RouterName, RouterSpec], Field(min_length=1, max_length=200)]
    links: tuple[LinkSpec, ...] = ()
    hosts: dict[Name, Access] = Field(default_factory=dict[Name, Access])
    functions: dict[FunctionName, FunctionObject] = Field(default_factory=dict[FunctionName, FunctionObject])
    sites: dict[Name, SiteSpec] = Field(default_factory=dict[Name, SiteSpec])
    controller: Access
    advert_interval_ms: Annotated[Milliseconds, Field(ge=1)] = 100.0
    tenants: dict[Name, Id16] = Field(default_factory=dict[Name, Id16])
    classes: dict[Name, DemandClass] = Field(default_factory=dict[Name, DemandClass])
    services: tuple[Service, ...] = ()
    paths: dict[Name, PinnedPath] = Field(default_factory=dict[Name, PinnedPath])
    policy: PolicyName = "latency"
    domains: dict[LabName, DomainSpec] = Field(default_factory=dict[LabName, DomainSpec])
    adverts: Literal["bgp", "hybrid"] = "bgp"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*_problems(self)]
        if problems:
            raise yamlfile.ModelProblems(problems)
        return self

    def edge(self) -> dict[str, tuple[FieldPath, Access]]:
        """All that hangs on a router, in the order in which it is numbered: place in the file and spec."""
        return {
            **{name: (("hosts", name), host) for name, host in self.hosts.items()},
            **{name: (("sites", name), site) for name, site in self.sites.items()},
            CONTROLLER: (("controller",), self.controller),
        }


def load(path: Path) -> LabSpec:
    """Read a lab file.

    Raises:
        yamlfile.FileError: with one line `FILE:LINE:COLUMN: FIELD: what is wrong` for each error.
    """
    return yamlfile.load(path, LabSpec)


def _problems(spec: LabSpec) -> Iterator[Problem]:
    known = list(_unknown_routers(spec))
    yield from known
    if not known:
        yield from _unreachable(spec)
    yield from _names(spec)
    yield from _incomplete(spec)
    yield from _unknown_names(spec)
    yield from unknown_in_paths(spec)
    yield from _domains(spec)
    for values in (_ports(spec), _addresses(spec), _macs(spec), _ids(spec)):
        yield from _repeated(values)


def _domains(spec: LabSpec) -> Iterator[Problem]:
    if len(spec.domains) == 1:
        yield Problem(("domains",), "one domain is none: leave it out, or name another one")
    first: dict[str, str] = {}
    for name, domain in spec.domains.items():
        for index, router in enumerate(domain.routers):
            path = ("domains", name, "routers", index)
            if router not in spec.routers:
                yield Problem(path, f"there is no router {router!r}")
            elif router in first:
                yield Problem(path, f"{router!r} is already a router of {first[router]!r}")
            first.setdefault(router, name)
    for router in spec.routers if spec.domains else ():
        if router not in first:
            yield Problem(("routers", router), "is of no domain")


def _unknown_routers(spec: LabSpec) -> Iterator[Problem]:
    used: list[tuple[FieldPath, str]] = []
    for index, link in enumerate(spec.links):
        used += [(("links", index, "between", end), name) for end, name in enumerate(link.between)]
    used += [((*path, "router"), access.router) for path, access in spec.edge().values()]
    for path, name in used:
        if name not in spec.routers:
            yield Problem(path, f"there is no router {name!r}")


def _unreachable(spec: LabSpec) -> Iterator[Problem]:
    graph = nx.Graph()
    graph.add_nodes_from(spec.routers)
    for index, link in enumerate(spec.links):
        a, b = link.between
        if a == b:
            yield Problem(("links", index, "between"), f"the link starts and ends at {a!r}")
        graph.add_edge(a, b)
    first = next(iter(spec.routers))
    connected = nx.node_connected_component(graph, first)
    for name in spec.routers:
        if name not in connected:
            yield Problem(("routers", name), f"no links lead from {first!r} to it")


def _names(spec: LabSpec) -> Iterator[Problem]:
    for name in spec.sites:
        if name in spec.hosts:
            yield Problem(("sites", name), "there is a host of that name")
    for kind, names in (("hosts", spec.hosts), ("sites", spec.sites)):
        for name in names:
            if name in (CONTROLLER, CORE):
                yield Problem((kind, name), f"{name!r} is a name that the lab itself uses")


def _incomplete(spec: LabSpec) -> Iterator[Problem]:
    for field, addresses in (("anycast", spec.anycast), ("gateway", spec.gateway)):
        if addresses.ipv4 is None or addresses.ipv6 is None:
            yield Problem((field,), "a lab is dual stack: needs ipv4 and ipv6")


def _unknown_names(spec: LabSpec) -> Iterator[Problem]:
    for index, service in enumerate(spec.services):
        for field, kind, names, known in (
            ("tenants", "tenant", () if service.tenants == "any" else service.tenants, spec.tenants),
            ("classes", "class", service.classes or (), spec.classes),
        ):
            for at, name in enumerate(names):
                if name not in known:
                    yield Problem(("services", index, field, at), f"there is no {kind} {name!r}")
    for name, site in spec.sites.items():
        for function in site.instances:
            if function not in spec.functions:
                yield Problem(
                    ("sites", name, "instances", function), f"functions doesn't say what {function!r} is"
                )


_Values = Iterator[tuple[FieldPath, str, Hashable]]


def _ports(spec: LabSpec) -> _Values:
    for index, link in enumerate(spec.links):
        for end, port in enumerate(link.ports or ()):
            yield ("links", index, "ports", end), f"port {port}", (link.between[end], port)
    for path, access in spec.edge().values():
        if access.port is not None:
            yield (*path, "port"), f"port {access.port}", (access.router, access.port)


def _addresses(spec: LabSpec) -> _Values:
    fixed = [(("anycast",), spec.anycast), (("gateway",), spec.gateway)]
    for path, owner in (*fixed, *spec.edge().values()):
        for family, address in (("ipv4", owner.ipv4), ("ipv6", owner.ipv6)):
            if address is not None:
                yield (*path, family), f"address {address}", address


def _macs(spec: LabSpec) -> _Values:
    owners = [*((("routers", name), router) for name, router in spec.routers.items()), *spec.edge().values()]
    for path, owner in owners:
        if owner.mac is not None:
            yield (*path, "mac"), f"MAC address {owner.mac}", owner.mac


def _ids(spec: LabSpec) -> _Values:
    for name, site in spec.sites.items():
        if site.id is not None:
            yield ("sites", name, "id"), f"site id {site.id}", ("site", site.id)
    for name, router in spec.routers.items():
        if router.device_id is not None:
            yield (
                ("routers", name, "device_id"),
                f"device id {router.device_id}",
                ("device", router.device_id),
            )


def _repeated(values: _Values) -> Iterator[Problem]:
    first: dict[Hashable, FieldPath] = {}
    for path, what, value in values:
        if value in first:
            yield Problem(path, f"{what} is already used by {yamlfile.dotted(first[value])}")
        first.setdefault(value, path)
