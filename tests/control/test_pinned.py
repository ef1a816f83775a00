"""With packets: requests of one service go by a pinned path, all others and responses by the shortest.

One target: pytest tests/control/test_pinned.py -k embedded
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from cfn.extension_bodies import Trace
from cfn.wire import Header, Kind, NackCode, Packet
from control.paths import added_bytes
from tests.control.example import DETECT, FAR, RENDER, instance
from tests.control.far_end import TARGETS, FarEnd, missing
from tests.control.test_controller import WAIT_S, Running, running
from tests.control.test_traffic import PORT, received, send
from topo import netns, veth
from topo.veth import End

pytestmark = pytest.mark.netns

CLIENT, SERVER, ANYCAST = "10.1.0.1", "10.3.0.1", "10.255.0.1"
CLIENT_MAC, SERVER_MAC = "02:01:00:00:00:01", "02:01:00:00:00:03"
MTU = 1500
TEXT = """\
anycast: {ipv4: 10.255.0.1}
gateway: {ipv4: 169.254.1.1}
routers:
  r1: {device_id: 1, address: "127.0.0.1:1", mac: "02:00:00:00:01:00", sid: "fd00:5e::1"}
  r2: {device_id: 2, address: "127.0.0.1:2", mac: "02:00:00:00:02:00", sid: "fd00:5e::2"}
  r3: {device_id: 3, address: "127.0.0.1:3", mac: "02:00:00:00:03:00", sid: "fd00:5e::3"}
links:
  - {a: {router: r1, port: 1}, b: {router: r2, port: 1}, delay_ms: 1}
  - {a: {router: r1, port: 2}, b: {router: r3, port: 1}, delay_ms: 1}
  - {a: {router: r3, port: 2}, b: {router: r2, port: 2}, delay_ms: 1}
hosts:
  client: {router: r1, port: 3, mac: "02:01:00:00:00:01", ipv4: [10.1.0.1]}
  far: {router: r2, port: 3, mac: "02:01:00:00:00:03", ipv4: [10.3.0.1], ipv6: ["fd00:3::1"]}
sites:
  far: {id: 2, ipv4: 10.253.0.2, price: 1, token: "far-token", hosts: [far]}
