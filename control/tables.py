"""Which tables of the program lean on which: an entry of a higher rank refers to those of lower ones.

Entries are inserted by rising rank and removed by falling rank, so that no packet meets half of a change.
"""

RANK = {
    "errors": 0,
    "next_hop": 0,
    "core_port": 0,
    "router": 0,
    "data_agent": 0,
    "site": 0,
    "instance": 0,
    "cookie_key": 0,
    "usage": 0,
    "ipv4_route": 1,
    "ipv6_route": 1,
    "seal_key": 1,
    "segment_list": 2,
    "first": 1,
    "second": 1,
    "member": 2,
    "result_holder": 3,
    "input_holder": 3,
    "service": 2,
    "permit": 3,
    "tenant_key": 3,
    "contract": 3,
    "demand_class": 3,
    "function": 4,
    "anycast_source": 4,
    "member_report": 4,
    "link_report": 4,
    "arp_reply": 5,
    "nd_reply": 5,
    "my_mac": 5,
    "local_ipv4": 5,
    "local_ipv6": 5,
}
"""By table, and by digest and meter, which are configured like one."""

CLONE_SESSION_RANK = 0
"""What clones goes to its session, so that is there first."""
