"""The example's two routers as two domains: the near site is east's, the far one west's."""

from __future__ import annotations

import random
from ipaddress import IPv4Address

from control.bgp.aggregate import Pool
from control.bgp.attribute import SiteRoute, encode
from control.catalogue import Catalogue
from tests.control.example import CATALOGUE, DETECT, catalogue
from tests.control.far_end import free_port

EAST_ASN, WEST_ASN = 65001, 65002
EAST, WEST = IPv4Address("127.0.1.1"), IPv4Address("127.0.1.2")
DOMAINS = """\
cookies: {keys: {0: "0011223344556677"}, seal: 0}
domains:
  east:
    asn: 65001
    routers: [r1]
    more_routes: 10.254.1.0/24
    bgp: {address: 127.0.1.1, port: 1790, peers: [{address: 127.0.1.2, asn: 65002, port: 1790}]}
  west:
    asn: 65002
    routers: [r2]
    more_routes: 10.254.2.0/24
    bgp: {address: 127.0.1.2, port: 1790, peers: [{address: 127.0.1.1, asn: 65001, port: 1790}]}
"""
NEAR_AT, FAR_AT = IPv4Address("10.253.0.1"), IPv4Address("10.253.0.2")


def two_domains(text: str = DOMAINS) -> Catalogue:
    return catalogue(CATALOGUE + text)


def pool(*functions: int, **values: object) -> Pool:
    told: dict[str, object] = {"service_ms": 10.0, "arrival_rps": 20.0, "capacity_rps": 100.0, **values}
    return Pool(functions or (DETECT,), 1, frozenset({4}), **told)  # type: ignore[arg-type]


def route(*pools: Pool, site: int = 2, **values: int) -> SiteRoute:
    told = {"part": 0, "incarnation": 1, "sequence": 1, "ttl_ms": 30_000, "window_ms": 1000, **values}
    return SiteRoute(site, **told, cpu_utilisation=0.5, cpu_capacity=2.0, pools=pools or (pool(),))


def value(*pools: Pool, site: int = 2, **values: int) -> bytes:
    return encode(route(*pools, site=site, **values))


def speakers(options: str = "") -> str:
    """The domains at loopback addresses and a port that nobody else has; `options` are of their peers."""
    net = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}"
    text = DOMAINS.replace("127.0.1", net).replace("port: 1790}", f"port: 1790{options}}}")
    return text.replace("1790", str(free_port()))
