"""A small network: two routers joined by two links, a client and the near site on r1, the far site on r2."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from cfn import yamlfile
from cfn.names import func_id
from cfn.proto import advert_pb2 as pb
from control.catalogue import Catalogue
from control.model import HeldResult, Instance, InstanceKey, SiteAdvert, Way

CATALOGUE = """\
anycast: {ipv4: 10.255.0.1, ipv6: "fd00:cf::1"}
gateway: {ipv4: 169.254.1.1, ipv6: "fe80::1"}
routers:
  r1: {device_id: 1, address: "127.0.0.1:1", mac: "02:00:00:00:01:00", ipv4: 10.0.0.1}
  r2: {device_id: 2, address: "127.0.0.1:2", mac: "02:00:00:00:02:00", ipv6: "fd00::2"}
links:
  - {a: {router: r1, port: 1}, b: {router: r2, port: 1}, delay_ms: 10, cost: 1}
  - {a: {router: r1, port: 2}, b: {router: r2, port: 2}, delay_ms: 10, cost: 3}
hosts:
  client: {router: r1, port: 3, mac: "02:01:00:00:00:01", ipv4: [10.1.0.1], ipv6: ["fd00:1::1"]}
  near: {router: r1, port: 4, mac: "02:01:00:00:00:02", ipv4: [10.2.0.1, 10.2.0.2], ipv6: ["fd00:2::1"],
         delay_ms: 1}
  far: {router: r2, port: 4, mac: "02:01:00:00:00:03", ipv4: [10.3.0.1], ipv6: ["fd00:3::1"], delay_ms: 1}
sites:
  near: {id: 1, ipv4: 10.253.0.1, ipv6: "fd00:fd::1", price: 2, token: "near-token", hosts: [near],
         compute: {logic: 2}}
  far: {id: 2, ipv4: 10.253.0.2, ipv6: "fd00:fd::2", price: 1, token: "far-token", hosts: [far],
        compute: {logic: 2, neural: 3}}
tenants: {demo: 7}
classes:
  quick: {id: 1, latency_ms: [1, 20], within_ms: 20}
  brainy: {id: 2, type: neural, grade: 2, cost_ceiling: [1, 4]}
services:
  - {name: vision/detect, tenants: [demo]}
  - {name: video/*, select: request, policy: round-robin, classes: []}
"""

DETECT = func_id("vision/detect")
RENDER = func_id("video/render")
NEAR, NEAR_2, FAR = InstanceKey(1, 1), InstanceKey(1, 2), InstanceKey(2, 1)

_IPV4 = {NEAR: "10.2.0.1", NEAR_2: "10.2.0.2", FAR: "10.3.0.1"}
_IPV6 = {NEAR: "fd00:2::1", FAR: "fd00:3::1"}


def catalogue(text: str = CATALOGUE) -> Catalogue:
    return yamlfile.parse(text, Catalogue, "catalogue.yaml")


def instance(
    key: InstanceKey, func: int = DETECT, *, like: InstanceKey | None = None, **values: object
) -> Instance:
    """An instance; one without addresses of its own has those of another."""
    where = like or key
    told: dict[str, object] = {"service_ms": 10.0, "capacity_rps": 100.0, "arrival_rps": 20.0, **values}
    ipv6 = IPv6Address(_IPV6[where]) if where in _IPV6 else None
    return Instance(key, func, IPv4Address(_IPV4[where]), ipv6, **told)  # type: ignore[arg-type]


def advert(
    site: str,
    sequence: int,
    *instances: Instance,
    ttl_s: float = 5.0,
    incarnation: int = 1,
    inputs: Iterable[bytes] = (),
    results: Iterable[HeldResult] = (),
    way: Way = "grpc",
) -> SiteAdvert:
    return SiteAdvert(
        site,
        incarnation,
        sequence,
        ttl_s,
        instances={one.key: one for one in instances},
        inputs=frozenset(inputs),
        results=frozenset(results),
        way=way,
    )


def message(site: str, sequence: int, instances: Iterable[Instance] = (), ttl_ms: int = 60_000) -> pb.Advert:
    """The same as an agent sends it."""
    return pb.Advert(
        site=site,
        incarnation=1,
        sequence=sequence,
        ttl_ms=ttl_ms,
        instances=[
            pb.Instance(
                func_id=one.func_id,
                instance=one.key.instance,
                ipv4=one.ipv4.packed if one.ipv4 else b"",
                ipv6=one.ipv6.packed if one.ipv6 else b"",
                load=one.load,
                queue=one.queue,
                service_time_us=one.service_ms * 1000,
                arrival_rps=one.arrival_rps,
                capacity_rps=one.capacity_rps,
                concurrency=1,
                state=pb.Instance.DRAINING if one.draining else pb.Instance.UP,
            )
            for one in instances
        ],
    )


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
