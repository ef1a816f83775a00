"""What links are measured to be, and when that is gone by."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from cfn.wire import Kind, Packet
from control.catalogue import Catalogue
from control.links import FRESH_S, LASTING_S, LinkReport, Links
from control.probe_frame import probe_frame
from control.status import Status
from tests.control.example import CATALOGUE, FAR, Clock, advert, catalogue, instance
from tests.control.far_end import TARGETS, FarEnd, missing
from tests.control.test_controller import WAIT_S, running, until
from tests.control.test_program import rows, started
from topo import netns, veth
from topo.veth import End

TEXT = CATALOGUE.replace('ipv6: "fd00::2"}', 'ipv4: 10.0.0.2, ipv6: "fd00::2"}')
PORT = 23793
DECLARED_MS = 50_000


def report(sequence: int, returned: int, delay_ms: float = 10.0, port: int = 1) -> LinkReport:
    return LinkReport(port, sequence, returned, int(2000 * delay_ms), 500)


def links(clock: Clock, text: str = TEXT) -> tuple[Catalogue, Links]:
    found = catalogue(text)
    return found, Links(found, clock)


def test_delay_is_half_of_the_round_trip_and_loss_is_what_did_not_come_back() -> None:
    clock = Clock()
    declared, one = links(clock)
    end = declared.links[0].a
    assert one.measured(end) is None
    for sequence, returned in ((100, 7), (101, 8), (103, 9), (104, 10)):
        one.report("r1", report(sequence, returned))
    measured = one.measured(end)
    assert measured is not None
    assert (measured.delay_ms, measured.jitter_ms, measured.loss) == (10.0, 0.5, 0.25)
    assert one.measured(declared.links[0].b) is None
    clock.now += FRESH_S + 0.1
    assert one.measured(end) is None


@pytest.mark.parametrize("again", [report(5, 1), report(200, 1), report(3, 50)])
def test_loss_is_counted_anew_when_a_router_or_controller_was_restarted(again: LinkReport) -> None:
    declared, one = links(Clock())
    for told in (report(100, 7), report(150, 8), again):
        one.report("r1", told)
    measured = one.measured(declared.links[0].a)
    assert measured is not None
    assert measured.loss == 0


def test_what_is_no_link_of_the_catalogue_is_left() -> None:
    _, one = links(Clock())
    one.report("r1", report(1, 1, port=3))
    one.report("r3", report(1, 1))
    assert not one.settle()


def settled_after(clock: Clock, one: Links, delays: Iterator[float] | list[float]) -> list[bool]:
    """Every half a second a report of r1's first link, and whether a delay in use changes."""
    changes: list[bool] = []
    for delay in delays:
        clock.now += 0.5
        one.report("r1", report(int(clock.now * 10), int(clock.now * 10), delay))
        changes.append(one.settle())
    return changes


def test_a_measured_delay_is_used_when_it_has_lasted() -> None:
    clock = Clock()
    _, one = links(clock)
    assert settled_after(clock, one, [10.4, 12.4, 7.6] * 4) == [False] * 12
    assert settled_after(clock, one, [20, 20, 10] * 4) == [False] * 12
    steps = int(LASTING_S / 0.5)
    assert settled_after(clock, one, [20.0] * (steps + 3)) == [False] * steps + [True, False, False]
    assert one.used_ms == [20.0, 10.0]
    clock.now += FRESH_S + 0.1
    assert not one.settle()
    clock.now += LASTING_S
    assert one.settle()
    assert one.used_ms == [10.0, 10.0]


