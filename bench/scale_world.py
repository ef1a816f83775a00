"""A network of ingress routers and sites with thousands of services: its catalogue, and what sites tell.

Routers are a ring with chords, so that each has its own distances to the sites; sites are spread over them.
Each site has pools of workers, and a pool is one instance, as platforms that run many functions have it: it
serves its part of the functions at one address of each family. The same pool of every site serves the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from pydantic import SecretStr

from cfn.names import func_id
from cfn.site import InstanceView
from control.catalogue import Addresses, Catalogue, Host, Link, LinkEnd, Router, Service, Site

TOKEN = "scale-token"  # noqa: S105 - of sites that are nowhere else
_RING_MS = 2.0
_CHORD = 5
_CHORD_MS = 4.0
_FIRST_HOST_PORT, _HOST_PORTS = 10, 500
_POOLS = 64
"""That there are addresses for at a site."""
_SITE_V4, _HOST_V4 = int(IPv4Address("10.253.0.0")), int(IPv4Address("10.64.0.0"))
_SITE_V6, _HOST_V6 = int(IPv6Address("fd00:fd::")), int(IPv6Address("fd00:1::"))
_REPLICAS, _REGION_SERVICES, _REGION_ROUTERS = 8, 10, 4
_CAPACITY_RPS = 20_000.0
_SERVICE_US = 2_000.0
_WORKERS = 40


class World:
    """So many services, each at every site.

    Attributes:
        services: names.
        sites: likewise.
        routers: likewise; each is an ingress.
    """

    def __init__(self, services: int = 10_000, sites: int = 8, routers: int = 16, pools: int = 8):
        """`pools` is how many instances a site has."""
        self.services = [f"scale/f{number}" for number in range(services)]
        self.sites = [f"site{number}" for number in range(sites)]
        self.routers = [f"r{number}" for number in range(routers)]
        self._parts = [[func_id(name) for name in self.services[pool::pools]] for pool in range(pools)]

    def catalogue(self, addresses: Sequence[str] = ()) -> Catalogue:
        """The catalogue; `addresses` are those of the routers' P4Runtime servers, if they run."""
        return Catalogue(
            anycast=Addresses(ipv4=IPv4Address("10.255.0.1"), ipv6=IPv6Address("fd00:cf::1")),
            gateway=Addresses(ipv4=IPv4Address("169.254.1.1"), ipv6=IPv6Address("fe80::1")),
            routers={
                name: Router(
                    device_id=number + 1,
                    address=addresses[number] if addresses else f"unix:/nowhere/{name}",
                    mac=f"02:00:00:00:{number:02x}:01",
                    ipv4=IPv4Address(f"10.0.0.{number + 1}"),
                    ipv6=IPv6Address(f"fd00::{number + 1:x}"),
                )
                for number, name in enumerate(self.routers)
            },
            links=tuple(self._links()),
            hosts={f"host-{name}": self._host(number) for number, name in enumerate(self.sites)},
            sites={
                name: Site(
                    id=number + 1,
                    ipv4=IPv4Address(_SITE_V4 + number + 1),
                    ipv6=IPv6Address(_SITE_V6 + number + 1),
                    price=1.0,
                    token=SecretStr(TOKEN),
                    hosts=(f"host-{name}",),
                )
                for number, name in enumerate(self.sites)
            },
            services=tuple(Service(name=name) for name in self.services),
        )

    def views(self, site: str, draw: random.Random) -> tuple[InstanceView, ...]:
        """What the pools of a site are doing, drawn anew."""
        number = self.sites.index(site)
        return tuple(self._view(number, pool, part, draw) for pool, part in enumerate(self._parts))

    def _view(self, site: int, pool: int, functions: Sequence[int], draw: random.Random) -> InstanceView:
        first, *also = functions
        load = draw.uniform(0.1, 0.7)
        return InstanceView(
            func_id=first,
            instance=pool + 1,
            ipv4=_host_v4(site, pool),
            ipv6=_host_v6(site, pool),
            load=round(191 * load),
            queue=0,
            service_time_us=_SERVICE_US * draw.uniform(0.9, 1.1),
            arrival_rps=_CAPACITY_RPS * load,
            completed_rps=_CAPACITY_RPS * load,
            error_rps=0.0,
            capacity_rps=_CAPACITY_RPS,
            concurrency=_WORKERS,
            draining=False,
            also=tuple(also),
        )

    def _host(self, site: int) -> Host:
        pools = range(len(self._parts))
        return Host(
            router=self.routers[site * len(self.routers) // len(self.sites)],
            port=_FIRST_HOST_PORT + site % _HOST_PORTS,
            mac=f"02:01:00:00:{site >> 8:02x}:{site & 255:02x}",
            ipv4=tuple(_host_v4(site, pool) for pool in pools),
            ipv6=tuple(_host_v6(site, pool) for pool in pools),
            delay_ms=0.5,
        )

    def _links(self) -> list[Link]:
        count = len(self.routers)
        ring = [(n, (n + 1) % count, _RING_MS) for n in range(count)]
        chords = [(n, (n + _CHORD) % count, _CHORD_MS) for n in range(0, count, 2)]
        ports = [0] * count

        def end(router: int) -> LinkEnd:
            ports[router] += 1
            return LinkEnd(router=self.routers[router], port=ports[router])

        return [Link(a=end(a), b=end(b), delay_ms=delay_ms) for a, b, delay_ms in ring + chords]


class Region(World):
    """Many sites that run different services: each service is at the few sites of its region."""

    def __init__(self, sites: int):
        """So many sites, `_REPLICAS` a region."""
        regions = -(-sites // _REPLICAS)
        super().__init__(services=regions * _REGION_SERVICES, sites=sites, routers=_REGION_ROUTERS, pools=1)

    def views(self, site: str, draw: random.Random) -> tuple[InstanceView, ...]:
        """What a site's one pool is doing, drawn anew."""
        number = self.sites.index(site)
        first = number // _REPLICAS * _REGION_SERVICES
        functions = [func_id(name) for name in self.services[first : first + _REGION_SERVICES]]
        return (self._view(number, 0, functions, draw),)


def _host_v4(site: int, pool: int) -> IPv4Address:
    return IPv4Address(_HOST_V4 + site * _POOLS + pool + 1)


def _host_v6(site: int, pool: int) -> IPv6Address:
    return IPv6Address(_HOST_V6 + site * _POOLS + pool + 1)
