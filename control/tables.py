"""Which tables of the program lean on which: an entry of a higher rank refers to those of lower ones.

Entries are inserted by rising rank and removed by falling rank, so that no packet meets half of a change.
"""

RANK = {
    "next_hop": 0,
    "instance": 0,
    "cookie_key": 0,
    "ipv4_route": 1,
    "ipv6_route": 1,
    "seal_key": 1,
    "service": 1,
    "permit": 2,
    "demand_class": 2,
    "function": 3,
    "anycast_source": 3,
    "instance_report": 3,
    "arp_reply": 4,
    "nd_reply": 4,
    "my_mac": 4,
    "local_ipv4": 4,
    "local_ipv6": 4,
}
"""By table, and by digest, which is configured like one."""
