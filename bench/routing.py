"""The workload `basic_routing`: datagrams to many hosts and prefixes, routed by the program of that name.

Each destination belongs to another host entry or prefix, so every frame takes its way through one of the
two tables of routes, and none is favoured by the cache of the one before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network

import finsy as fy
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from bench.packets import ETHERNET, IPV4, UDP_HEADER, ipv4_of
from bench.programs import BASIC_ROUTING
from bench.workload import IN_PORT, OUT_PORT, Marks, Workload

ROUTER_MAC = "02:00:00:00:01:00"
SENDER_MAC = "02:00:00:00:02:00"
SENDER = IPv4Address("192.0.2.1")
SPACE = IPv4Network("10.0.0.0/8")
HOSTS = 1024
PREFIXES = 3072
LENGTHS = range(12, 29)
"""Prefix lengths, each as frequent as the others; where /12 to /14 run out, longer ones take their place."""
NEXT_HOPS = 8
FRAME_BYTES = 64
PAYLOAD_AT = ETHERNET + IPV4 + UDP_HEADER
_DOMAIN, _VRF = 10, 1
_SEED = 1


@dataclass(frozen=True)
class Routes:
    """Where destinations go: index of the next hop (from 1) by prefix; hosts are prefixes of 32 bits."""

    next_hops: dict[IPv4Network, int]

    def next_hop(self, destination: IPv4Address) -> int | None:
        """Return the next hop of the longest prefix that `destination` is in, None if it is in none."""
        for length in range(32, 0, -1):
            prefix = IPv4Network((destination, length), strict=False)
            if prefix in self.next_hops:
                return self.next_hops[prefix]
        return None


def workload() -> Workload:
    """Return the workload."""
    table = routes()
    return Workload(
        name="basic_routing",
        p4info=BASIC_ROUTING.p4info,
        p4blob=BASIC_ROUTING.json,
        entries=tuple(entries(table)),
        frames=tuple(_frame(destination) for destination in destinations(table)),
        marks=Marks(number=PAYLOAD_AT, stamp=PAYLOAD_AT + 4, checksum=PAYLOAD_AT - 2),
        router_mac=ROUTER_MAC,
        routes=tuple(table.next_hops),
        fault=routing_fault,
        outlet=lambda frame: Ether(frame).dst,
        outlets=frozenset(_next_hop_mac(number) for number in range(1, NEXT_HOPS + 1)),
    )


@cache
def routes() -> Routes:
    """Return HOSTS hosts and PREFIXES prefixes of SPACE, the same each time."""
    draw = random.Random(_SEED)
    lengths = [*[32] * HOSTS, *(LENGTHS[number % len(LENGTHS)] for number in range(PREFIXES))]
    found: dict[IPv4Network, int] = {}
    for length in lengths:
        prefix = _random_prefix(draw, length)
        while prefix in found:
            length = min(length + 1, LENGTHS[-1])  # noqa: PLW2901
            prefix = _random_prefix(draw, length)
        found[prefix] = draw.randint(1, NEXT_HOPS)
    return Routes(found)


def destinations(table: Routes) -> list[IPv4Address]:
    """Return an address in each prefix, in random order."""
    draw = random.Random(_SEED)
    found = [prefix[draw.randrange(prefix.num_addresses)] for prefix in table.next_hops]
    draw.shuffle(found)
    return found


def entries(table: Routes) -> list[fy.P4TableEntry]:
    """Return the entries of the program's tables."""
    hops = range(1, NEXT_HOPS + 1)
    return [
        _entry("port_mapping", fy.P4TableAction("set_bd", bd=_DOMAIN), ingress_port=IN_PORT),
        _entry("bd", fy.P4TableAction("set_vrf", vrf=_VRF), bd=_DOMAIN),
        *(_route(prefix, number) for prefix, number in table.next_hops.items()),
        *(
            _entry("nexthop", fy.P4TableAction("set_egress_details", egress_spec=OUT_PORT), nexthop_index=hop)
            for hop in hops
        ),
        *(
            _entry(
                "rewrite_mac",
                fy.P4TableAction("rewrite_src_dst_mac", smac=ROUTER_MAC, dmac=_next_hop_mac(hop)),
                nexthop_index=hop,
            )
            for hop in hops
        ),
    ]


def routing_fault(sent: bytes, received: bytes) -> str | None:
    """Say what is wrong with what a router made of a frame, None when nothing is."""
    destination = IPv4Address(ipv4_of(sent).dst)
    hop = routes().next_hop(destination)
    if hop is None:
        return f"{destination} has no route, yet it came out"
    wanted = Ether(sent)
    wanted.src, wanted.dst = ROUTER_MAC, _next_hop_mac(hop)
    wanted[IP].ttl -= 1
    del wanted[IP].chksum
    if bytes(wanted) != received:
        return f"to {destination}: {received.hex()} should be {bytes(wanted).hex()}"
    return None


def _route(prefix: IPv4Network, hop: int) -> fy.P4TableEntry:
    action = fy.P4TableAction("fib_hit_nexthop", nexthop_index=hop)
    if prefix.prefixlen == prefix.max_prefixlen:
        return _entry("ipv4_fib", action, vrf=_VRF, dst_addr=int(prefix.network_address))
    return _entry("ipv4_fib_lpm", action, vrf=_VRF, dst_addr=str(prefix))


def _random_prefix(draw: random.Random, length: int) -> IPv4Network:
    address = SPACE[draw.randrange(SPACE.num_addresses)]
    return IPv4Network((address, length), strict=False)


def _frame(destination: IPv4Address) -> bytes:
    headers = (
        Ether(src=SENDER_MAC, dst=ROUTER_MAC)
        / IP(src=str(SENDER), dst=str(destination), flags="DF")
        / UDP(sport=20000, dport=20000)
    )
    return bytes(headers / bytes(FRAME_BYTES - len(headers)))


def _next_hop_mac(number: int) -> str:
    return f"02:00:00:00:03:{number:02x}"


def _entry(table: str, action: fy.P4TableAction, **match: int | str) -> fy.P4TableEntry:
    return fy.P4TableEntry(table, match=fy.P4TableMatch(match), action=action)
