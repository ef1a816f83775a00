"""`cfn agent`: tell the controller what a site's instances are doing."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Annotated

import typer

from cfn.advert_sender import AdvertSender
from cfn.agent import Agent, AgentConfig
from cfn.commands.failure import fail
from cfn.commands.unix_path import unix_path
from cfn.cpu import find_cpu
from cfn.damping import Damping, Thresholds


def agent(
    site: Annotated[str, typer.Argument(help="Name of the site in the controller's catalogue.")],
    *,
    controller: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the controller takes adverts.")],
    listen: Annotated[str, typer.Option(metavar="unix:PATH", help="Where the function servers report.")],
    token: Annotated[str, typer.Option(envvar="CFN_TOKEN", help="The site's token; better in CFN_TOKEN.")],
    timer: Annotated[
        float, typer.Option(min=0.01, help="Seconds between adverts when nothing changes.")
    ] = 1.0,
    min_interval_ms: Annotated[float, typer.Option(min=0, help="Least ms between adverts.")] = 20.0,
    load_change: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Change of the load that is told at once, share of 255.")
    ] = 0.10,
    relative_change: Annotated[
        float, typer.Option(min=0.0, help="The same for queue and service time, share of the last value.")
    ] = 0.20,
    drain: Annotated[float, typer.Option(min=0, help="Seconds of DRAINING after SIGTERM.")] = 1.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
) -> None:
    """Advertise a site's instances to the controller, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    damping = Damping(timer, min_interval_ms / 1000, thresholds=Thresholds(load_change, relative_change))
    config = AgentConfig(unix_path(listen, "--listen"), damping, drain)
    # Two adverts may get lost before the controller forgets the site.
    sender = AdvertSender(controller, site, token, ttl_ms=round(timer * 3500))
    try:
        asyncio.run(_run(config, sender))
    except OSError as error:
        fail(error.strerror or error)


async def _run(config: AgentConfig, sender: AdvertSender) -> None:
    async with sender:
        cpu = find_cpu()
        logging.info("CPU by %s: %.2f cores", cpu, cpu.cores())
        running = Agent(config, sender, cpu)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.drain)
        await running.run()
