"""`cfn data`: run the data agent of a site, and use the one on this host.

What needs aiohttp is imported only by the verb that uses it: that takes as long as importing all the rest.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from cfn.commands.failure import fail
from cfn.commands.unix_path import unix_path
from cfn.content.errors import ContentError
from cfn.content.sizes import LARGEST, LIMIT, MEGABYTE, RESULTS_LIMIT, TIMEOUT_S
from cfn.names import parse_data_id
from cfn.wire import PORT

if TYPE_CHECKING:
    from cfn.content.agent import DataAgentConfig
    from cfn.content.client import ContentClient

data = typer.Typer(
    help="Content by identifier: run a site's data agent, put, get, list.", no_args_is_help=True
)

Local = Annotated[
    str, typer.Option("--data", envvar="CFN_DATA", metavar="unix:PATH", help="Socket of the data agent.")
]
_LOCAL = "unix:/run/cfn-data.sock"
_MAX_SITE = (1 << 14) - 1


@data.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="Folder of the cache; made if it isn't there.")],
    *,
    listen: Annotated[
        list[str] | None,
        typer.Option(help="Address for PREFETCH and other agents; once for IPv4, once for IPv6, or both."),
    ] = None,
    local: Local = _LOCAL,
    site: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=URL", help="Another site's data agent, e.g. 2=http://10.3.0.9:23793."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Whom to ask for what no site is known to hold; tried in order."),
    ] = None,
    limit: Annotated[float, typer.Option(min=0.001, help="MB of content to keep.")] = LIMIT / MEGABYTE,
    results_limit: Annotated[float, typer.Option(min=0.001, help="MB of results to keep.")] = RESULTS_LIMIT
    / MEGABYTE,
    largest: Annotated[float, typer.Option(min=0.001, help="MB that one item may have.")] = LARGEST
    / MEGABYTE,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=25.0, help="Seconds that a fetch may take.")
    ] = TIMEOUT_S,
    agent: Annotated[str, typer.Option(metavar="unix:PATH", help="Socket of the site's agent.")] = "",
    port: Annotated[int, typer.Option(min=1, max=65535, help="UDP and TCP port.")] = PORT,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what is ignored, too.")] = False,
) -> None:
    """Run the data agent of a site, until SIGTERM or Ctrl-C."""
    from cfn.content.agent import DataAgentConfig  # noqa: PLC0415
    from cfn.content.fetch import Sources  # noqa: PLC0415

    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    sites = dict(_site(text) for text in site or ())
    config = DataAgentConfig(
        folder,
        unix_path(local, "--data"),
        tuple(_address(text) for text in listen or ()),
        port,
        round(limit * MEGABYTE),
        round(results_limit * MEGABYTE),
        round(largest * MEGABYTE),
        Sources(sites, tuple(_url(text, "--origin") for text in origin or ()), timeout),
        unix_path(agent, "--agent") if agent else None,
    )
    try:
        asyncio.run(_serve(config))
    except OSError as error:
        fail(error.strerror or error)


@data.command()
def put(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False)],
    *,
    local: Local = _LOCAL,
) -> None:
    """Put files into the cache; prints the identifier of each."""

    async def run(client: ContentClient) -> None:
        for file in files:
            try:
                print((await client.put_file(file)).hex(), file)
            except OSError as error:
                fail(f"{file}: {error.strerror}")
            except ContentError as error:
                fail(f"{file}: {error}")

    _use(local, run)


@data.command()
def get(
    data_id: Annotated[str, typer.Argument(metavar="ID", help="32 hexadecimal digits.")],
    *,
    local: Local = _LOCAL,
) -> None:
    """Write content to standard output, fetched if it is not held here."""
    wanted = _data_id(data_id)

    async def run(client: ContentClient) -> None:
        try:
            sys.stdout.buffer.write(await client.get(wanted))
        except ContentError as error:
            fail(f"{data_id}: {error}")

    _use(local, run)


@data.command("list")
def list_(
    *,
    local: Local = _LOCAL,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
) -> None:
    """List what the cache holds, most recently used first, and what it was asked for."""

    async def run(client: ContentClient) -> None:
        held = await client.holdings()
        print(json.dumps(held)) if as_json else _print(held)

    _use(local, run)


def _print(held: dict[str, Any]) -> None:
    for each in held["content"]:
        print(f"{each['id']}  {each['bytes']} bytes")
    for each in held["results"]:
        print(f"{each['data_out']}  result of 0x{each['func_id']} for {each['data_in']}")
    used, limit = held["bytes"], held["limit"]
    print(f"content: {used['content']} of {limit['content']} bytes; ", end="")
    print(f"results: {used['results']} of {limit['results']} bytes")
    print(", ".join(f"{name} {count}" for name, count in held["counters"].items()))


def _use(local: str, run: Callable[[ContentClient], Awaitable[None]]) -> None:
    from cfn.content.client import ContentClient  # noqa: PLC0415

    path = unix_path(local, "--data")

    async def connected() -> None:
        async with ContentClient(path) as client:
            await run(client)

    try:
        asyncio.run(connected())
    except ContentError as error:
        fail(error)


async def _serve(config: DataAgentConfig) -> None:
    from cfn.content.agent import DataAgent  # noqa: PLC0415

    stop = asyncio.Event()
    async with DataAgent(config):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        where = " and ".join(map(str, (*config.listen, config.local)))
        print(f"data agent at {where}", flush=True)
        await stop.wait()


def _data_id(text: str) -> bytes:
    try:
        return parse_data_id(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--listen") from None


def _site(text: str) -> tuple[int, str]:
    number, _, url = text.partition("=")
    if not number.isdecimal() or not 0 < int(number) <= _MAX_SITE:
        raise typer.BadParameter(f"{text!r} is not of the form ID=URL", param_hint="--site")
    return int(number), _url(url, "--site")


def _url(text: str, option: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise typer.BadParameter(f"{text!r} is no http URL", param_hint=option)
    return text.rstrip("/")
