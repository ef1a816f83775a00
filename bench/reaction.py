"""From an advert to the first packet that follows it: `python -m bench.reaction`.

A site advertises in turn that it wants no new requests and that it does, so that all requests belong to the
other site and to it again; how long after each advert does the first request arrive where it now belongs?
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import p4src
from bench import bed, command, p4client, results, traffic, two_sites
from bench.arrivals import Fates, Flip, fates, reactions_ms, settling_ms
from bench.command import BenchError
from bench.lane import first_out
from bench.process import Child, running
from bench.stats import histogram, percentile
from bench.targets import TARGETS, Target, address
from bench.teller import Teller
from bench.two_sites import FAR, NEAR
from cfn.names import func_id

_EDGES_MS = (0.5, 1, 2, 3, 5, 10, 20, 50)
_SPREAD = 0.2
_STEERED_SECONDS = 180.0
"""How long switches and controller may take; the embedded switch may have to compile the program first."""


def main(
    adverts: Annotated[int, typer.Option(min=2, help="Adverts that move all requests.")] = 400,
    rate: Annotated[float, typer.Option(min=1, help="Requests a second; the gap is the resolution.")] = 5000,
    interval: Annotated[float, typer.Option(min=25, help="Mean ms between adverts.")] = 100,
    target: Annotated[str, typer.Option(help=f"Switch: {' or '.join(TARGETS)}.")] = "embedded",
) -> None:
    """Measure how fast requests follow adverts, and write bench/out/reaction.json."""
    if target not in TARGETS:
        raise typer.BadParameter(f"{target} is none of {', '.join(TARGETS)}", param_hint="--target")
    if not TARGETS[target].installed():
        raise typer.BadParameter(f"{target} is not installed", param_hint="--target")
    console = Console()
    flips, seen = run(TARGETS[target], adverts, rate, interval)
    reactions = reactions_ms(flips, seen.arrivals, seen.end_ns)
    settling = settling_ms(flips, seen.arrivals, seen.end_ns)
    became = fates(seen.sent, seen.arrivals, seen.refused)
    console.print(table(target, reactions, settling))
    console.print(histogram_table(reactions))
    console.print(fates_line(became, rate))
    path = results.write(
        "reaction",
        {
            "advert_to_packet_ms": summary(reactions),
            "advert_to_last_other_packet_ms": summary(settling),
            "resolution_ms": 1000 / rate,
            "adverts": len(flips),
            "unanswered": sum(math.isinf(reaction) for reaction in reactions),
            "requests": asdict(became),
            "requests_per_s": rate,
            "target": target,
        },
    )
    console.print(f"written to {path}")


def run(target: Target, adverts: int, rate: float, interval_ms: float) -> tuple[list[Flip], traffic.Seen]:
    """Bring up switches, controller and stream, send the adverts, and return them and what was seen."""
    with ExitStack() as stack:
        laid = stack.enter_context(bed.laid(*two_sites.ROLES))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        two_sites.lay(laid)
        children = start_network(stack, target, laid, directory)
        teller = stack.enter_context(Teller(address(directory / "adverts.sock")))
        for site in two_sites.SITES:
            teller.tell(site, draining=False)
        wait_steered(laid, children)
        stream = stack.enter_context(traffic.flowing(laid, rate, directory))
        flips = send_flips(teller, adverts, interval_ms)
        seen = stream.stop()
        for child in children:
            child.check()
        return flips, seen


def start_network(stack: ExitStack, target: Target, laid: bed.Bed, directory: Path) -> list[Child]:
    """Start a switch for each router, and the controller; they run until `stack` is left."""
    sockets = {router: directory / f"{router}.sock" for router in two_sites.ROUTERS}
    children: list[Child] = []
    target.prepare(p4src.JSON)
    for router, socket in sockets.items():
        command = target.command(two_sites.DEVICE_IDS[router], two_sites.ports(router), socket)
        children.append(stack.enter_context(running(router, command, directory, namespace=laid[router])))
    for socket, child in zip(sockets.values(), children, strict=True):
        asyncio.run(p4client.listening(address(socket), child.check))
    catalogue = directory / "catalogue.yaml"
    two_sites.write_catalogue(catalogue, sockets)
    command = controller_command(catalogue, directory)
    children.append(stack.enter_context(running("controller", command, directory)))
    return children


def controller_command(catalogue: Path, directory: Path) -> list[str]:
    """Return the command line of the controller."""
    return [
        *(sys.executable, "-m", "cfn.cli", "controller", "run", str(catalogue)),
        *("--listen", address(directory / "adverts.sock")),
        *("--status-socket", str(directory / "controller.sock")),
        *("--events", str(directory / "events.log")),
    ]


def wait_steered(laid: bed.Bed, children: Sequence[Child]) -> None:
    """Wait until a request of the client's arrives at the near site.

    Raises:
        BenchError: none does.
    """
    frame = two_sites.request_frame(func_id(two_sites.FUNCTION_NAME))
    deadline = time.monotonic() + _STEERED_SECONDS
    path = (laid[two_sites.CLIENT], two_sites.UPLINK), (laid[NEAR], two_sites.UPLINK)
    while first_out(*path, frame, timeout_s=0.2) is None:
        for child in children:
            child.check()
        if time.monotonic() > deadline:
            raise BenchError(f"no request reaches {NEAR} after {_STEERED_SECONDS:g} s")


def send_flips(teller: Teller, adverts: int, interval_ms: float) -> list[Flip]:
    """Let the near site drain and return in turn, `interval_ms` apart on average.

    The intervals vary, so that adverts don't keep step with requests or with timers of the controller.
    """
    vary = random.Random(1)
    flips: list[Flip] = []
    for number in range(adverts):
        time.sleep(interval_ms / 1000 * vary.uniform(1 - _SPREAD, 1 + _SPREAD))
        draining = number % 2 == 0
        flips.append(Flip(teller.tell(NEAR, draining=draining), FAR if draining else NEAR))
    time.sleep(interval_ms / 1000)
    return flips


def summary(samples: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p99 and the greatest sample, None for what is infinite."""
    values = {"p50": percentile(samples, 50), "p99": percentile(samples, 99), "max": max(samples)}
    return {name: None if math.isinf(value) else value for name, value in values.items()}


def table(target: str, reactions: Sequence[float], settling: Sequence[float]) -> Table:
    """Return the table of percentiles."""
    shown = Table(title=f"{target}: ms after {len(reactions)} adverts")
    for heading in ("", "p50", "p99", "max"):
        shown.add_column(heading, justify="right" if heading else "left")
    rows = {"first packet by the new weight": reactions, "last packet by the old weight": settling}
    for name, samples in rows.items():
        values = summary(samples).values()
        shown.add_row(name, *("never" if value is None else f"{value:.2f}" for value in values))
    return shown


def histogram_table(reactions: Sequence[float]) -> Table:
    """Return the distribution of the reactions as a table with bars."""
    counts = histogram(reactions, _EDGES_MS)
    bounds = (*(f"< {edge:g}" for edge in _EDGES_MS), f"≥ {_EDGES_MS[-1]:g}")
    shown = Table("ms", "adverts", "", title="advert to first packet by the new weight")
    for bound, count in zip(bounds, counts, strict=True):
        shown.add_row(bound, str(count), "█" * round(40 * count / len(reactions)))
    return shown


def fates_line(became: Fates, rate: float) -> str:
    """Say what became of the requests."""
    return (
        f"{became.sent} requests, one every {1000 / rate:.3g} ms (the resolution): {became.lost} lost, "
        f"{became.refused} refused, {became.duplicated} duplicated"
    )


if __name__ == "__main__":
    command.run(main)
