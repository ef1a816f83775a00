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
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from cfn.auth import TenantKey
from cfn.credentials import Credentials
from cfn.wire import Header, Kind, NackCode, Packet, Report
from control.model import Member
from control.status import Status
from tests.control.example import CATALOGUE, DETECT, NEAR, instance
from tests.control.far_end import TARGETS, FarEnd, missing
from tests.control.test_controller import WAIT_S, running, until
from topo import netns, veth
from topo.veth import End

pytestmark = pytest.mark.netns

PORT = 23793
LOST_S = 0.2
"""When a request counts as lost while the switch is away."""
MEMBER = Member(*NEAR)
CLIENT, SERVER, ANYCAST = "10.1.0.1", "10.2.0.1", "10.255.0.1"
ROUTER_MAC, CLIENT_MAC, SERVER_MAC = "02:00:00:00:01:00", "02:01:00:00:00:01", "02:01:00:00:00:02"
# A catalogue of one router: what the far site needs is left out.
ALONE = "\n".join(
    line
    for line in CATALOGUE.splitlines()
    if not line.startswith(("  r2:", "links", "  - {a:", "  far:", "        compute"))
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


async def received(receiver: socket.socket, number: int, wait_s: float) -> tuple[IP, Packet]:
    """The CFN packet of that request when it comes in; what a socket itself sent isn't that."""

    def wait() -> tuple[IP, Packet]:
        end = time.monotonic() + wait_s
        while select.select([receiver], [], [], max(0.0, end - time.monotonic()))[0]:
            frame, (_, _, kind, *_) = receiver.recvfrom(2048)
            if kind != socket.PACKET_OUTGOING:  # type: ignore[attr-defined]
                ip = Ether(frame)[IP]
                packet = Packet.decode(bytes(ip[UDP].payload))
                if packet.header.request_id == number:
                    return ip, packet
        raise TimeoutError(f"request {number} does not come in")

    return await asyncio.to_thread(wait)


def request(number: int, affinity: int = 0) -> tuple[Ether, IP, UDP, Packet]:
    header = Header(Kind.REQUEST, DETECT, tenant=7, request_id=number, affinity=affinity)
    return (
        Ether(src=CLIENT_MAC, dst=ROUTER_MAC),
        IP(src=CLIENT, dst=ANYCAST),
        UDP(sport=5000, dport=PORT),
        Packet(header),
    )


async def ask_and_answer(bed: Bed, number: int, affinity: int = 0, wait_s: float = WAIT_S) -> Packet:
    """One request and its response, as they come out of the network."""
    send(bed.client, *request(number, affinity))
    bound, asked = await received(bed.server, number, wait_s)
    assert bound.dst == SERVER
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
    back, response = await received(bed.client, number, wait_s)
    assert back.src == ANYCAST
    return response


class Asker:
    """Asks without a pause until it is stopped; every request must be answered unless `losses` are taken."""

    def __init__(self, bed: Bed, cookie: int, losses: bool = False):
        self.answered = 0
        self.lost = 0
        self._stop = False
        self._task = asyncio.create_task(self._ask(bed, cookie, losses))

    async def more(self, answers: int) -> None:
        """Wait for that many further answers."""
        enough = self.answered + answers
        await until(lambda: self.answered >= enough or self._task.done())
        if self._task.done():
            await self._task
            raise AssertionError("stopped asking")

    async def stop(self) -> None:
        """Finish the request under way."""
        self._stop = True
        await self._task

    async def _ask(self, bed: Bed, cookie: int, losses: bool) -> None:
        number = 1000
        while not self._stop:
            number += 1
            try:
                answer = await ask_and_answer(bed, number, cookie, LOST_S if losses else WAIT_S)
            except (TimeoutError, OSError):
                if not losses:
                    raise
                self.lost += 1
            else:
                assert answer.header.affinity == cookie
                self.answered += 1


async def test_measurements_of_the_router_reach_the_controller(bed: Bed, tmp_path: Path) -> None:
    async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        # A router reports an instance at most every 100 ms, and not within the first.
        program = one.controller.program
        asked = 0
        while (measured := program.measurements.get("r1", MEMBER)) is None:
            asked += 1
            assert asked < 1000
            await ask_and_answer(bed, asked)
        assert (measured.load, measured.queue) == (42, 3)
        assert measured.response_ms is not None
        assert 0 < measured.response_ms < WAIT_S * 1000
        session = one.controller.targets["r1"].session
        assert session is not None
        slot = program.routers["r1"].placements[MEMBER].slot
        assert await session.bound({MEMBER: slot}) == {MEMBER: asked}
        outcomes = await session.outcomes()
        assert (outcomes["BOUND_NEW"], outcomes["RESPONDED"]) == (asked, asked)


async def test_who_signs_is_served_and_counted(bed: Bed, tmp_path: Path) -> None:
    key = "0011223344556677"
    text = ALONE.replace("demo: 7", f"demo: {{id: 7, key: '{key}', rate: {{per_s: 1000, burst: 100}}}}")
    async with running({"r1": bed.switch}, tmp_path, text=text) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        credentials = Credentials(7, 1, TenantKey.from_bytes(bytes.fromhex(key)))
        for number in (1, 2):
            *lower, plain = request(number)
            packet = replace(plain, extensions=(credentials.authenticate(plain.header),))
            send(bed.client, *lower, packet)
            assert (await received(bed.server, number, WAIT_S))[0].dst == SERVER
        send(bed.client, *lower, packet)
        _, refused = await received(bed.client, 2, WAIT_S)
        assert refused.header.report.status == NackCode.UNAUTHENTICATED
        size = 14 + 20 + 8 + len(packet.encode())
        assert await Status(one.controller).usage() == [
            {
                "tenant": "demo",
                "service": "vision/detect",
                "site": "near",
                "requests": 2,
                "bytes": 2 * size,
                "cost": 4.0,
            }
        ]


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


async def test_controllers_come_and_go_under_traffic_and_nothing_is_lost(bed: Bed, tmp_path: Path) -> None:
    async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        cookie = (await ask_and_answer(bed, 1)).header.affinity
        asker = Asker(bed, cookie)
        await asker.more(10)
    for _ in range(3):
        await asker.more(10)
        async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
            await one.tell("near", instance(NEAR))
            await one.settled()
            await asker.more(10)
    await asker.stop()


async def test_a_switch_restarts_under_traffic_and_the_session_goes_on(bed: Bed, tmp_path: Path) -> None:
    async with running({"r1": bed.switch}, tmp_path, text=ALONE) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        cookie = (await ask_and_answer(bed, 1)).header.affinity
        asker = Asker(bed, cookie, losses=True)
        await asker.more(10)
        bed.switch.stop()
        lost = asker.lost
        await until(lambda: asker.lost > lost)
        bed.switch.start()
        await asker.more(10)
        await asker.stop()
