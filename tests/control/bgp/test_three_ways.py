"""The same steering, whichever way adverts come: from all sites to one controller, over BGP between the
controllers of two autonomous systems, or both.

Real processes: switches, controllers (`cfn controller run`) with their exabgp, and senders of adverts.
One case: pytest tests/control/bgp/test_three_ways.py -k "hybrid and load"
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from cfn.advert_sender import AdvertSender, Numbers
from cfn.site import InstanceView
from control import status_socket
from tests.control.bgp.domains import speakers
from tests.control.example import CATALOGUE, DETECT
from tests.control.far_end import FarEnd, free_port, missing

WAIT_S = 60.0
TTL_MS = 3000
SITES = {"near": IPv4Address("10.2.0.1"), "far": IPv4Address("10.3.0.1")}
HOME = {"near": "east", "far": "west"}
INGRESS = {"near": "r1", "far": "r2"}


class Network:
    """Two switches and what drives them; sites as the test tells of them."""

    def __init__(self, way: str, directory: Path, switches: dict[str, FarEnd]):
        self._directory = directory
        text = CATALOGUE + speakers()
        for number, switch in enumerate(switches.values(), 1):
            text = text.replace(f"127.0.0.1:{number}", switch.address)
        self._file = directory / "catalogue.yaml"
        self._file.write_text(text + "policy: latency\n")
        self._way = way
        names = ["all"] if way == "centralised" else ["east", "west"]
        self._ports = {name: free_port() for name in names}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "cfn.cli", "controller", "run", str(self._file)]
        command += ["--listen", f"127.0.0.1:{self._ports[name]}", "--status-socket", str(self.socket(name))]
        command += ["--events", str(self._directory / f"{name}.events"), "--hold", "4"]
        if name != "all":
            command += ["--domain", name, "--adverts", "bgp" if self._way == "distributed" else "hybrid"]
        with (self._directory / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def start_all(self) -> None:
        for name in self._ports:
            self.start(name)

    def end(self, name: str, how: int = signal.SIGTERM) -> None:
        process = self._processes.pop(name)
        process.send_signal(how)
        process.wait(WAIT_S)

    def end_all(self) -> None:
        for name in list(self._processes):
            self.end(name)

    def socket(self, name: str) -> Path:
        return self._directory / f"{name}.sock"

    def controllers_of(self, site: str) -> list[str]:
        """Where a site's agent sends to: its own domain's controller first."""
        if self._way == "centralised":
            return ["all"]
        both = sorted(self._ports, key=lambda name: name != HOME[site])
        return both if self._way == "hybrid" else both[:1]

    def home(self, site: str) -> str:
        return self.controllers_of(site)[0]

    def senders(self, site: str, names: list[str] | None = None) -> list[AdvertSender]:
        numbers = Numbers()
        return [
            AdvertSender(
                f"127.0.0.1:{self._ports[name]}", site, f"{site}-token", ttl_ms=TTL_MS, numbers=numbers
            )
            for name in (names or self.controllers_of(site))
        ]

    async def weights(self, ingress: str) -> dict[str, float]:
        """The shares of the sites at a router, as its controller has them."""
        name = "all" if self._way == "centralised" else {"r1": "east", "r2": "west"}[ingress]
        question = {"ask": "explain", "function": "vision/detect", "router": ingress}
        try:
            places = await asyncio.to_thread(status_socket.ask, self.socket(name), question)
        except (OSError, ValueError):
            return {}
        found: list[dict[str, Any]] = [
            one for one in places if one["scope"] is None and one["family"] == 4 and one["demand"] == "any"
        ]
        return found[0]["sites"] if found else {}

    async def until(self, ingress: str, true: Callable[[dict[str, float]], object]) -> None:
        weights: dict[str, float] = {}
        try:
            async with asyncio.timeout(WAIT_S):
                while not true(weights := await self.weights(ingress)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{ingress}: {weights}")


class Site:
    """Advertises what it is set to, until it is told to stop."""

    def __init__(self, network: Network, name: str, only: list[str] | None = None):
        self._senders = network.senders(name, only)
        self._name = name
        self.load = self.queue = 0
        self.arrival_rps = 0.0
        self.calm_down()

    def _view(self) -> InstanceView:
        return InstanceView(
            func_id=DETECT,
            instance=1,
            ipv4=SITES[self._name],
            ipv6=None,
            load=self.load,
            queue=self.queue,
            service_time_us=10_000.0,
            arrival_rps=self.arrival_rps,
            completed_rps=self.arrival_rps,
            error_rps=0.0,
            capacity_rps=100.0,
            concurrency=1,
            draining=False,
        )

    def fill_up(self) -> None:
        """As many requests as it can do, and a queue."""
        self.load, self.queue, self.arrival_rps = 255, 30, 100.0

    def calm_down(self) -> None:
        """Little to do."""
        self.load, self.queue, self.arrival_rps = 40, 0, 20.0

    async def run(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for sender in self._senders:
                await stack.enter_async_context(sender)
            while True:
                for sender in self._senders:
                    # A controller that is away is told later.
                    with contextlib.suppress(Exception):
                        await sender.send((self._view(),), cpu_utilisation=0.5, cpu_capacity=2.0)
                await asyncio.sleep(0.1)

    async def withdraw(self) -> None:
        for sender in self._senders:
            async with sender:
                assert (await sender.send(())).accepted


@pytest.fixture(params=["centralised", "distributed", "hybrid"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Network]:
    reason = missing("embedded")
    if reason:
        pytest.skip(reason)
    switches = {f"r{number}": FarEnd("embedded", number, tmp_path) for number in (1, 2)}
    made = Network(request.param, tmp_path, switches)
    try:
        for switch in switches.values():
            switch.start()
        made.start_all()
        yield made
    finally:
        made.end_all()
        for switch in switches.values():
            switch.stop()


@contextlib.asynccontextmanager
async def advertising(*sites: Site) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(site.run()) for site in sites]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def near_first(weights: dict[str, float]) -> bool:
    return weights.get("near", 0) > weights.get("far", 0)


async def test_weights_follow_load(network: Network) -> None:
    near, far = Site(network, "near"), Site(network, "far")
    async with advertising(near, far):
        await network.until("r1", near_first)
        await network.until("r2", lambda weights: weights.get("far", 0) > weights.get("near", 0))
        near.fill_up()
        # At its own router, and at the other system's.
        await network.until("r1", lambda weights: weights.get("far", 0) > 0.6)
        await network.until("r2", lambda weights: weights.get("far", 0) > 0.9)
        near.calm_down()
        far.fill_up()
        await network.until("r2", lambda weights: weights.get("near", 0) > 0.6)
        await network.until("r1", lambda weights: weights.get("near", 0) > 0.9)


async def test_a_site_that_withdraws_or_dies_is_given_nothing(network: Network) -> None:
    near, far = Site(network, "near"), Site(network, "far")
    async with advertising(near, far) as (near_task, far_task):
        near.fill_up()
        await network.until("r1", lambda weights: weights.get("far", 0) > 0.5)
        await network.until("r2", lambda weights: weights.get("far", 0) > 0.5)
        # It dies: nothing is told any more.
        near_task.cancel()
        for router in ("r1", "r2"):
            await network.until(router, lambda weights: weights == {"far": 1.0})
        far_task.cancel()
        await asyncio.gather(far_task, return_exceptions=True)
        await far.withdraw()
        for router in ("r1", "r2"):
            await network.until(router, lambda weights: weights == {})


async def test_a_controller_that_is_killed_and_started_again_goes_on(network: Network) -> None:
    near, far = Site(network, "near"), Site(network, "far")
    far.fill_up()
    async with advertising(near, far):
        await network.until("r2", lambda weights: weights.get("near", 0) > 0.6)
        name = network.home("near")
        network.end(name, signal.SIGKILL)
        await asyncio.sleep(1)
        if name != "all":
            # What it told the other one is held, so that nothing changes there.
            assert (await network.weights("r2")).get("near", 0) > 0.6
        network.start(name)
        await network.until("r1", near_first)
        near.fill_up()
        far.calm_down()
        await network.until("r2", lambda weights: weights.get("far", 0) > 0.6)
        await network.until("r1", lambda weights: weights.get("far", 0) > 0.5)


@pytest.mark.parametrize("network", ["hybrid"], indirect=True)
async def test_either_way_alone_will_do(network: Network) -> None:
    # Far tells only the other system's controller, near only its own.
    near, far = Site(network, "near", ["east"]), Site(network, "far", ["east"])
    near.fill_up()
    async with advertising(near, far):
        await network.until("r1", lambda weights: weights.get("far", 0) > 0.5)
        await network.until("r2", lambda weights: weights == {"near": 1.0})
