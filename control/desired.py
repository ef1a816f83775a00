"""What the tables of a router should hold. Pure: declarations and decisions in, finsy entities out.

The order of match fields, values and names are those of the program's P4Info; finsy encodes by it and refuses
what doesn't fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from finsy import P4DigestEntry, P4IndirectAction, P4TableAction, P4TableEntry, P4TableMatch

from cfn.names import FUNC_ID_BITS
from cfn.wire import ComputeType
from control.catalogue import Catalogue, DemandClass
from control.keys import KeyRing
from control.model import InstanceKey
from control.network import Network, NextHop

RETRY_AFTER_MS = 500
"""What a client is told when nothing can serve it: by then the sites have advertised anew."""

_DIGEST_LIST = 64
_DIGEST_TIMEOUT_NS = 50_000_000
_DIGEST_ACK_NS = 1_000_000_000


class Steered(NamedTuple):
    """What a decision is about: requests of a family and demand class for a function, or FuncID prefix."""

    func_id: int
    class_id: int
    family: int
    prefix_len: int = FUNC_ID_BITS


class Placement(NamedTuple):
    """What routers are told of an instance; an address of 0 is none."""

    slot: int
    ipv4: int
    ipv6: int


@dataclass(frozen=True, slots=True)
class Group:
    """Decision: bind to these instances by weight; nobody there means no capacity."""

    weights: tuple[tuple[InstanceKey, int], ...] = ()


def static_entities(
    catalogue: Catalogue, network: Network, router: str
) -> Iterator[P4TableEntry | P4DigestEntry]:
    """All that follows from the catalogue alone."""
    yield from _own_entities(catalogue, router)
    yield from _route_entities(catalogue, network, router)
    yield from _service_entities(catalogue)
    restore = {"ipv4": int(catalogue.anycast.ipv4 or 0), "ipv6": int(catalogue.anycast.ipv6 or 0)}
    yield P4TableEntry("anycast_source", action=P4TableAction("restore", **restore), is_default_action=True)
    yield P4DigestEntry(
        "instance_report",
        max_list_size=_DIGEST_LIST,
        max_timeout_ns=_DIGEST_TIMEOUT_NS,
        ack_timeout_ns=_DIGEST_ACK_NS,
    )


def key_entities(ring: KeyRing) -> Iterator[P4TableEntry]:
    """The keys that cookies are checked with, and the one that seals."""
    for epoch, key in sorted(ring.keys.items()):
        yield _entry("cookie_key", {"epoch": epoch}, P4TableAction("use_key", k0=key.k0, k1=key.k1))
    seal = ring.keys[ring.sealing]
    action = P4TableAction("seal_with", key_epoch=ring.sealing, k0=seal.k0, k1=seal.k1)
    yield P4TableEntry("seal_key", action=action, is_default_action=True)


def instance_entities(placements: Mapping[InstanceKey, Placement]) -> Iterator[P4TableEntry]:
    """The instances that keep their sessions."""
    for key, place in sorted(placements.items()):
        yield _entry("instance", key._asdict(), P4TableAction("live", **place._asdict()))


def no_capacity_entity(steered: Steered) -> P4TableEntry:
    """Requests that nobody can serve now."""
    match = {
        "is_ipv6": int(steered.family == 6),
        "class_id": steered.class_id,
        "func_id": (steered.func_id, steered.prefix_len),
    }
    nobody = P4TableAction("no_capacity", retry_after_ms=RETRY_AFTER_MS)
    return _entry("service", match, P4IndirectAction([(1, nobody)]))


def bind_action(key: InstanceKey, placement: Placement) -> P4TableAction:
    """Binding a request to an instance."""
    return P4TableAction("bind_instance", **key._asdict(), **placement._asdict())


def _own_entities(catalogue: Catalogue, router: str) -> Iterator[P4TableEntry]:
    own = catalogue.routers[router]
    yield _entry("my_mac", {"dst_addr": own.mac}, P4TableAction("for_router"))
    for family, reply in ((4, "arp_reply"), (6, "nd_reply")):
        name = f"ipv{family}"
        anycast = getattr(catalogue.anycast, name)
        if anycast is not None:
            yield _entry(f"local_{name}", {"dst_addr": int(anycast)}, P4TableAction("anycast"))
        for address in (getattr(own, name), getattr(catalogue.gateway, name)):
            if address is not None:
                yield _entry(f"local_{name}", {"dst_addr": int(address)}, P4TableAction("own_address"))
                mac = P4TableAction(f"answer_{reply.removesuffix('_reply')}", mac=own.mac)
                yield _entry(reply, {"target": int(address)}, mac)


def _route_entities(catalogue: Catalogue, network: Network, router: str) -> Iterator[P4TableEntry]:
    own_mac = catalogue.routers[router].mac
    for hop in sorted(network.hops(router)):
        name = "forward_edge" if hop.edge else "forward_core"
        action = P4TableAction(name, port=hop.port, src_mac=own_mac, dst_mac=hop.mac)
        yield _entry("next_hop", {"next_hop": hop.port}, action)
    for name, host in catalogue.hosts.items():
        path = network.path_to_host(router, name)
        if path:
            for address in (*host.ipv4, *host.ipv6):
                yield _route(address.version, int(address), path.next_hops)
    for name, other in catalogue.routers.items():
        path = network.path_to_router(router, name)
        if path and path.next_hops:
            for address in (other.ipv4, other.ipv6):
                if address is not None:
                    yield _route(address.version, int(address), path.next_hops)


def _route(family: int, address: int, hops: Iterable[NextHop]) -> P4TableEntry:
    # A port has one station on it, so its number also names the next hop.
    ways = [(1, P4TableAction("set_next_hop", next_hop=hop.port)) for hop in hops]
    return _entry(
        f"ipv{family}_route", {"dst_addr": (address, 32 if family == 4 else 128)}, P4IndirectAction(ways)
    )


def _service_entities(catalogue: Catalogue) -> Iterator[P4TableEntry]:
    for service in catalogue.services:
        public, per_request = int(service.tenants == "any"), int(service.select == "request")
        known = P4TableAction("known", public=public, per_request=per_request)
        yield _entry("function", {"func_id": service.prefix}, known)
        for tenant in () if service.tenants == "any" else service.tenants:
            match = {"tenant": catalogue.tenants[tenant], "func_id": service.prefix}
            yield _entry("permit", match, P4TableAction("allow"))
    for index, demand in enumerate(catalogue.classes.values()):
        action = P4TableAction("set_class", class_id=demand.id)
        yield _entry("demand_class", _demand(demand), action, priority=len(catalogue.classes) - index)


def _demand(demand: DemandClass) -> dict[str, object]:
    match: dict[str, object] = {}
    if demand.type is not None:
        match["type"] = int(ComputeType[demand.type.upper()])
    if demand.grade is not None:
        match["grade"] = demand.grade
    if demand.latency_ms is not None:
        match["latency_ms"] = demand.latency_ms
    if demand.cost_ceiling is not None:
        match["cost"] = demand.cost_ceiling
    return match


def _entry(
    table: str, match: Mapping[str, object], action: P4TableAction | P4IndirectAction, priority: int = 0
) -> P4TableEntry:
    return P4TableEntry(table, match=P4TableMatch(match), action=action, priority=priority)
