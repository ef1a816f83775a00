"""The router of `bench.edge` as it is told to the program's version 0.1, which knew instances alone.

It had no sites, one draw from the service's own members, and one name for the anycast address of responses.
"""

from __future__ import annotations

import finsy as fy

from bench import edge, ingress
from control.stages.row import default, row

VERSION = "0.1.0"
_SHARED = ("seal_key", "my_mac", "local_ipv4", "permit", "cookie_key", "instance")
_TO_SITE, _TO_CLIENT, _TO_CORE = 1, 2, 3


def entries() -> list[fy.P4TableEntry]:
    """Return what it needs for the kinds of packets that it has."""
    known = fy.P4TableAction("known", public=0, per_request=0)
    draw = fy.P4IndirectAction(
        [
            (weight, fy.P4TableAction("bind_instance", **place))
            for weight, place in zip(ingress.WEIGHTS, ingress.places(), strict=True)
        ]
    )
    match = {"is_ipv6": 0, "class_id": 0, "func_id": ingress.FUNCTION}
    return [
        *(entry for entry in ingress.entries() if entry.table_id in _SHARED),
        default("anycast_source", fy.P4TableAction("restore", ipv4=int(ingress.ANYCAST), ipv6=0)),
        row("function", {"func_id": ingress.FUNCTION}, known),
        fy.P4TableEntry("service", match=fy.P4TableMatch(match), action=draw),
        *_way(_TO_SITE, "forward_edge", ingress.SITE_MAC, *map(str, ingress.instances())),
        *_way(_TO_CLIENT, "forward_edge", ingress.CLIENT_MAC, str(ingress.CLIENT)),
        *_way(_TO_CORE, "forward_core", ingress.SITE_MAC, str(edge.PASSING)),
    ]


def _way(number: int, action: str, mac: str, *addresses: str) -> list[fy.P4TableEntry]:
    forward = fy.P4TableAction(action, port=ingress.OUT_PORT, src_mac=ingress.ROUTER_MAC, dst_mac=mac)
    to = fy.P4IndirectAction([(1, fy.P4TableAction("set_next_hop", next_hop=number))])
    return [
        row("next_hop", {"next_hop": number}, forward),
        *(row("ipv4_route", {"dst_addr": f"{address}/32"}, to) for address in addresses),
    ]