def test_routes_and_policies_go_by_the_delay_in_use() -> None:
    clock = Clock()
    program = started(clock, text=TEXT)
    program.take(advert("far", 1, instance(FAR), ttl_s=100))
    both = "1*set_next_hop(next_hop=0x1) 1*set_next_hop(next_hop=0x2)"
    assert f"dst_addr=0xa030001 → {both}" in rows(program, "r1", "ipv4_route")
    for step in range(10):
        clock.now += 0.5
        program.links.report("r2", report(step, step + 1, 30.0))
        program.settle_links()
    assert "dst_addr=0xa030001 → 1*set_next_hop(next_hop=0x2)" in rows(program, "r1", "ipv4_route")
    for step in range(20, 30):
        clock.now += 0.5
        program.links.report("r2", report(step, step + 1, 30.0))
        program.links.report("r1", report(step, step + 1, 20.0, port=2))
        program.settle_links()
    path = program.network.path_to_router("r1", "r2")
    assert path is not None
    assert path.delay_ms == 20.0
    decision = next(d for p, d in program.steering.decisions.items() if p.router == "r1" and d.candidates)
    assert decision.candidates[0].delay_ms == 21.0


@pytest.mark.parametrize("family", [4, 6])
def test_a_probe_is_as_the_wire_format_has_it(family: int) -> None:
    text = TEXT if family == 4 else CATALOGUE.replace("ipv4: 10.0.0.1", 'ipv6: "fd00::9"')
    routers = catalogue(text).routers
    frame = probe_frame(routers["r1"], routers["r2"], 77)
    assert frame is not None
    found = Ether(frame)
    assert (found.src, found.dst) == (routers["r1"].mac, routers["r2"].mac)
    network = found[IP if family == 4 else IPv6]
    assert (network.ttl if family == 4 else network.hlim) == 255
    assert (found[UDP].sport, found[UDP].dport) == (PORT, PORT)
    header = Packet.decode(bytes(found[UDP].payload)).header
    assert (header.kind, header.request_id, header.func_id, header.hops) == (Kind.PROBE, 77, 0, 0)
    again = found.copy()
    del again[UDP].chksum
    if family == 4:
        del again[IP].chksum
    assert bytes(again) == frame


def test_routers_without_addresses_of_a_family_are_not_probed() -> None:
    routers = catalogue().routers
    assert probe_frame(routers["r1"], routers["r2"], 1) is None


@pytest.fixture(params=TARGETS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, FarEnd]]:
    """Two routers that are joined by one link."""
    reason = missing(request.param) or ("needs root" if os.geteuid() else None)
    if reason:
        pytest.skip(reason)
    name = f"cfnlnk{os.getpid()}"
    netns.create(name)
    found = {
        f"r{number}": FarEnd(request.param, number, tmp_path, name, {1: f"link{number}"}) for number in (1, 2)
    }
    try:
        ends = End(name, "link1"), End(name, "link2")
        veth.create(*ends)
        for end in ends:
            veth.raise_port(end)
        for switch in found.values():
            switch.start()
        yield found
    finally:
        for switch in found.values():
            switch.stop()
        netns.remove(name)


@pytest.mark.netns
async def test_a_link_is_measured_by_its_routers(pair: dict[str, FarEnd], tmp_path: Path) -> None:
    # Declared so long that on no machine, however busy, it could be measured so.
    text = "\n".join(line for line in TEXT.splitlines() if "{router: r1, port: 2}" not in line)
    text = text.replace("delay_ms: 10,", f"delay_ms: {DECLARED_MS},")
    async with running(pair, tmp_path, text=text) as one:
        program = one.controller.program
        await until(lambda: program.links.used_ms != [DECLARED_MS])
        assert 0 <= program.links.used_ms[0] < DECLARED_MS / 2
        link = one.controller.catalogue.links[0]
        async with asyncio.timeout(WAIT_S):
            while not all(program.links.measured(end) for end in (link.a, link.b)) or (
                (told := (await Status(one.controller).tree())["links"][0])["state"] != "measured"
            ):
                await asyncio.sleep(0.01)
        assert told["declared"]["delay_ms"] == DECLARED_MS
        assert all(end["loss"] < 1 for end in told["measured"] if end)
        await one.settled()
    async with running(pair, tmp_path, text=text) as one:
        await until(lambda: one.controller.program.links.used_ms[0] < DECLARED_MS / 2)
