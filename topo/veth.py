"""Virtual Ethernet pairs between namespaces: ends for switch ports and ends for hosts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from pyroute2 import IPRoute

from topo import netns
from topo.ethtool import offloads_off

_IFF_NOARP = 0x80
_IFA_F_NODAD = 0x02  # linux/if_addr.h


@dataclass(frozen=True)
class End:
    """One end of a veth pair: a namespace and the name of the interface in it (at most 15 characters)."""

    namespace: str
    interface: str
    mac: str | None = None


def create(a: End, b: End) -> None:
    """Create the pair `a`–`b`, both ends down, without addresses.

    Raises:
        FileNotFoundError: one of the namespaces doesn't exist.
    """
    peer_ns = os.open(netns.path_of(b.namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        peer: dict[str, str | int] = {"ifname": b.interface, "net_ns_fd": peer_ns}
        if b.mac:
            peer["address"] = b.mac
        own = {"address": a.mac} if a.mac else {}
        with netns.routes(a.namespace) as ipr:
            ipr.link("add", ifname=a.interface, kind="veth", peer=peer, **own)
    finally:
        os.close(peer_ns)


def raise_port(end: End) -> None:
    """Bring an end up as a switch port: the kernel puts nothing on it and answers nothing that comes in.

    No IPv6 (so no router solicitations, no MLD), no ARP, offloads off.
    """
    with netns.entered(end.namespace):
        netns.write_sysctl(f"net/ipv6/conf/{end.interface}/disable_ipv6", "1")
        offloads_off(end.interface)
    index = netns.interface_index(end.namespace, end.interface)
    with netns.routes(end.namespace) as ipr:
        ipr.link("set", index=index, flags=_IFF_NOARP, change=_IFF_NOARP)
        ipr.link("set", index=index, state="up")


def raise_host(
    end: End,
    addresses: tuple[Sequence[IPv4Address], Sequence[IPv6Address]],
    gateways: tuple[IPv4Address, IPv6Address],
) -> None:
    """Bring an end up as a host's only interface: own addresses as /32 and /128, the rest by the gateway.

    The first address of each family is the one that the host's own packets carry. The gateways needn't be in
    any prefix of the host (they are "onlink").
    """
    ipv4, ipv6 = addresses
    gateway4, gateway6 = gateways
    with netns.entered(end.namespace):
        offloads_off(end.interface)
    index = netns.interface_index(end.namespace, end.interface)
    with netns.routes(end.namespace) as ipr:
        ipr.link("set", index=index, state="up")
        for address in ipv4:
            ipr.addr("add", index=index, address=str(address), prefixlen=32)
        for address in ipv6:
            ipr.addr("add", index=index, address=str(address), prefixlen=128, flags=_IFA_F_NODAD)
        if ipv4:
            _default_route(ipr, index, str(gateway4), str(ipv4[0]), "0.0.0.0/0")
        if ipv6:
            _default_route(ipr, index, str(gateway6), str(ipv6[0]), "::/0")


def _default_route(ipr: IPRoute, index: int, gateway: str, source: str, destination: str) -> None:
    ipr.route("add", dst=destination, gateway=gateway, oif=index, prefsrc=source, flags="onlink")
