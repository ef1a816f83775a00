"""Two domains that speak BGP to each other: real exabgp on both sides, over TCP on loopback addresses.

One case: pytest tests/control/bgp/test_exchange.py -k killed
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from control.bgp.exchange import Exchange
from control.catalogue import Catalogue
from control.events import EventLog
from control.model import SiteAdvert
from tests.control.bgp.domains import speakers, two_domains
from tests.control.example import DETECT, FAR, NEAR, advert, instance

WAIT_S = 60.0
HOLD_S = 30.0


class Side:
    """One domain's exchange, and what it has heard."""

    def __init__(self, catalogue: Catalogue, domain: str):
        self.events = EventLog()
        self.known: dict[str, SiteAdvert | None] = {}
        speaker = catalogue.domains[domain].bgp
        assert speaker is not None
        self.exchange = Exchange(
            catalogue, domain, speaker, self.events, hold_s=HOLD_S, heard=self.known.__setitem__
        )

    @property
    def pid(self) -> int | None:
        return self.exchange.pid

    @property
    def is_up(self) -> bool:
        return all(peer["up"] for peer in self.exchange.status())

    def told(self, event: str) -> list[dict[str, object]]:
        return [one for one in self.events.last if one["event"] == event]


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(*sides: Side) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(side.exchange.run()) for side in sides]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def tell_and_forget(options: str, *, over_ipv6: bool = False) -> None:
    """Both tell of their sites, one's changes, and goes."""
    text = speakers(options)
    catalogue = two_domains(on_ipv6(text) if over_ipv6 else text)
    east, west = Side(catalogue, "east"), Side(catalogue, "west")
    async with running(east, west):
        # Told before the session is up, and after.
        east.exchange.tell("near", advert("near", 3, instance(NEAR, load=7)))
        await until(lambda: east.is_up and west.is_up)
        west.exchange.tell("far", advert("far", 4, instance(FAR, load=9)))
        await until(lambda: west.known.get("near") and east.known.get("far"))
        near, far = west.known["near"], east.known["far"]
        assert near is not None
        assert far is not None
        assert [(one.func_id, one.load) for one in near.instances.values()] == [(DETECT, 7)]
        assert (near.sequence, near.way, far.sequence) == (3, "bgp", 4)
        east.exchange.tell("near", advert("near", 5, instance(NEAR, load=200)))
        await until(lambda: (now := west.known["near"]) and now.sequence == 5)
        east.exchange.tell("near", None)
        await until(lambda: west.known["near"] is None)
        # The status tells them.
        assert json.loads(json.dumps([*east.events.last])) == [*east.events.last]
        assert not east.told("bgp-refused")
        assert not west.told("bgp-refused")


@pytest.mark.parametrize("options", ["", ", password: s3cret-._x"], ids=["plain", "signed"])
async def test_sites_are_heard_of_and_gone(options: str) -> None:
    await tell_and_forget(options)


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")
@pytest.mark.parametrize(("ttl", "comes_up"), [(255, True), (254, False)])
def test_who_is_farther_away_than_said_is_kept_out(ttl: int, comes_up: bool) -> None:
    # The system's TTL is that of the segment which answers a connection (docs/adverts.md).
    scenario = "from tests.control.bgp import test_exchange as t; import asyncio; t.WAIT_S = 12; "
    scenario += "asyncio.run(t.tell_and_forget(', hops: 1'))"
    inside = f'ip link set lo up && sysctl -qw net.ipv4.ip_default_ttl={ttl} && exec "$0" -c "$1"'
    command = ["unshare", "--net", "sh", "-c", inside, sys.executable, scenario]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert (done.returncode == 0) is comes_up, done.stderr
    assert comes_up or "TimeoutError" in done.stderr


def on_ipv6(text: str) -> str:
    """The same speakers at IPv6 addresses, and their further routes."""
    for number in (1, 2):
        text = re.sub(rf"127\.\d+\.\d+\.{number}\b", f'"fd00:b::{number}"', text)
        text = text.replace(f"10.254.{number}.0/24", f'"fd00:b:{number}::/112"')
        own = f'bgp: {{address: "fd00:b::{number}"'
        text = text.replace(own, f"{own}, router_id: 192.0.2.{number}")
    return text


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")
def test_speakers_can_have_ipv6_addresses() -> None:
    scenario = "from tests.control.bgp import test_exchange as t; import asyncio; "
    scenario += "asyncio.run(t.tell_and_forget('', over_ipv6=True))"
    addresses = " && ".join(f"ip address add fd00:b::{number}/128 dev lo nodad" for number in (1, 2))
    inside = f'ip link set lo up && {addresses} && exec "$0" -c "$1"'
    command = ["unshare", "--net", "sh", "-c", inside, sys.executable, scenario]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * WAIT_S, check=False)
    assert done.returncode == 0, done.stderr


