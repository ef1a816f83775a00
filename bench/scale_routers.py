"""From an advert until all of 16 routers have the weights that follow it, over P4Runtime.

The routers are embedded switches with the program, each a process without interfaces. The controller is in
this process, as `cfn controller run` has it, with its gRPC server; adverts are sent from a thread.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc

import p4src
from bench import p4client
from bench.command import BenchError, signals_interrupt
from bench.process import Child, running
from bench.scale_world import TOKEN, World
from bench.stats import percentile
from bench.targets import EMBEDDED, address
from cfn.advert_sender import to_message
from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc as rpc
from control.advert_service import serve
from control.controller import Controller, Options
from control.events import EventLog

_TTL_MS = 600_000
_PROGRAMMED_S = 900.0
_SETTLED_S = 60.0
_ANSWER_S = 30.0
_BETWEEN_S = (0.1, 0.3)
_WARM_UP = 8


def run(world: World, adverts: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure; returns what goes into the results."""
    EMBEDDED.prepare(p4src.JSON)
    with _switches(world) as (children, addresses, directory):
        tell(f"{len(children)} embedded switches run; writing everything for the first time")
        return asyncio.run(_measured(world, adverts, children, addresses, directory))


@contextmanager
def _switches(world: World) -> Generator[tuple[list[Child], list[str], Path]]:
    with ExitStack() as stack:
        stack.enter_context(signals_interrupt())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        children: list[Child] = []
        addresses: list[str] = []
        for number, router in enumerate(world.routers):
            socket = directory / f"{router}.sock"
            command = EMBEDDED.command(number + 1, {}, socket)
            children.append(stack.enter_context(running(router, command, directory)))
            addresses.append(address(socket))
        for one, child in zip(addresses, children, strict=True):
            asyncio.run(p4client.listening(one, child.check))
        yield children, addresses, directory


async def _measured(
    world: World, adverts: int, children: Sequence[Child], addresses: Sequence[str], directory: Path
) -> dict[str, Any]:
    controller = Controller(world.catalogue(addresses), EventLog(), Options(hold_s=1.0, audit_s=600.0))
    listen = address(directory / "adverts.sock")
    server = await serve(listen, controller.take)
    task = asyncio.create_task(controller.run())
    try:
        began = time.monotonic()
        with Sender(listen, world) as sender:
            for site in world.sites:
                await asyncio.to_thread(sender.send, site)
            await _programmed(controller, task)
            programmed_s = time.monotonic() - began
            updates = sum(one.progress.updates for one in controller.installers.values())
            took = [await _one(controller, sender, site) for site in _turns(world, _WARM_UP + adverts)]
        for child in children:
            child.check()
        refused = sum(one.progress.refused for one in controller.installers.values())
        if refused:
            raise BenchError(f"routers refused {refused} updates")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.stop(None)
    took = took[_WARM_UP:]
    return {
        "advert_to_installed_ms": {
            "p50": percentile(took, 50),
            "p99": percentile(took, 99),
            "max": max(took),
        },
        "adverts": len(took),
        "first_install_s": programmed_s,
        "first_install_updates": updates,
        "switches": len(children),
        "switch_mb": max(child.resident_bytes() for child in children) / 1e6,
    }


class Sender:
    """The agents of all sites: one connection to the controller."""

    def __init__(self, target: str, world: World) -> None:
        self._channel = grpc.insecure_channel(target)
        self._stub = rpc.AdvertsStub(self._channel)
        self._world = world
        self._draw = random.Random(2)
        self._sequence = 0

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def send(self, site: str) -> float:
        """Tell of a site, with loads drawn anew; returns when the advert was sent, in monotonic seconds.

        Raises:
            BenchError: the controller refused it.
        """
        self._sequence += 1
        advert = pb.Advert(
            site=site,
            incarnation=time.time_ns() // 1000,
            sequence=self._sequence,
            ttl_ms=_TTL_MS,
            instances=[to_message(view) for view in self._world.views(site, self._draw)],
        )
        metadata = (("authorization", f"Bearer {TOKEN}"),)
        sent = time.monotonic()
        answer = self._stub.Advertise(advert, metadata=metadata, timeout=_ANSWER_S, wait_for_ready=True)
        if not answer.accepted:
            raise BenchError(f"advert of {site} refused: {answer.reason}")
        return sent


async def _programmed(controller: Controller, task: asyncio.Task[None]) -> None:
    """Wait until all routers have all that is wanted of them."""
    done = asyncio.ensure_future(controller.settled())
    await asyncio.wait({done, task}, timeout=_PROGRAMMED_S, return_when=asyncio.FIRST_COMPLETED)
    if not done.done():
        raise BenchError("the routers are not programmed")


async def _one(controller: Controller, sender: Sender, site: str) -> float:
    """Send an advert that changes weights; ms until all routers have them."""
    await asyncio.sleep(random.uniform(*_BETWEEN_S))
    sending = asyncio.create_task(asyncio.to_thread(sender.send, site))
    sent = await sending
    async with asyncio.timeout(_SETTLED_S):
        await controller.settled()
    return 1000 * (time.monotonic() - sent)


def _turns(world: World, count: int) -> list[str]:
    return [world.sites[number % len(world.sites)] for number in range(count)]
