"""A killed switch leaves its interfaces as they were, and the next one starts at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from typing import Any

import grpc
import pytest
from pyroute2 import IPRoute

from switch.dataplane import Dataplane
from topo.ethtool import features

from .client import RefusedError, connect
from .messages import DELETE, DEVICE_CONFIG, INSERT, PROGRAMS, route
from .test_main import DEVICE_ID, ROOT, address, switch, wires
from .test_native import ipv4
from .wires import TIMEOUT_S, Wires

__all__ = ["address", "wires"]

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

EVERYTHING = str(PROGRAMS / "everything.json")
KILLS = 6
LONGEST_S = 0.5
SETTINGS = ("IFLA_PROMISCUITY", "IFLA_ALLMULTI", "IFLA_MTU", "IFLA_GROUP", "IFLA_QDISC", "IFLA_XDP")


def settings(wires: Wires) -> dict[str, dict[str, Any]]:
    """All of the interfaces that a switch could have changed."""
    with wires.inside(), IPRoute() as route:
        return {
            link.get_attr("IFLA_IFNAME"): {
                "flags": link["flags"],
                "offloads": features(link.get_attr("IFLA_IFNAME")),
                **{name: link.get_attr(name) for name in SETTINGS},
            }
            for link in route.get_links()
        }


def ports(wires: Wires) -> list[str]:
    """The options that make the interfaces ports."""
    return [part for port, name in wires.interfaces.items() for part in ("-i", f"{port}@{name}")]


@contextlib.contextmanager
def traffic(wires: Wires) -> Generator[None]:
    """Packets into port 1, as fast as Python sends them."""
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            wires.send(1, ipv4(0x0A000001))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join()


async def write_until_killed(address: str, delay_s: float, kill: Any) -> int:
    """Write without end to a switch that is killed meanwhile; returns how many writes were answered."""
    answered = 0
    async with connect(address, DEVICE_ID) as client:
        await client.arbitrate()
        await client.push()
        await client.insert(route(0x0A000000, 8, 2))
        asyncio.get_running_loop().call_later(delay_s, kill)
        with contextlib.suppress(RefusedError, grpc.aio.AioRpcError, asyncio.CancelledError):
            while True:
                for kind in (INSERT, DELETE):
                    await client.update((kind, route(0x0B000000, 8, 3)))
                    answered += 1
    return answered


def test_a_killed_switch_leaves_its_interfaces_and_its_place(address: str, wires: Wires) -> None:
    Dataplane(DEVICE_CONFIG).close()  # compiled before, so that no time passes with it below
    chance = random.Random(0)
    before = settings(wires)
    arguments = ("--no-p4", "--grpc-server-addr", address, *ports(wires))
    answered = 0
    for _ in range(KILLS):
        with traffic(wires), switch(*arguments, wires=wires) as process:
            delay_s = chance.uniform(0, LONGEST_S)
            answered += asyncio.run(write_until_killed(address, delay_s, process.kill))
            process.wait()
        assert settings(wires) == before
    assert answered > 0

    def drain() -> None:
        """What came out meanwhile filled the socket's buffer."""
        wires.sockets[2].setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                wires.sockets[2].recv(1)
        wires.sockets[2].settimeout(TIMEOUT_S)

    async def works() -> None:
        async with connect(address, DEVICE_ID) as client:
            assert await client.arbitrate() == 0
            await client.push()
            await client.insert(route(0x0A000000, 8, 2))
            await asyncio.to_thread(wires.send, 1, ipv4(0x0A000002))
            while (await asyncio.to_thread(wires.receive, 2)) != ipv4(0x0A000002):
                pass

    with switch(*arguments, wires=wires):
        drain()
        asyncio.run(works())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_interfaces_are_as_before_however_it_ends(address: str, wires: Wires, number: signal.Signals) -> None:
    before = settings(wires)
    with switch("--grpc-server-addr", address, *ports(wires), EVERYTHING, wires=wires) as process:
        during = settings(wires)
        assert all(during[name]["IFLA_PROMISCUITY"] for name in wires.interfaces.values())
        assert all(during[name]["offloads"] == before[name]["offloads"] for name in before)
        process.send_signal(number)
        process.wait(TIMEOUT_S)
    assert settings(wires) == before


@pytest.mark.parametrize("delay_s", [0.2, 0.5, 0.8, 1.1])
def test_a_switch_killed_as_it_starts_leaves_its_interfaces(
    address: str, wires: Wires, delay_s: float
) -> None:
    before = settings(wires)
    arguments = ("--grpc-server-addr", address, *ports(wires), EVERYTHING)
    command = [sys.executable, "-m", "switch", *arguments]
    with wires.inside():
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay_s)
    process.kill()
    process.wait()
    assert settings(wires) == before
    with switch(*arguments, wires=wires):
        pass
