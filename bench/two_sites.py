"""The network of the reaction benchmark: an ingress router, and two sites behind a router each.

    client ── r1 ──┬── r2 ── near
                   └── r3 ── far

The delays that the catalogue declares make `near` the nearest to r1; the links themselves have none, so that
what is measured is the reaction and not the way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from bench import packets
from bench.bed import Bed
from bench.targets import address
from cfn.wire import Header, Kind

CLIENT, NEAR, FAR = "client", "near", "far"
SITES = (NEAR, FAR)
ROUTERS = ("r1", "r2", "r3")
ROLES = (CLIENT, *ROUTERS, *SITES)
FUNCTION_NAME = "bench/react"
TENANT = 7
ANYCAST = IPv4Address("10.255.0.1")
UPLINK = "eth0"
"""The only interface of client and sites."""
_SOURCE_PORT = 20000


@dataclass(frozen=True)
class Host:
    """A host on port 1 of its router."""

    router: str
    mac: str
    ipv4: IPv4Address


HOSTS = {
    CLIENT: Host("r1", "02:00:00:00:02:01", IPv4Address("10.1.0.1")),
    NEAR: Host("r2", "02:00:00:00:02:02", IPv4Address("10.2.0.1")),
    FAR: Host("r3", "02:00:00:00:02:03", IPv4Address("10.3.0.1")),
}
SITE_ADDRESSES = {NEAR: IPv4Address("10.253.0.1"), FAR: IPv4Address("10.253.0.2")}
"""Where r1 sends requests for each site: addresses of the site's router."""
ROUTER_MACS = {name: f"02:00:00:00:01:{number:02x}" for number, name in enumerate(ROUTERS, 1)}
DEVICE_IDS = {name: number for number, name in enumerate(ROUTERS, 1)}
TOKENS = {site: f"token-of-{site}" for site in SITES}
_LINKS = ((("r1", 2), ("r2", 2), 1), (("r1", 3), ("r3", 2), 5))
"""Both ends (router, port), and the declared delay in ms."""


def lay(bed: Bed) -> None:
    """Make the veth pairs of the network in namespaces of ROLES."""
    for name, host in HOSTS.items():
        bed.join((name, UPLINK), (host.router, interface(host.router, 1)), (host.mac, None))
    for (a, a_port), (b, b_port), _ in _LINKS:
        bed.join((a, interface(a, a_port)), (b, interface(b, b_port)), (None, None))


def interface(router: str, port: int) -> str:
    """Return the name of the interface of a router's port."""
    return f"{router}-{port}"


def ports(router: str) -> dict[int, str]:
    """Return a router's interfaces by port number."""
    ends = [end for a, b, _ in _LINKS for end in (a, b)]
    numbers = [1, *(port for name, port in ends if name == router)]
    return {port: interface(router, port) for port in numbers}


def catalogue(sockets: Mapping[str, Path]) -> dict[str, Any]:
    """Return the controller's catalogue, given the socket of each router's P4Runtime server."""
    return {
        "anycast": {"ipv4": str(ANYCAST)},
        "gateway": {"ipv4": "169.254.1.1"},
        "routers": {
            name: {"device_id": DEVICE_IDS[name], "address": address(sockets[name]), "mac": ROUTER_MACS[name]}
            for name in ROUTERS
        },
        "links": [
            {"a": {"router": a, "port": a_port}, "b": {"router": b, "port": b_port}, "delay_ms": delay}
            for (a, a_port), (b, b_port), delay in _LINKS
        ],
        "hosts": {
            name: {"router": host.router, "port": 1, "mac": host.mac, "ipv4": [str(host.ipv4)]}
            for name, host in HOSTS.items()
        },
        "sites": {
            site: {
                "id": number,
                "ipv4": str(SITE_ADDRESSES[site]),
                "price": 1.0,
                "token": TOKENS[site],
                "hosts": [site],
            }
            for number, site in enumerate(SITES, 1)
        },
        "tenants": {"bench": TENANT},
        "services": [{"name": FUNCTION_NAME, "tenants": ["bench"], "select": "request", "policy": "nearest"}],
    }


def write_catalogue(path: Path, sockets: Mapping[str, Path]) -> None:
    """Write the catalogue to a file; JSON is YAML 1.2."""
    path.write_text(json.dumps(catalogue(sockets), indent=1))


def request_frame(func_id: int) -> bytes:
    """Return the frame of a request from the client, with request id and data_in zero."""
    client = HOSTS[CLIENT]
    header = Header(kind=Kind.REQUEST, func_id=func_id, tenant=TENANT, request_id=0)
    return packets.request(
        (client.mac, ROUTER_MACS[client.router]), (str(client.ipv4), str(ANYCAST)), _SOURCE_PORT, header
    )
