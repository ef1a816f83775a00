"""Which tables of the program lean on which: an entry of a higher rank refers to those of lower ones.

Entries are inserted by rising rank and removed by falling rank, so that no packet meets half of a change.
From `BEYOND` on they lead requests to other routers, or lean on such; `control.order` says when those go.
"""

from __future__ import annotations

from functools import cache

from finsy.p4schema import P4Table
from finsy.proto import p4r

BEYOND = 3

RANK = {
    "errors": 0,
    "next_hop": 0,
    "core_port": 0,
    "router": 0,
    "data_agent": 0,
    "site": 0,
    "instance": 0,
    "rival": 0,
    "cookie_key": 0,
    "usage": 0,
    "ipv4_route": 1,
    "ipv6_route": 1,
    "seal_key": 1,
    "draw": 1,
    "service": 2,
    "segment_list": BEYOND,
    "member": 4,
    "result_holder": 5,
    "input_holder": 5,
    "permit": 5,
    "tenant_key": 5,
    "contract": 5,
    "demand_class": 5,
    "function": 6,
    "anycast_source": 6,
    "member_report": 6,
    "link_report": 6,
    "arp_reply": 7,
    "nd_reply": 7,
    "my_mac": 7,
    "local_ipv4": 7,
    "local_ipv6": 7,
}
"""By table, and by digest and meter, which are configured like one."""

GROUP_OF_SITES = BEYOND
"""Rank of a row of `draw` that binds to a site elsewhere."""
ANY_SITE_SERVICE = 4
"""Rank of a row of `service` for requests that name no site: its group may bind to any."""
OTHERS_ADDRESS = 2
"""Rank of an address that other routers send to: a site's, a segment."""

CLONE_SESSION_RANK = 0
"""What clones goes to its session, so that is there first."""


def rank(entry: p4r.TableEntry, table: P4Table) -> int:
    """The rank of a table entry, with its values in canonical form."""
    actions = _actions(table)
    match table.alias:
        case "draw":
            drawn = entry.action.action_profile_action_set.action_profile_actions
            if any(one.action.action_id == actions["bind_site"] for one in drawn):
                return GROUP_OF_SITES
        case "service":
            scope = table.match_fields["scope"].id
            if any(field.field_id == scope and field.exact.value == b"\0" for field in entry.match):
                return ANY_SITE_SERVICE
        case "local_ipv4" | "local_ipv6":
            others = {actions["site_address"], actions.get("segment")}
            if entry.action.action.action_id in others:
                return OTHERS_ADDRESS
        case _:
            pass
    return RANK[table.alias]


@cache
def _actions(table: P4Table) -> dict[str, int]:
    return {action.alias: action.id for action in table.actions}
