"""From a lab file to everything that is built: each interface, address, port, MAC and instance number.

A pure function of the file: the same file gives the same plan, so a recorded trace fits every later lab.

- Router number i (from 1): MAC 02:cf:00:00:HI:LO, own addresses 10.254.HI.LO and fd00:fe::i,
  segment fd00:5e::i.
- Host, site or controller number h (from 1) on router i: MAC 02:cf:01:00:HI:LO, addresses 10.i.h.1 and
  fd00:i:h::1. The instances of a site have the addresses that follow its host's, its data agent the next.
- Site with id s: 10.253.HI.LO and fd00:fd::s, at its router.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from topo import spec
from topo.impairment import Impairment
from topo.spec import CONTROLLER, CORE, Access, LabSpec, Line

GRPC_PORT_BASE = 9559
"""Port registered for P4Runtime; router number 1 listens there, the next ones on those that follow."""


@dataclass(frozen=True)
class Router:
    """A CFN router; `ports` are its interfaces in the core namespace by port number."""

    name: str
    device_id: int
    mac: str
    ipv4: IPv4Address
    ipv6: IPv6Address
    sid: IPv6Address
    grpc_port: int
    ports: dict[int, str]


@dataclass(frozen=True)
class PortEnd:
    """A port of a router, as one end of a wire."""

    router: str
    port: int

    @property
    def interface(self) -> str:
        """Name of the port's interface in the core namespace."""
        return f"{self.router}-{self.port}"

    @property
    def wire_interface(self) -> str:
        """Name of the interface that the port's own veth pair ends in, where the wire is impaired."""
        return f"x-{self.router}-{self.port}"


@dataclass(frozen=True)
class Link:
    """A link between two routers."""

    a: PortEnd
    b: PortEnd
    impairment: Impairment
    cost: float


@dataclass(frozen=True)
class Instance:
    """An instance of a function; `number` is unique in its site."""

    site: str
    number: int
    function: str
    ipv4: IPv4Address
    ipv6: IPv6Address

    @property
    def label(self) -> str:
        """How the instance is called in logs and tables."""
        return f"{self.site}/{self.number}"


@dataclass(frozen=True)
class DataAgent:
    """A site's data agent; `size_mb` is how much content it keeps."""

    ipv4: IPv4Address
    ipv6: IPv6Address
    size_mb: float


@dataclass(frozen=True)
class Host:
    """Something on an edge port of a router: a client, a site's machine, the controller."""

    name: str
    namespace: str
    interface: str
    attached: PortEnd
    mac: str
    ipv4: tuple[IPv4Address, ...]
    ipv6: tuple[IPv6Address, ...]
    impairment: Impairment


@dataclass(frozen=True)
class Site:
    """A site: its own addresses, which its router has, its host and what runs on it."""

    name: str
    id: int
    ipv4: IPv4Address
    ipv6: IPv6Address
    host: Host
    cores: float
    instances: tuple[Instance, ...]
    data_agent: DataAgent | None


@dataclass(frozen=True)
class Plan:
    """Everything a lab is made of."""

    spec: LabSpec
    routers: dict[str, Router]
    links: tuple[Link, ...]
    hosts: dict[str, Host]
    sites: dict[str, Site]

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.spec.name

    @property
    def core(self) -> str:
        """The namespace that holds all switches and the controller."""
        return namespace(self.name, CORE)

    @property
    def anycast(self) -> tuple[IPv4Address, IPv6Address]:
        """The network's addresses, to which clients send."""
        return both(self.spec.anycast)

    @property
    def gateway(self) -> tuple[IPv4Address, IPv6Address]:
        """The default gateway of every host."""
        return both(self.spec.gateway)

    @property
    def clients(self) -> tuple[Host, ...]:
        """The hosts that are neither sites nor the controller."""
        return tuple(self.hosts[name] for name in self.spec.hosts)

    @property
    def domains(self) -> tuple[str | None, ...]:
        """Names of the control domains, each with a controller; None where one drives all routers."""
        return tuple(self.spec.domains) or (None,)

    def domain_of(self, site: str) -> str | None:
        """The domain of a site's router."""
        router = self.spec.sites[site].router
        return next((name for name, one in self.spec.domains.items() if router in one.routers), None)

    def namespaces(self) -> list[str]:
        """List the namespaces to make, the core first."""
        return [self.core, *(host.namespace for host in self.hosts.values() if host.name != CONTROLLER)]


def namespace(lab: str, host: str) -> str:
    """Return the name of the network namespace of a lab's host."""
    return f"cfn-{lab}-{host}"


def group_name(lab: str) -> str:
    """Return the name of the control group that holds a lab's sites."""
    return f"cfn-{lab}"


def group_of(lab: str, site: str) -> str:
    """Return the name of the control group of a site, or of the core."""
    return f"{group_name(lab)}/{site}"


def both(addresses: spec.Addresses) -> tuple[IPv4Address, IPv6Address]:
    """Return the addresses of both families of a lab's anycast or gateway, which has both."""
    if addresses.ipv4 is None or addresses.ipv6 is None:
        raise ValueError("a lab is dual stack")
    return addresses.ipv4, addresses.ipv6


