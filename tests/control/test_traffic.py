"""With packets: what the routers measure reaches the policies, and sessions outlive the controller.

One target: pytest tests/control/test_traffic.py -k embedded
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from cfn.wire import Header, Kind, Packet, Report
from tests.control.example import CATALOGUE, DETECT, NEAR, instance
from tests.control.far_end import TARGETS, FarEnd, missing
from tests.control.test_controller import WAIT_S, running
from topo import netns, veth
from topo.veth import End

pytestmark = pytest.mark.netns

PORT = 23793
CLIENT, SERVER, ANYCAST = "10.1.0.1", "10.2.0.1", "10.255.0.1"
ROUTER_MAC, CLIENT_MAC, SERVER_MAC = "02:00:00:00:01:00", "02:01:00:00:00:01", "02:01:00:00:00:02"
# A catalogue of one router: what the far site needs is left out.
ALONE = "\n".join(
    line for line in CATALOGUE.splitlines() if not line.startswith(("  r2:", "links", "  - {a:", "  far:"))
)


class Bed(NamedTuple):
    switch: FarEnd
    client: socket.socket
    server: socket.socket


@pytest.fixture(params=TARGETS)
def bed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bed]:
    reason = missing(request.param) or ("needs root" if os.geteuid() else None)
    if reason:
        pytest.skip(reason)
    name = f"cfnctl{os.getpid()}"
    netns.create(name)
    switch = FarEnd(request.param, 1, tmp_path, name, {3: "port3", 4: "port4"})
    sockets: list[socket.socket] = []
    try:
        for port in (3, 4):
            ends = End(name, f"port{port}"), End(name, f"host{port}")
            veth.create(*ends)
            for end in ends:
                veth.raise_port(end)
            with netns.entered(name):
                sockets.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)))
            sockets[-1].bind((f"host{port}", 0))
        switch.start()
        yield Bed(switch, *sockets)
    finally:
        switch.stop()
        for one in sockets:
            one.close()
        netns.remove(name)


def send(sender: socket.socket, ether: Ether, ip: IP, udp: UDP, packet: Packet) -> None:
    sender.send(bytes(ether / ip / udp / packet.encode()))


async def received(receiver: socket.socket) -> tuple[IP, Packet]:
    """The next CFN packet that comes in; what a socket itself sent isn't that."""

    def wait() -> tuple[IP, Packet]:
        end = time.monotonic() + WAIT_S
        while select.select([receiver], [], [], max(0.0, end - time.monotonic()))[0]:
            frame, (_, _, kind, *_) = receiver.recvfrom(2048)
            if kind != socket.PACKET_OUTGOING:  # type: ignore[attr-defined]
                ip = Ether(frame)[IP]
                return ip, Packet.decode(bytes(ip[UDP].payload))
        raise TimeoutError("nothing comes in")

    return await asyncio.to_thread(wait)


def request(number: int, affinity: int = 0) -> tuple[Ether, IP, UDP, Packet]:
    header = Header(Kind.REQUEST, DETECT, tenant=7, request_id=number, affinity=affinity)
    return (
        Ether(src=CLIENT_MAC, dst=ROUTER_MAC),
        IP(src=CLIENT, dst=ANYCAST),
        UDP(sport=5000, dport=PORT),
        Packet(header),
    )


async def ask_and_answer(bed: Bed, number: int, affinity: int = 0) -> Packet:
    """One request and its response, as they come out of the network."""
    send(bed.client, *request(number, affinity))
    bound, asked = await received(bed.server)
    assert (bound.dst, asked.header.request_id) == (SERVER, number)
    told = asked.header
    header = Header(
        Kind.RESPONSE,
        DETECT,
        tenant=7,
        request_id=number,
        timestamp=told.timestamp,
        affinity=told.affinity,
        report=Report(load=42, queue=3),
    )
    ether, ip = Ether(src=SERVER_MAC, dst=ROUTER_MAC), IP(src=SERVER, dst=CLIENT)
    send(bed.server, ether, ip, UDP(sport=PORT, dport=5000), Packet(header))
    back, response = await received(bed.client)
    assert (back.src, response.header.request_id) == (ANYCAST, number)
    return response


async def test_measurements_of_the_router_reach_the_controller(bed: Bed, tmp_path: Path) -> None:
    async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        # A router reports an instance at most every 100 ms, and not within the first.
        program = one.controller.program
        asked = 0
        while (measured := program.measurements.get("r1", NEAR)) is None:
            asked += 1
            assert asked < 1000
            await ask_and_answer(bed, asked)
        assert (measured.load, measured.queue) == (42, 3)
        assert 0 < measured.response_ms < WAIT_S * 1000
        session = one.controller.targets["r1"].session
        assert session is not None
        assert await session.bound({NEAR: program.placements[NEAR].slot}) == {NEAR: asked}
        outcomes = await session.outcomes()
        assert (outcomes["BOUND_NEW"], outcomes["RESPONDED"]) == (asked, asked)


async def test_sessions_go_on_while_the_controller_is_away_and_when_it_is_back(
    bed: Bed, tmp_path: Path
) -> None:
    async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        cookie = (await ask_and_answer(bed, 1)).header.affinity
        assert cookie
    assert (await ask_and_answer(bed, 2, cookie)).header.affinity == cookie
    async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
        assert (await ask_and_answer(bed, 3, cookie)).header.affinity == cookie
        await one.controller.rotate_keys()
        assert (await ask_and_answer(bed, 4, cookie)).header.affinity == cookie
        session = one.controller.targets["r1"].session
        assert session is not None
        assert (await session.outcomes())["BOUND_BY_COOKIE"] == 3
        assert one.updates() == 2  # the rotation: a key, and what seals
        await one.controller.rotate_keys()
        assert (await ask_and_answer(bed, 5, cookie)).header.affinity != cookie
