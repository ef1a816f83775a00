"""The network of the affinity benchmark: a site at one router, and clients at that one and at another.

    clients ── r1 ── instances
               │
    clients ── r2

All functions draw from one group of instances: one for hosts that echo cookies, one with the flow table, one
by hash alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address

import finsy as fy

from bench import ingress
from bench.bed import Bed
from bench.ingress import ANYCAST, CLIENT_MAC, FUNCTION, GROUP, MTU, ROUTER_MAC, SITE, SITE_ADDRESS, TENANT
from bench.rivals import NO_RIVALS, race
from bench.sessions import Ingress
from cfn.names import func_id
from control.stages.row import default, row

CLIENTS, MOVED, INSTANCES = "clients", "moved", "instances"
ROUTERS = ("r1", "r2")
ROLES = (CLIENTS, MOVED, INSTANCES, *ROUTERS)
UPLINK = "eth0"
HOST = 1
"""The endpoint at the instances; those of the clients are in INGRESS."""
WITH_FLOWS, BY_HASH = func_id("bench/with-flows"), func_id("bench/by-hash")
FUNCTIONS = {FUNCTION: 0, WITH_FLOWS: 255, BY_HASH: 0}
"""Each with the seconds for which its flows are remembered."""
_R2_MAC = "02:00:00:00:01:02"
INGRESS = {
    "r1": Ingress(0, IPv4Address("10.1.0.0"), ROUTER_MAC),
    "r2": Ingress(2, IPv4Address("10.4.0.0"), _R2_MAC),
}
PORTS = {"r1": {1: "r1-1", 2: "r1-2", 3: "r1-3"}, "r2": {1: "r2-1", 2: "r2-2"}}
_TO_CLIENT, _TO_CORE = 2, 3
_SLOT = 100


def lay(bed: Bed) -> list[tuple[str, str]]:
    """Make the veth pairs in namespaces of ROLES, and return the endpoints."""
    bed.join((CLIENTS, UPLINK), ("r1", "r1-1"), (None, None))
    bed.join((INSTANCES, UPLINK), ("r1", "r1-2"), (None, None))
    bed.join(("r1", "r1-3"), ("r2", "r2-2"), (None, None))
    bed.join((MOVED, UPLINK), ("r2", "r2-1"), (None, None))
    return [(bed[role], UPLINK) for role in (CLIENTS, INSTANCES, MOVED)]


def instances() -> list[IPv4Address]:
    """Return the addresses of the instances."""
    return [ingress.FIRST_INSTANCE + number for number in range(8)]


def group(number: int, weights: Mapping[int, int]) -> fy.P4TableEntry:
    """Return the row of a group of instances, by index in `instances`, with their weights."""
    members = fy.P4IndirectAction(
        [
            (
                weight,
                fy.P4TableAction("bind_instance", site=SITE, instance=1 + index, **_member(_place(index))),
            )
            for index, weight in weights.items()
        ]
    )
    return row("draw", {"group": number}, members)


def services(group: int) -> list[fy.P4TableEntry]:
    """Return the rows by which all functions draw from a group at r1, for clients there and for the site."""
    return [
        row("service", _match(function, scope), fy.P4TableAction("set_group", group=group))
        for function in FUNCTIONS
        for scope in (0, SITE)
    ]


def live(index: int) -> fy.P4TableEntry:
    """Return the row that says that an instance is alive."""
    return row("instance", {"site": SITE, "instance": 1 + index}, fy.P4TableAction("live", **_place(index)))


def cookie_key(epoch: int, key: Mapping[str, int]) -> fy.P4TableEntry:
    """Return the row of a key that cookies are verified with."""
    return row("cookie_key", {"epoch": epoch}, fy.P4TableAction("use_key", **key))


def seal_key(epoch: int, key: Mapping[str, int]) -> fy.P4TableEntry:
    """Return the row of the key that cookies are sealed with."""
    return default("seal_key", fy.P4TableAction("seal_with", key_epoch=epoch, **key))


def entries(router: str) -> list[fy.P4TableEntry]:
    """Return all entries of a router; the instances of r1 begin with equal weights."""
    shared = [
        default("anycast_source", fy.P4TableAction("anycast_is", ipv4=int(ANYCAST), ipv6=0)),
        seal_key(0, ingress.KEY),
        cookie_key(0, ingress.KEY),
        row("my_mac", {"dst_addr": INGRESS[router].router_mac}, fy.P4TableAction("for_router")),
        row("local_ipv4", {"dst_addr": int(ANYCAST)}, fy.P4TableAction("anycast")),
        *(_function(function, flow_s) for function, flow_s in FUNCTIONS.items()),
        *(
            row("permit", {"tenant": TENANT, "func_id": function}, fy.P4TableAction("allow"))
            for function in FUNCTIONS
        ),
    ]
    return shared + (_site_router() if router == "r1" else _other_router())


def _site_router() -> list[fy.P4TableEntry]:
    here = fy.P4TableAction("here", slot=0, ipv4=int(SITE_ADDRESS), ipv6=0)
    return [
        row("site", {"site": SITE}, here),
        row("local_ipv4", {"dst_addr": int(SITE_ADDRESS)}, fy.P4TableAction("site_address", site=SITE)),
        row("core_port", {"port": 3}, fy.P4TableAction("from_core")),
        *(live(index) for index in range(len(instances()))),
        group(GROUP, dict.fromkeys(range(len(instances())), 1)),
        *services(GROUP),
        *_way(1, "forward_edge", 2, (ROUTER_MAC, ingress.SITE_MAC), ["10.2.0.0/16"]),
        *_way(_TO_CLIENT, "forward_edge", 1, (ROUTER_MAC, CLIENT_MAC), ["10.1.0.0/16"]),
        *_way(_TO_CORE, "forward_core", 3, (ROUTER_MAC, _R2_MAC), ["10.4.0.0/16"]),
    ]


def _other_router() -> list[fy.P4TableEntry]:
    place = {"slot": _SLOT, "ipv4": int(SITE_ADDRESS), "ipv6": 0}
    members = fy.P4IndirectAction([(1, fy.P4TableAction("bind_site", site=SITE, **_member(place)))])
    return [
        row("site", {"site": SITE}, fy.P4TableAction("remote", **place)),
        row("draw", {"group": GROUP}, members),
        *(
            row("service", _match(function, 0), fy.P4TableAction("set_group", group=GROUP))
            for function in FUNCTIONS
        ),
        *_way(_TO_CLIENT, "forward_edge", 1, (_R2_MAC, CLIENT_MAC), ["10.4.0.0/16"]),
        *_way(_TO_CORE, "forward_core", 2, (_R2_MAC, ROUTER_MAC), [f"{SITE_ADDRESS}/32"]),
    ]


def _function(function: int, flow_s: int) -> fy.P4TableEntry:
    known = fy.P4TableAction(
        "known", service=ingress.SERVICE, public=0, per_request=0, lead=NO_RIVALS, flow_s=flow_s
    )
    return row("function", {"func_id": function}, known)


def _way(
    number: int, action: str, port: int, macs: tuple[str, str], prefixes: Sequence[str]
) -> list[fy.P4TableEntry]:
    forward = fy.P4TableAction(action, port=port, src_mac=macs[0], dst_mac=macs[1], mtu=MTU)
    to = fy.P4IndirectAction([(1, fy.P4TableAction("set_next_hop", next_hop=number))])
    return [
        row("next_hop", {"next_hop": number}, forward),
        *(row("ipv4_route", {"dst_addr": prefix}, to) for prefix in prefixes),
    ]


def _match(function: int, scope: int) -> dict[str, int]:
    return {"is_ipv6": 0, "scope": scope, "class_id": 0, "func_id": function}


def _place(index: int) -> dict[str, int]:
    return {"slot": 1 + index, "ipv4": int(instances()[index]), "ipv6": 0}


def _member(place: dict[str, int]) -> dict[str, int]:
    """A place as that of a member without rivals."""
    return place | race({place["slot"]: 0})