def load(path: Path) -> Plan:
    """Read a lab file and plan it.

    Raises:
        cfn.yamlfile.FileError: the file is wrong; the error names line and field.
    """
    return make(spec.load(path))


def make(lab: LabSpec) -> Plan:
    """Plan a lab."""
    ports = _PortNumbers(lab)
    links = tuple(_link(link, ports) for link in lab.links)
    numbers = {name: number for number, name in enumerate(lab.routers, 1)}
    hosts = {
        name: _host(lab, name, access, (numbers[access.router], number), ports)
        for number, (name, (_, access)) in enumerate(lab.edge().items(), 1)
    }
    ids = _site_ids(lab)
    sites = {name: _site(lab, name, ids[name], hosts[name]) for name in lab.sites}
    used = [end for link in links for end in (link.a, link.b)] + [host.attached for host in hosts.values()]
    devices = _device_ids(lab)
    routers = {
        name: Router(
            name=name,
            device_id=devices[name],
            mac=router.mac or _mac(0, numbers[name]),
            ipv4=IPv4Address("10.254.0.0") + numbers[name],
            ipv6=IPv6Address("fd00:fe::") + numbers[name],
            sid=IPv6Address("fd00:5e::") + numbers[name],
            grpc_port=GRPC_PORT_BASE + numbers[name] - 1,
            ports={end.port: end.interface for end in sorted(used, key=_by_port) if end.router == name},
        )
        for name, router in lab.routers.items()
    }
    return Plan(lab, routers, links, hosts, sites)


class _PortNumbers:
    """Hands out the port numbers of each router that nobody asked for by number."""

    def __init__(self, lab: LabSpec) -> None:
        taken: dict[str, set[int]] = {name: set() for name in lab.routers}
        for link in lab.links:
            for router, port in zip(link.between, link.ports or (), strict=False):
                taken[router].add(port)
        for _, access in lab.edge().values():
            if access.port is not None:
                taken[access.router].add(access.port)
        self._free = {name: _without(numbers) for name, numbers in taken.items()}

    def end(self, router: str, wanted: int | None) -> PortEnd:
        """Return the wanted port of a router, or its next free one."""
        return PortEnd(router, wanted if wanted is not None else next(self._free[router]))


def _by_port(end: PortEnd) -> int:
    return end.port


def _without(taken: set[int]) -> Iterator[int]:
    return (number for number in itertools.count(1) if number not in taken)


def _impairment(line: Line) -> Impairment:
    return Impairment(line.delay_ms, line.jitter_ms, line.loss, line.rate_mbps, line.queue)


def _link(link: spec.LinkSpec, ports: _PortNumbers) -> Link:
    wanted = link.ports or (None, None)
    a, b = (ports.end(router, port) for router, port in zip(link.between, wanted, strict=True))
    return Link(a, b, _impairment(link), link.cost)


def _host(lab: LabSpec, name: str, access: Access, numbers: tuple[int, int], ports: _PortNumbers) -> Host:
    """Plan a host; `numbers` are its router's and its own."""
    router, number = numbers
    controller = name == CONTROLLER
    count = 1
    if isinstance(access, spec.SiteSpec):
        count += sum(access.instances.values()) + (access.data is not None)
    ipv4 = access.ipv4 or IPv4Address(f"10.{router}.{number}.1")
    ipv6 = access.ipv6 or IPv6Address(f"fd00:{router}:{number}::1")
    return Host(
        name=name,
        namespace=namespace(lab.name, CORE if controller else name),
        interface="ctl" if controller else "eth0",
        attached=ports.end(access.router, access.port),
        mac=access.mac or _mac(1, number),
        ipv4=tuple(ipv4 + offset for offset in range(count)),
        ipv6=tuple(ipv6 + offset for offset in range(count)),
        impairment=_impairment(access),
    )


def _site(lab: LabSpec, name: str, site_id: int, host: Host) -> Site:
    site = lab.sites[name]
    functions = itertools.chain.from_iterable([f] * count for f, count in site.instances.items())
    instances = tuple(
        Instance(name, number, function, host.ipv4[number], host.ipv6[number])
        for number, function in enumerate(functions, 1)
    )
    own = IPv4Address("10.253.0.0") + site_id, IPv6Address("fd00:fd::") + site_id
    data_agent = DataAgent(host.ipv4[-1], host.ipv6[-1], site.data.size_mb) if site.data else None
    return Site(name, site_id, *own, host, site.cores, instances, data_agent)


def _site_ids(lab: LabSpec) -> dict[str, int]:
    free = _without({site.id for site in lab.sites.values() if site.id is not None})
    return {name: site.id if site.id is not None else next(free) for name, site in lab.sites.items()}


def _device_ids(lab: LabSpec) -> dict[str, int]:
    free = _without({r.device_id for r in lab.routers.values() if r.device_id is not None})
    return {name: r.device_id if r.device_id is not None else next(free) for name, r in lab.routers.items()}


def _mac(kind: int, number: int) -> str:
    return f"02:cf:{kind:02x}:00:{number >> 8:02x}:{number & 0xFF:02x}"
