"""`cfn serve`: run one instance of a function."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import sys
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

import typer

from cfn.commands.failure import fail
from cfn.commands.unix_path import unix_path
from cfn.function import Function
from cfn.server import InstanceConfig, Server
from cfn.wire import PORT


def serve(
    target: Annotated[
        str, typer.Argument(metavar="MODULE:OBJECT", help="The function, e.g. cfn.functions.detect:detect.")
    ],
    *,
    listen: Annotated[
        list[str], typer.Option(help="Address of the instance; once for IPv4, once for IPv6, or both.")
    ],
    instance: Annotated[int, typer.Option(min=0, max=65535, help="The instance's id, unique in its site.")],
    workers: Annotated[int, typer.Option(min=1, help="Requests that run at the same time.")] = 1,
    queue: Annotated[
        int, typer.Option(min=0, help="Requests that may wait; the next is answered BUSY.")
    ] = 64,
    agent: Annotated[str, typer.Option(metavar="unix:PATH", help="Socket of the site's agent.")] = "",
    data: Annotated[str, typer.Option(metavar="unix:PATH", help="Socket of the site's data agent.")] = "",
    pure: Annotated[
        bool | None,
        typer.Option(help="Same input, same output: results may be kept. Unless given, as declared."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port.")] = PORT,
    drain: Annotated[float, typer.Option(min=0, help="Seconds to go on serving after SIGTERM.")] = 1.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what is ignored, too.")] = False,
) -> None:
    """Serve a function at its own addresses, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    function = load_function(target)
    if pure is not None:
        function = replace(function, pure=pure)
    config = _config(function, listen, instance, workers, queue)
    server = Server(
        [config],
        port=port,
        agent=unix_path(agent, "--agent") if agent else None,
        data=unix_path(data, "--data") if data else None,
    )
    try:
        asyncio.run(_run(server, config, drain))
    except OSError as error:
        fail(error.strerror or error)


def load_function(target: str) -> Function:
    """Import `module:object`.

    Raises:
        typer.BadParameter: there is none, or it is no function of `cfn.function`.
    """
    module_name, colon, name = target.partition(":")
    if not colon:
        raise typer.BadParameter(f"{target!r} is not of the form MODULE:OBJECT")
    # One worker is to take one core, so that workers are what capacity is counted in.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise typer.BadParameter(f"cannot import {module_name}: {error}") from None
    found = getattr(module, name, None)
    if not isinstance(found, Function):
        raise typer.BadParameter(f"{target} is no function: decorate it with @function(…)")
    return found


def _config(target: Function, listen: list[str], number: int, workers: int, queue: int) -> InstanceConfig:
    addresses: list[IPv4Address | IPv6Address] = []
    try:
        addresses.extend(ip_address(text) for text in listen)
        return InstanceConfig(target, number, tuple(addresses), workers, queue)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def _run(server: Server, config: InstanceConfig, drain: float) -> None:
    stop = asyncio.Event()
    # Workers are forked inside; the handlers come after, so that the workers don't have them.
    async with server:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        where = " and ".join(map(str, config.listen))
        print(f"{config.function.name} as instance {config.number} at {where}", flush=True)
        await stop.wait()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        await server.drain(drain)
