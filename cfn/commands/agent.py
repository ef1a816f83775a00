"""`cfn agent`: tell the controller what a site's instances are doing."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cfn.advert_sender import VALID_FOR, AdvertSender, Numbers
from cfn.agent import Agent, AgentConfig
from cfn.collectors.collecting import collecting
from cfn.collectors.collector import SampleStore
from cfn.commands.failure import fail
from cfn.commands.unix_path import unix_path
from cfn.cpu import find_cpu
from cfn.damping import Damping
from cfn.damping_options import parse_rules
from cfn.yamlfile import FileError

if TYPE_CHECKING:
    from cfn.collectors.config import CollectConfig


def agent(
    site: Annotated[str, typer.Argument(help="Name of the site in the controller's catalogue.")],
    *,
    controller: Annotated[
        list[str],
        typer.Option(metavar="HOST:PORT", help="Where a controller takes adverts; once for each of several."),
    ],
    listen: Annotated[str, typer.Option(metavar="unix:PATH", help="Where the function servers report.")],
    token: Annotated[str, typer.Option(envvar="CFN_TOKEN", help="The site's token; better in CFN_TOKEN.")],
    timer: Annotated[
        float, typer.Option(min=0.01, help="Seconds between adverts when nothing changes.")
    ] = 1.0,
    min_interval_ms: Annotated[float, typer.Option(min=0, help="Least ms between adverts.")] = 20.0,
    tell: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=CHANGE%[,FLOOR[,CEILING]]",
            help="Which change of load, queue, service_time or cpu is told before the timer, how many "
            "seconds after the last advert at the earliest, and any change of it at the latest.",
        ),
    ] = None,
    flaps: Annotated[
        int, typer.Option(min=1, help="Times a second that comings and goings are told before the timer.")
    ] = 10,
    collect: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What else to measure, and how to normalise it: YAML, see docs/metrics.md."
        ),
    ] = None,
    drain: Annotated[float, typer.Option(min=0, help="Seconds of DRAINING after SIGTERM.")] = 1.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
) -> None:
    """Advertise a site's instances to its controllers, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        damping = Damping(timer, min_interval_ms / 1000, parse_rules(tell or ()), flaps)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tell") from None
    from cfn.collectors.config import CollectConfig, load  # noqa: PLC0415 - takes long to import

    try:
        collected = load(collect) if collect else CollectConfig()
    except FileError as error:
        fail(error)
    config = AgentConfig(unix_path(listen, "--listen"), damping, drain, collected.profile.profile)
    ttl_ms, numbers = round(VALID_FOR * timer * 1000), Numbers()
    senders = [AdvertSender(one, site, token, ttl_ms=ttl_ms, numbers=numbers) for one in controller]
    try:
        asyncio.run(_run(config, senders, collected))
    except OSError as error:
        fail(error.strerror or error)


async def _run(config: AgentConfig, senders: Sequence[AdvertSender], collected: CollectConfig) -> None:
    from cfn.collectors.jobs import jobs  # noqa: PLC0415 - likewise

    async with AsyncExitStack() as stack:
        for sender in senders:
            await stack.enter_async_context(sender)
        cpu = find_cpu()
        logging.info("CPU by %s: %.2f cores", cpu, cpu.cores())
        samples = SampleStore()
        await stack.enter_async_context(collecting(await jobs(collected, time.monotonic, stack), samples))
        running = Agent(config, senders, cpu, samples)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.drain)
        await running.run()
