from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from topo import netns, veth
from topo.ethtool import features
from topo.veth import End

GATEWAYS = IPv4Address("169.254.1.1"), IPv6Address("fe80::1")


def _ip(namespace: str, *arguments: str) -> Any:
    return json.loads(subprocess.check_output(["ip", "-n", namespace, "-j", *arguments]))


def _host_and_port(new_namespace: Callable[[], str]) -> tuple[End, End]:
    host = End(new_namespace(), "eth0", "02:00:00:00:00:01")
    port = End(new_namespace(), "r1-1")
    veth.create(host, port)
    veth.raise_port(port)
    addresses = (
        [IPv4Address("10.1.1.1"), IPv4Address("10.1.1.2")],
        [IPv6Address("fd00::1"), IPv6Address("fd00::2")],
    )
    veth.raise_host(host, addresses, GATEWAYS)
    return host, port


def test_a_host_has_its_addresses_alone_and_reaches_all_else_by_the_gateway(
    new_namespace: Callable[[], str],
) -> None:
    host, _ = _host_and_port(new_namespace)
    (link,) = _ip(host.namespace, "addr", "show", "dev", "eth0")
    globals_ = {(a["local"], a["prefixlen"]) for a in link["addr_info"] if a["scope"] == "global"}
    assert link["address"] == "02:00:00:00:00:01"
    assert globals_ == {("10.1.1.1", 32), ("10.1.1.2", 32), ("fd00::1", 128), ("fd00::2", 128)}
    (route4,) = _ip(host.namespace, "route", "get", "10.255.0.1")
    (route6,) = _ip(host.namespace, "-6", "route", "get", "fd00:cf::1")
    assert (route4["gateway"], route4["prefsrc"]) == ("169.254.1.1", "10.1.1.1")
    assert (route6["gateway"], route6["prefsrc"]) == ("fe80::1", "fd00::1")


def test_a_port_has_no_address_and_answers_no_arp(new_namespace: Callable[[], str]) -> None:
    _, port = _host_and_port(new_namespace)
    (link,) = _ip(port.namespace, "addr", "show", "dev", "r1-1")
    assert link["addr_info"] == []
    assert "NOARP" in link["flags"]


def test_offloads_are_off_at_both_ends(new_namespace: Callable[[], str]) -> None:
    unwanted = ("tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-generic-segmentation", "rx-gro")
    for end in _host_and_port(new_namespace):
        with netns.entered(end.namespace):
            found = features(end.interface)
        assert not any(found.get(name, False) for name in (*unwanted, "tx-udp-segmentation"))


def test_frames_leave_a_host_with_their_checksum(new_namespace: Callable[[], str]) -> None:
    host, port = _host_and_port(new_namespace)
    with netns.entered(port.namespace):
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        sniffer.bind((port.interface, 0))
    with netns.entered(host.namespace):
        subprocess.check_call(
            ["ip", "neigh", "add", "169.254.1.1", "lladdr", "02:00:00:00:00:99", "dev", "eth0"]
        )
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sniffer, sender:
        sniffer.settimeout(10)
        sender.sendto(b"x" * 31, ("10.255.0.1", 23793))
        while True:
            frame = sniffer.recv(2000)
            if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
                break
    segment = frame[26:34] + b"\0\x11" + frame[38:40] + frame[34:]  # RFC 768: pseudo header, datagram
    padded = segment + b"\0" * (len(segment) % 2)
    total = sum(int.from_bytes(padded[i : i + 2]) for i in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
