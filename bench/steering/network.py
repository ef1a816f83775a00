"""The catalogue of a workload: what an operator would declare for it."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address
from typing import Any

from bench.steering.spec import Workload
from control.catalogue import Catalogue

_ANYCAST = "10.255.0.1"
_GATEWAY = "10.255.0.2"
_SITES = IPv4Address("10.253.0.0")
_HOSTS = IPv4Address("10.1.0.0")
PER_HOST = 256
"""Addresses of a site's host: as many instances it can have."""


def token(site: str) -> str:
    """What a site proves by that an advert is its own."""
    return f"token of {site}"


def address(site: int, instance: int) -> IPv4Address:
    """Where an instance of a site (by its place among the workload's, from 1) listens."""
    return _HOSTS + site * PER_HOST + instance


def catalogue(workload: Workload, policy: str, *, two_choices: bool) -> Catalogue:
    """Return the catalogue; `policy` steers all services, with rivals or without."""
    ports: Counter[str] = Counter()

    def port(router: str) -> int:
        ports[router] += 1
        return ports[router]

    links: list[dict[str, Any]] = [
        {
            "a": {"router": link.a, "port": port(link.a)},
            "b": {"router": link.b, "port": port(link.b)},
            "delay_ms": link.delay_ms,
            "cost": link.price,
        }
        for link in workload.links
    ]
    hosts: dict[str, Any] = {}
    sites: dict[str, Any] = {}
    for number, site in enumerate(workload.sites, 1):
        instances = site.instances * len(site.functions)
        hosts[site.name] = {
            "router": site.router,
            "port": port(site.router),
            "mac": _mac(2, number),
            "ipv4": [str(address(number, instance)) for instance in range(1, instances + 1)],
            "delay_ms": site.delay_ms,
        }
        sites[site.name] = {
            "id": number,
            "ipv4": str(_SITES + number),
            "price": site.price,
            "token": token(site.name),
            "hosts": [site.name],
        }
    routers = {
        name: {"device_id": number, "address": f"unix:{name}", "mac": _mac(1, number)}
        for number, name in enumerate(workload.routers, 1)
    }
    services = [
        {"name": name, "select": "request", "two_choices": two_choices} for name in workload.functions
    ]
    return Catalogue.model_validate(
        {
            "anycast": {"ipv4": _ANYCAST},
            "gateway": {"ipv4": _GATEWAY},
            "routers": routers,
            "links": links,
            "hosts": hosts,
            "sites": sites,
            "services": services,
            "policy": policy,
        }
    )


def _mac(kind: int, number: int) -> str:
    return f"02:{kind:02x}:00:00:{number >> 8:02x}:{number & 255:02x}"