services:
  - {name: vision/detect}
  - {name: video/*}
paths:
  around: {via: [r3, r2], services: [vision/detect]}
"""
WIRES = (("r1-1", "r2-1"), ("r1-2", "r3-1"), ("r3-2", "r2-2"), ("r1-3", "client"), ("r2-3", "server"))


class Bed(NamedTuple):
    switches: dict[str, FarEnd]
    client: socket.socket
    server: socket.socket


@pytest.fixture(params=TARGETS)
def bed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bed]:
    """Three routers in a triangle, a client at the first and a server at the second."""
    reason = missing(request.param) or ("needs root" if os.geteuid() else None)
    if reason:
        pytest.skip(reason)
    name = f"cfnpin{os.getpid()}"
    netns.create(name)
    switches = {
        f"r{number}": FarEnd(
            request.param, number, tmp_path, name, {port: f"r{number}-{port}" for port in ports}
        )
        for number, ports in ((1, (1, 2, 3)), (2, (1, 2, 3)), (3, (1, 2)))
    }
    sockets: dict[str, socket.socket] = {}
    try:
        for wire in WIRES:
            ends = [End(name, end) for end in wire]
            veth.create(*ends)
            for end in ends:
                veth.raise_port(end)
        for host in ("client", "server"):
            with netns.entered(name):
                sockets[host] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
            sockets[host].bind((host, 0))
        for switch in switches.values():
            switch.start()
        yield Bed(switches, **sockets)
    finally:
        for switch in switches.values():
            switch.stop()
        for one in sockets.values():
            one.close()
        netns.remove(name)


async def counted(one: Running, router: str) -> dict[str, int]:
    """What became of requests and responses at a router."""
    session = one.controller.targets[router].session
    assert session is not None
    told = await session.outcomes()
    seen = ("BOUND_", "RESPON", "DECAP", "NACK", "ROUTED", "DROP_SEGMENT", "DROP_NO_ROUTE", "DROP_TOO_BIG")
    return {name: count for name, count in told.items() if count and name.startswith(seen)}


def ask(bed: Bed, number: int, function: int, size: int = 0, affinity: int = 0) -> None:
    """Send a request that is traced, or where a size is given one that makes an IP packet of that size."""
    header = Header(Kind.REQUEST, function, request_id=number, affinity=affinity)
    packet = Packet(header, b"" if size else b"input", extensions=() if size else (Trace(),))
    if size:
        packet = Packet(header, bytes(size - 20 - 8 - len(packet.encode())))
    ether, ip = Ether(src=CLIENT_MAC, dst="02:00:00:00:01:00"), IP(src=CLIENT, dst=ANYCAST)
    send(bed.client, ether, ip, UDP(sport=5000, dport=PORT), packet)


def answer(bed: Bed, asked: Packet) -> None:
    told = asked.header
    header = Header(
        Kind.RESPONSE,
        told.func_id,
        request_id=told.request_id,
        timestamp=told.timestamp,
        affinity=told.affinity,
    )
    ether, ip = Ether(src=SERVER_MAC, dst="02:00:00:00:02:00"), IP(src=SERVER, dst=CLIENT)
    send(bed.server, ether, ip, UDP(sport=PORT, dport=5000), Packet(header, extensions=asked.extensions))


def routers_of(packet: Packet) -> list[int]:
    """The routers that left records, in the order of the way."""
    (trace,) = packet.extensions
    assert isinstance(trace, Trace)
    return [record.router for record in reversed(trace.records)]


async def test_one_service_goes_by_its_path_and_the_rest_by_the_shortest(bed: Bed, tmp_path: Path) -> None:
    async with running(bed.switches, tmp_path, text=TEXT) as one:
        await one.tell("far", instance(FAR), instance(FAR._replace(instance=2), RENDER, like=FAR))
        await one.settled()

        ask(bed, 1, DETECT)
        bound, asked = await received(bed.server, 1, WAIT_S)
        assert bound.dst == SERVER
        assert routers_of(asked) == [1, 2]  # r3 sees but segments
        assert await counted(one, "r1") == {"BOUND_NEW": 1}
        assert await counted(one, "r3") == {"ROUTED": 1}
        assert await counted(one, "r2") == {"DECAPSULATED": 1, "BOUND_NEW": 1}
        answer(bed, asked)
        back, response = await received(bed.client, 1, WAIT_S)
        assert back.src == ANYCAST
        assert routers_of(response) == [1, 2, 2, 1]
        assert await counted(one, "r3") == {"ROUTED": 1}

        ask(bed, 2, RENDER)
        _, asked = await received(bed.server, 2, WAIT_S)
        assert routers_of(asked) == [1, 2]
        assert await counted(one, "r3") == {"ROUTED": 1}
        assert (await counted(one, "r2"))["DECAPSULATED"] == 1

        # A session stays on the path.
        ask(bed, 3, DETECT, affinity=response.header.affinity)
        await received(bed.server, 3, WAIT_S)
        assert (await counted(one, "r1"))["BOUND_BY_COOKIE"] == 1
        assert await counted(one, "r3") == {"ROUTED": 2}

        # What fits fits with the list, and what does not is refused with the size that would.
        room = MTU - added_bytes(2)
        ask(bed, 4, DETECT, size=room)
        assert (await received(bed.server, 4, WAIT_S))[0].len == room
        ask(bed, 5, DETECT, size=room + 1)
        _, refused = await received(bed.client, 5, WAIT_S)
        report = refused.header.report
        assert (report.status, report.queue) == (NackCode.TOO_BIG, room)
        ask(bed, 6, RENDER, size=MTU)
        assert (await received(bed.server, 6, WAIT_S))[0].len == MTU


async def test_where_the_list_ends_on_the_way_the_shortest_path_goes_on(bed: Bed, tmp_path: Path) -> None:
    text = TEXT + '  half: {via: [r3], services: ["video/*"]}\n'
    async with running(bed.switches, tmp_path, text=text) as one:
        await one.tell("far", instance(FAR, RENDER))
        await one.settled()
        ask(bed, 1, RENDER)
        _, asked = await received(bed.server, 1, WAIT_S)
        assert routers_of(asked) == [1, 3, 2]
        assert await counted(one, "r3") == {"DECAPSULATED": 1, "ROUTED": 1}
        assert await counted(one, "r2") == {"BOUND_NEW": 1}


async def test_a_controller_that_starts_again_leaves_paths_and_one_with_others_changes_them(
    bed: Bed, tmp_path: Path
) -> None:
    async with running(bed.switches, tmp_path, text=TEXT) as one:
        await one.tell("far", instance(FAR))
        await one.settled()
    async with running(bed.switches, tmp_path, text=TEXT) as one:
        await one.tell("far", instance(FAR))
        await one.settled()
        assert one.updates() == 0
    # Shortest now: nothing but the lists goes.
    async with running(bed.switches, tmp_path, text=TEXT.split("paths:", maxsplit=1)[0]) as one:
        await one.tell("far", instance(FAR))
        await one.settled()
        assert one.updates() == 2
        ask(bed, 1, DETECT)
        _, asked = await received(bed.server, 1, WAIT_S)
        assert routers_of(asked) == [1, 2]
        assert await counted(one, "r3") == {}
