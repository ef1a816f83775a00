"""`cfn controller …`: run a controller, check a catalogue, and ask a running controller what it does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.live import Live

from cfn.yamlfile import FileError
from control import advert_service, catalogue, sites_view, status_socket, status_view
from control.controller import Controller, Dissemination, Options
from control.events import EventLog, LogEvents
from control.network import Network
from control.paths import Paths
from control.services import ServiceIndex
from control.sites import Sites

app = typer.Typer(help="The controller: steers by what sites advertise.", no_args_is_help=True)

_SOCKET = Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / "cfn-controller.sock"
CatalogueFile = Annotated[Path, typer.Argument(help="The catalogue, a YAML file.", show_default=False)]
StatusSocket = Annotated[
    Path,
    typer.Option("--status-socket", envvar="CFN_CONTROLLER", help="Unix socket the controller answers at."),
]


@app.command()
def run(
    file: CatalogueFile,
    *,
    listen: Annotated[
        str, typer.Option(help="Where adverts come in: HOST:PORT or unix:PATH.")
    ] = "127.0.0.1:23794",
    status_socket_path: StatusSocket = _SOCKET,
    events: Annotated[
        Path | None, typer.Option(help="File the event log is appended to; default: stdout.")
    ] = None,
    hold: Annotated[
        float, typer.Option(min=0, help="Seconds to keep what silent sites have installed.")
    ] = 10.0,
    audit: Annotated[float, typer.Option(min=0.1, help="Seconds between reading tables back.")] = 10.0,
    probe_interval_ms: Annotated[
        int, typer.Option(min=0, help="Milliseconds between two probes of a link; 0: none.")
    ] = 200,
    domain: Annotated[
        str | None, typer.Option(help="Drive the routers of this domain of the catalogue only.")
    ] = None,
    adverts: Annotated[
        Dissemination | None,
        typer.Option(help="How to hear of other domains' sites; default: bgp where the domain speaks it."),
    ] = None,
) -> None:
    """Run a controller until SIGINT or SIGTERM."""
    wanted = _load(file)
    _check_domain(wanted, domain, adverts)
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(events.open("a", encoding="utf-8")) if events else sys.stdout
        log = EventLog(out)
        finsy_log = logging.getLogger("finsy")
        finsy_log.addHandler(LogEvents(log, logging.ERROR))
        finsy_log.propagate = False
        way = adverts or ("bgp" if domain and wanted.domains[domain].bgp else "grpc")
        controller = Controller(wanted, log, Options(hold, audit, probe_interval_ms / 1000, domain, way))
        try:
            asyncio.run(_run(controller, listen, status_socket_path))
        except OSError as error:
            _fail(str(error))


@app.command()
def check(file: CatalogueFile) -> None:
    """Check a catalogue; tell every error with its line and field."""
    found = _load(file)
    typer.echo(
        f"{file}: {len(found.routers)} routers, {len(found.links)} links, {len(found.hosts)} hosts, "
        f"{len(found.sites)} sites, {len(found.services)} services"
    )
    paths, network = Paths(found, ServiceIndex(found), Sites(found)), Network(found)
    for name, path in found.paths.items():
        room = paths.room(path, network)
        takes = f"takes IP packets of {room} bytes at most" if room else "is the shortest everywhere"
        typer.echo(f"path {name}: {takes}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a catalogue."""
    typer.echo(catalogue.json_schema())


@app.command()
def status(
    status_socket_path: StatusSocket = _SOCKET,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole status as JSON.")] = False,
    watch: Annotated[float | None, typer.Option(min=0.1, help="Show it anew every so many seconds.")] = None,
) -> None:
    """Show routers, sites with their adverts, and the share each site gets at each router."""
    if as_json:
        typer.echo(json.dumps(_ask(status_socket_path, {"ask": "status"}), indent=2))
        return
    console = Console()
    if watch is None:
        console.print(status_view.overview(_ask(status_socket_path, {"ask": "status"})))
        return
    with contextlib.suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(status_view.overview(_ask(status_socket_path, {"ask": "status"})), refresh=True)
            time.sleep(watch)


@app.command()
def sites(
    status_socket_path: StatusSocket = _SOCKET,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what sites can compute, what of it is in use, their resources and their metrics."""
    answer = _ask(status_socket_path, {"ask": "status"})
    if as_json:
        typer.echo(json.dumps(answer["sites"], indent=2))
    else:
        Console().print(sites_view.sites(answer))


@app.command()
def explain(
    function: Annotated[str, typer.Argument(help="namespace/function, or a FuncID as status shows it.")],
    router: Annotated[str | None, typer.Option(help="Only at this ingress.")] = None,
    status_socket_path: StatusSocket = _SOCKET,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show which instances a function is bound to at an ingress, by which weights, and why."""
    answer = _ask(status_socket_path, {"ask": "explain", "function": function, "router": router})
    if not answer:
        _fail(f"nothing is steered for {function!r}" + (f" at {router!r}" if router else ""))
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        Console().print(status_view.explanation(answer))


@app.command()
def links(
    status_socket_path: StatusSocket = _SOCKET,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what links between routers are declared to be, and what they are measured to be."""
    answer = _ask(status_socket_path, {"ask": "status"})["links"]
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        Console().print(status_view.links(answer))


@app.command()
def usage(
    status_socket_path: StatusSocket = _SOCKET,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show requests, bytes and cost by tenant, service and site, over all routers since they started."""
    answer = _ask(status_socket_path, {"ask": "usage"})
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        Console().print(status_view.usage(answer))


@app.command()
def rotate_keys(status_socket_path: StatusSocket = _SOCKET) -> None:
    """Seal affinity cookies with a new key; sessions sealed with the last one keep their instance."""
    _ask(status_socket_path, {"ask": "rotate-keys"})


async def _run(controller: Controller, listen: str, socket_path: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    adverts = await advert_service.serve(listen, controller.take)
    asked = await status_socket.serve(socket_path, controller)
    running = asyncio.ensure_future(controller.run())
    controller.events("listening", adverts=listen, status=str(socket_path))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        running.cancel()
        stopping.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
        asked.close()
        await adverts.stop(None)
        socket_path.unlink(missing_ok=True)
        controller.events("stopped")


def _check_domain(wanted: catalogue.Catalogue, domain: str | None, adverts: Dissemination | None) -> None:
    if domain is None and adverts not in (None, "grpc"):
        _fail(f"--adverts {adverts}: say which --domain this is the controller of")
    if domain is None:
        return
    if domain not in wanted.domains:
        _fail(f"--domain: there is no domain {domain!r}")
    if adverts not in (None, "grpc") and wanted.domains[domain].bgp is None:
        _fail(f"--adverts {adverts}: domains.{domain} says nothing of bgp")


def _load(file: Path) -> catalogue.Catalogue:
    try:
        return catalogue.load(file)
    except FileError as error:
        _fail(str(error))


def _ask(path: Path, question: dict[str, Any]) -> Any:
    try:
        return status_socket.ask(path, question)
    except OSError as error:
        _fail(f"{path}: no controller answers there ({error.strerror or error})")
    except ValueError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    typer.secho(message, err=True, fg=typer.colors.RED)
    raise typer.Exit(1)
