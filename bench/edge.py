"""A router at the edge that has work for every stage, told in table entries: `bench.kinds` sends through it.

It begins as the router of the workload `cfn` (`bench.ingress`), without rivals. Each function,
tenant and input beyond that switches one stage on.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import finsy as fy

from bench import ingress
from bench.ingress import CLIENT, CLIENT_MAC, FUNCTION, GROUP, ROUTER_MAC, SITE, TENANT
from bench.rivals import NO_RIVALS, race
from bench.workload import OUT_PORT
from cfn.auth import TenantKey
from cfn.cookie import CookieKey
from cfn.names import func_id
from control.stages.row import default, row

RACED = func_id("bench/raced")
REMEMBERED = func_id("bench/remembered")
REMOTE = func_id("bench/remote")
PINNED = func_id("bench/pinned")
SIGNING, METERED = 8, 9
"""Tenants: one that signs its requests, and one whose rate is metered and whose use is counted."""
SIGNING_KEY = TenantKey(0x01234567, 0x89ABCDEF)
COOKIE_KEY = CookieKey(**ingress.KEY)
HELD_BY_MEMBER, HELD_ELSEWHERE = b"held by a member", b"held elsewhere.."
"""Inputs: one at a site that runs the functions, one at a site that does not."""
PASSING = IPv4Address("10.3.0.9")
"""A host behind another router."""
SITE_FAR, SITE_PINNED, SITE_DATA = 2, 3, 4
FAR_ADDRESS, PINNED_ADDRESS = IPv4Address("10.253.0.2"), IPv4Address("10.253.0.3")
SEGMENT = IPv6Address("fd00:3::a1")
_AGENT = IPv4Address("10.2.0.200")
_FLOW_S = 255
_FAST = 1 << 30
"""Requests a second that no target reaches, so that the meter gives green."""
_REMOTE_SLOTS = {SITE_FAR: 100, SITE_PINNED: 101}
_REMOTE_GROUPS = {SITE_FAR: GROUP + 1, SITE_PINNED: GROUP + 2}
_PREFETCH_SESSION = 1
_TO_CLIENT, _TO_CORE = 2, 3
_CORE_MAC = "02:00:00:00:04:00"


def entries() -> list[fy.P4TableEntry | fy.P4CloneSessionEntry]:
    """Return all entries."""
    return [
        *ingress.entries(lead=NO_RIVALS),
        default("router", fy.P4TableAction("router_is", router=1, ipv4=int(ingress.ROUTER), ipv6=0)),
        *_function(RACED, GROUP, lead=ingress.LEAD),
        *_function(REMEMBERED, GROUP, flow_s=_FLOW_S),
        *_function(REMOTE, _REMOTE_GROUPS[SITE_FAR]),
        *_function(PINNED, _REMOTE_GROUPS[SITE_PINNED]),
        *_remote(SITE_FAR, FAR_ADDRESS),
        *_remote(SITE_PINNED, PINNED_ADDRESS),
        *_routes(),
        *_tenants(),
        *_inputs(),
        row(
            "segment_list",
            {"site": SITE_PINNED},
            fy.P4TableAction("via_1", src="fd00::1", mtu=ingress.MTU, segment=str(SEGMENT)),
            priority=1,
        ),
    ]


def _function(function: int, group: int, lead: int = NO_RIVALS, flow_s: int = 0) -> list[fy.P4TableEntry]:
    known = fy.P4TableAction(
        "known", service=ingress.SERVICE, public=0, per_request=0, lead=lead, flow_s=flow_s
    )
    match = {"is_ipv6": 0, "scope": 0, "class_id": 0, "func_id": function}
    return [
        row("function", {"func_id": function}, known),
        row("permit", {"tenant": TENANT, "func_id": function}, fy.P4TableAction("allow")),
        row("service", match, fy.P4TableAction("set_group", group=group)),
    ]


def _remote(site: int, address: IPv4Address) -> list[fy.P4TableEntry]:
    place = {"slot": _REMOTE_SLOTS[site], "ipv4": int(address), "ipv6": 0}
    bind = fy.P4TableAction("bind_site", site=site, **place, **race({place["slot"]: 0}))
    return [
        row("site", {"site": site}, fy.P4TableAction("remote", **place)),
        row("draw", {"group": _REMOTE_GROUPS[site]}, fy.P4IndirectAction([(1, bind)])),
    ]


def _routes() -> list[fy.P4TableEntry]:
    def next_hop(number: int, action: str, mac: str) -> fy.P4TableEntry:
        way = fy.P4TableAction(action, port=OUT_PORT, src_mac=ROUTER_MAC, dst_mac=mac, mtu=ingress.MTU)
        return row("next_hop", {"next_hop": number}, way)

    def to(number: int) -> fy.P4IndirectAction:
        return fy.P4IndirectAction([(1, fy.P4TableAction("set_next_hop", next_hop=number))])

    return [
        next_hop(_TO_CLIENT, "forward_edge", CLIENT_MAC),
        next_hop(_TO_CORE, "forward_core", _CORE_MAC),
        row("ipv4_route", {"dst_addr": f"{CLIENT}/32"}, to(_TO_CLIENT)),
        row("ipv4_route", {"dst_addr": f"{_AGENT}/32"}, to(1)),
        *(
            row("ipv4_route", {"dst_addr": f"{address}/32"}, to(_TO_CORE))
            for address in (FAR_ADDRESS, PINNED_ADDRESS, PASSING)
        ),
        row("ipv6_route", {"dst_addr": f"{SEGMENT}/128"}, to(_TO_CORE)),
    ]


def _tenants() -> list[fy.P4TableEntry]:
    signs = fy.P4TableAction("signs_with", auth_slot=0, k0=SIGNING_KEY.k0, k1=SIGNING_KEY.k1)
    contract = row("contract", {"tenant": METERED}, fy.P4TableAction("measure", retry_after_ms=250))
    contract.meter_config = fy.P4MeterConfig(cir=_FAST, cburst=_FAST, pir=_FAST, pburst=_FAST)
    return [
        row("tenant_key", {"tenant": SIGNING}, signs),
        contract,
        row(
            "usage",
            {"tenant": METERED, "service": ingress.SERVICE, "site": SITE},
            fy.P4TableAction("count_use"),
        ),
        *(
            row("permit", {"tenant": tenant, "func_id": FUNCTION}, fy.P4TableAction("allow"))
            for tenant in (SIGNING, METERED)
        ),
    ]


def _inputs() -> list[fy.P4TableEntry | fy.P4CloneSessionEntry]:
    there = {"slot": _REMOTE_SLOTS[SITE_FAR], "ipv4": int(FAR_ADDRESS), "ipv6": 0}
    held = {HELD_BY_MEMBER: SITE_FAR, HELD_ELSEWHERE: SITE_DATA}
    return [
        *(
            row("input_holder", {"data_in": int.from_bytes(data)}, fy.P4TableAction("input_at", site=site))
            for data, site in held.items()
        ),
        row("member", {"group": GROUP, "site": SITE_FAR}, fy.P4TableAction("member_remote", **there)),
        row("data_agent", {"site": SITE}, fy.P4TableAction("agent_at", ipv4=int(_AGENT), ipv6=0)),
        fy.P4CloneSessionEntry(_PREFETCH_SESSION, replicas=(OUT_PORT,)),
    ]