async def test_a_wrong_password_keeps_a_peer_out() -> None:
    text = speakers(", password: right")
    east = Side(two_domains(text), "east")
    west = Side(two_domains(text.replace("right", "wrong")), "west")
    async with running(east, west):
        await until(lambda: east.pid and west.pid)
        east.exchange.tell("near", advert("near", 1, instance(NEAR)))
        await asyncio.sleep(5)
        assert not east.is_up
        assert not west.is_up
        assert west.known == {}


async def test_what_is_not_a_peers_to_say_is_refused_with_an_event() -> None:
    text = speakers("")
    # West's own catalogue has the near site at its router: it speaks for it.
    stolen = two_domains(text.replace("[r1]", "[rx]").replace("[r2]", "[r1]").replace("[rx]", "[r2]"))
    east, west = Side(two_domains(text), "east"), Side(stolen, "west")
    async with running(east, west):
        west.exchange.tell("near", advert("near", 1, instance(NEAR)))
        await until(lambda: east.told("bgp-refused"))
        (event,) = east.told("bgp-refused")
        assert event["reason"] == "'near' is a site of this domain"
        assert "near" not in east.known


async def test_a_speaker_that_is_killed_is_started_again_and_sites_are_kept_meanwhile() -> None:
    catalogue = two_domains(speakers(""))
    east, west = Side(catalogue, "east"), Side(catalogue, "west")
    async with running(east, west):
        east.exchange.tell("near", advert("near", 1, instance(NEAR)))
        await until(lambda: west.known.get("near"))
        before = east.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await until(lambda: west.told("bgp-down"))
        assert west.known["near"] is not None
        await until(lambda: east.pid not in (None, before) and east.is_up and west.is_up)
        assert east.pid is not None
        # Its configuration, which may hold passwords, is gone once it was read.
        assert not Path(psutil.Process(east.pid).cmdline()[-1]).exists()
        east.exchange.tell("near", advert("near", 2, instance(NEAR, load=250)))
        await until(lambda: (now := west.known["near"]) and now.sequence == 2)
        assert east.told("bgp-speaker-ended")


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    catalogue = two_domains(speakers(""))
    east = Side(catalogue, "east")
    async with running(east):
        await until(lambda: east.pid and psutil.Process(east.pid).children())
        assert east.pid is not None
        speaker = psutil.Process(east.pid)
        family = [speaker, *speaker.children(recursive=True)]
    gone, alive = psutil.wait_procs(family, timeout=WAIT_S)
    assert not alive
    assert len(gone) == 2


def test_a_controller_that_is_killed_leaves_no_speaker() -> None:
    program = """
import asyncio
from pathlib import Path
import psutil
from tests.control.bgp.domains import speakers, two_domains
from tests.control.bgp.test_exchange import Side, running, until

async def main():
    east = Side(two_domains(speakers()), "east")
    async with running(east):
        await until(lambda: east.pid and not Path(psutil.Process(east.pid).cmdline()[-1]).exists())
        print(east.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        speaker = psutil.Process(int(controller.stdout.readline()))
        controller.kill()
    assert not psutil.wait_procs([speaker], timeout=WAIT_S)[1]


async def test_a_site_of_ten_thousand_functions_has_further_routes() -> None:
    catalogue = two_domains(speakers())
    east, west = Side(catalogue, "east"), Side(catalogue, "west")
    functions = frozenset(range(1, 10_001))

    def known() -> frozenset[int]:
        near = west.known.get("near")
        return near.functions if near else frozenset()

    async with running(east, west):
        told = instance(NEAR, 1, also=functions - {1})
        east.exchange.tell("near", advert("near", 1, told))
        await until(lambda: known() == functions)
        assert west.exchange.status()[0]["routes"] == 24
        assert not east.told("bgp-left-out")
        fewer = replace(told, also=frozenset(range(2, 101)))
        east.exchange.tell("near", advert("near", 2, fewer))
        await until(lambda: known() == fewer.functions)
        assert west.exchange.status()[0]["routes"] == 1
