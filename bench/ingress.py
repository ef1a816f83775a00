"""The workload `cfn`: requests without payload, steered by weight to one of several instances.

The entries are those of an ingress router with one service: each frame is a first request of its flow, so
it passes admission (function, tenant), is drawn for a member of a weighted group, the others of which are its
rivals, gets a sealed cookie and is routed.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import finsy as fy

import p4src
from bench import packets
from bench.rivals import race
from bench.workload import OUT_PORT, Workload
from cfn.names import func_id
from cfn.wire import Header, Kind

ROUTER_MAC = "02:00:00:00:01:00"
CLIENT_MAC = "02:00:00:00:02:00"
SITE_MAC = "02:00:00:00:03:00"
CLIENT = IPv4Address("10.1.0.1")
ANYCAST = IPv4Address("10.255.0.1")
FIRST_INSTANCE = IPv4Address("10.2.0.1")
WEIGHTS = (1, 2, 3, 2)
"""Weight of each instance; they have consecutive addresses from FIRST_INSTANCE."""
FUNCTION = func_id("bench/steer")
TENANT = 7
SERVICE = 1
SITE = 1
SITE_ADDRESS = IPv4Address("10.253.0.1")
GROUP = 1
LEAD = 16
"""That rivals need, unless a service is declared with another or without rivals."""
_UNIT_US = 6000
"""By how much a request delays others at an instance of weight 1."""
FLOWS = 1024
_FIRST_PORT = 20000
KEY = {"k0": 0x03020100, "k1": 0x07060504}
"""Of cookies; any costs the same."""
ROUTER = IPv4Address("10.0.0.1")
MTU = 1500


def workload() -> Workload:
    """Return the workload."""
    return Workload(
        name="cfn",
        p4info=p4src.P4INFO,
        p4blob=p4src.JSON,
        entries=tuple(entries()),
        frames=tuple(_frame(flow) for flow in range(FLOWS)),
        marks=packets.CFN_MARKS,
        router_mac=ROUTER_MAC,
        routes=(IPv4Network(ANYCAST),),
        fault=steering_fault,
        outlet=lambda frame: packets.ipv4_of(frame).dst,
        outlets=frozenset(str(address) for address in instances()),
    )


def instances() -> list[IPv4Address]:
    """Return the addresses of the instances."""
    return [FIRST_INSTANCE + number for number in range(len(WEIGHTS))]


def places() -> list[dict[str, int]]:
    """Return for each instance the parameters that say who and where it is."""
    return [
        {"site": SITE, "instance": number, "slot": number, "ipv4": int(address), "ipv6": 0}
        for number, address in enumerate(instances(), 1)
    ]


def entries(lead: int = LEAD) -> list[fy.P4TableEntry]:
    """Return the entries that steer the workload's requests; `lead` is that of rivals."""
    addresses, keys = instances(), places()
    known = fy.P4TableAction("known", service=SERVICE, public=0, per_request=0, lead=lead, flow_s=0)
    here = fy.P4TableAction("here", slot=0, ipv4=int(SITE_ADDRESS), ipv6=0)
    next_hop = fy.P4TableAction("forward_edge", port=OUT_PORT, src_mac=ROUTER_MAC, dst_mac=SITE_MAC, mtu=MTU)
    return [
        _default("seal_key", fy.P4TableAction("seal_with", key_epoch=0, **KEY)),
        _default("anycast_source", fy.P4TableAction("anycast_is", ipv4=int(ANYCAST), ipv6=0)),
        _entry("my_mac", fy.P4TableAction("for_router"), dst_addr=ROUTER_MAC),
        _entry("local_ipv4", fy.P4TableAction("anycast"), dst_addr=int(ANYCAST)),
        _entry("function", known, func_id=FUNCTION),
        _entry("permit", fy.P4TableAction("allow"), tenant=TENANT, func_id=FUNCTION),
        _entry("cookie_key", fy.P4TableAction("use_key", **KEY), epoch=0),
        _entry("site", here, site=SITE),
        *(
            _entry(
                "instance",
                fy.P4TableAction("live", slot=key["slot"], ipv4=key["ipv4"], ipv6=0),
                site=SITE,
                instance=key["instance"],
            )
            for key in keys
        ),
        _entry("draw", _members(), group=GROUP),
        *(_rival(key) for key in keys),
        _entry(
            "service",
            fy.P4TableAction("set_group", group=GROUP),
            is_ipv6=0,
            scope=0,
            class_id=0,
            func_id=FUNCTION,
        ),
        _entry("next_hop", next_hop, next_hop=1),
        *(
            _entry(
                "ipv4_route",
                fy.P4IndirectAction([(1, fy.P4TableAction("set_next_hop", next_hop=1))]),
                dst_addr=f"{address}/32",
            )
            for address in addresses
        ),
    ]


def steering_fault(sent: bytes, received: bytes) -> str | None:
    """Say what is wrong with what a router made of a request, None when nothing is."""
    before, after = packets.ipv4_of(sent), packets.ipv4_of(received)
    if IPv4Address(after.dst) not in instances():
        return f"destination {before.dst} became {after.dst}, which is no instance"
    asked, bound = packets.cfn_of(sent).header, packets.cfn_of(received).header
    if bound.hops != asked.hops - 1:
        return f"hops {asked.hops} became {bound.hops}"
    if bound.affinity == 0:
        return "no cookie was sealed"
    if bound.request_id != asked.request_id:
        return f"request {asked.request_id} became {bound.request_id}"
    return packets.checksum_fault(received)


def _members() -> fy.P4IndirectAction:
    """Each with all others as rivals, which take the longer for a request the less their weight is."""
    units_us = {place["slot"]: _UNIT_US // weight for place, weight in zip(places(), WEIGHTS, strict=True)}

    def bind(place: dict[str, int]) -> fy.P4TableAction:
        slot = place["slot"]
        return fy.P4TableAction("bind_instance", **place, **race({slot: units_us[slot]} | units_us))

    return fy.P4IndirectAction(
        [(weight, bind(place)) for weight, place in zip(WEIGHTS, places(), strict=True)]
    )


def _rival(place: dict[str, int]) -> fy.P4TableEntry:
    where = {name: value for name, value in place.items() if name != "slot"}
    return _entry("rival", fy.P4TableAction("to_instance", **where), slot=place["slot"])


def _frame(flow: int) -> bytes:
    header = Header(kind=Kind.REQUEST, func_id=FUNCTION, tenant=TENANT, request_id=flow)
    return packets.request((CLIENT_MAC, ROUTER_MAC), (str(CLIENT), str(ANYCAST)), _FIRST_PORT + flow, header)


def _entry(table: str, action: fy.P4TableAction | fy.P4IndirectAction, **match: int | str) -> fy.P4TableEntry:
    return fy.P4TableEntry(table, match=fy.P4TableMatch(match), action=action)


def _default(table: str, action: fy.P4TableAction) -> fy.P4TableEntry:
    return fy.P4TableEntry(table, action=action, is_default_action=True)
