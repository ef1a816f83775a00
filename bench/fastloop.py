"""One site of three slows down and nobody steers any more: `python -m bench.fastloop`.

Controller and site agents are killed. Then a site's requests take ten times as long, and only what responses
tell of load can move requests away from it: with rivals, and without any.
"""

from __future__ import annotations

import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench import command, lab, results, site_pace
from bench.rounds import interleaved
from bench.slowdown import WINDOW, Turn, response_ms
from topo.plan import Plan
from topo.process import Command
from topo.records import Record
from topo.spec import CONTROLLER
from topo.state import RunDir
from topo.targets import Target
from topo.traffic import Traffic, TrafficError

LAB = Path(__file__).parent / "labs" / "fastloop.yaml"
FUNCTIONS = {"two_choices": "pace/two", "one_choice": "pace/one"}
"""What each contender asks for."""
PACE_MS = 20.0
"""For one request; an instance does one at a time."""
SLOWDOWN = 10
RATE_PER_S = 150.0
"""Half of what the three sites can do, with two instances each."""
WARM_UP_S = 4.0
"""Twice as long as an instance is new; with each contender, while there is a controller."""
BEFORE_S, AFTER_S = 3.0, 2.5
"""How long requests are sent before the slowdown and after it: not so long that a queue overflows. An
instance of the slow site is given at most 25 requests a second, does five of them, and 64 may wait."""
PATIENCE_S = 30.0
"""A request without an answer for so long is lost."""
FORGOTTEN_S = 1.5
"""Between turns; a load that a router saw longer ago than a second counts for nothing."""


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender.")] = 7,
    target: Annotated[str, typer.Option(help="Switch: embedded or bmv2.")] = "embedded",
) -> None:
    """Measure how requests leave a slow site without a controller, and write bench/out/fastloop.json."""
    if target not in ("embedded", "bmv2"):
        raise typer.BadParameter(f"{target} is neither embedded nor bmv2", param_hint="--target")
    console = Console()
    turns = run(target, rounds, lambda text: console.print(f"· {text}", highlight=False))
    found = {name: [figures(turn) for turn in mine] for name, mine in turns.items()}
    summary = summarise(found)
    console.print(table(summary))
    path = results.write(
        "fastloop",
        {
            "share_halved_ms": summary["share_halved_ms"]["two_choices"],
            "p99_ms": summary["p99_ms"],
            "medians": summary,
            "requests_per_s": RATE_PER_S,
            "window_requests": WINDOW,
            "slowdown": SLOWDOWN,
            "target": target,
            "rounds": {name: [_plain(each) for each in mine] for name, mine in found.items()},
        },
    )
    console.print(f"written to {path}")


def run(
    target: Target,
    rounds: int,
    tell: lab.Tell,
    lab_file: Path = LAB,
    functions: Mapping[str, str] = FUNCTIONS,
) -> dict[str, list[Turn]]:
    """Bring the lab up, kill what steers it, and let the contenders take their turns.

    Raises:
        BenchError: the lab can't be brought up, or something of it has ended.
    """
    with (
        tempfile.TemporaryDirectory(prefix="cfnbench-") as paces,
        lab.environment(site_pace.FOLDER, paces),
        lab.up(lab_file, target, tell) as plan,
    ):
        for site in plan.sites.values():
            site_pace.set_pace(Path(paces), site.host.namespace, PACE_MS)
        tell("letting the controller know what each instance takes")
        for function in functions.values():
            asyncio.run(_warmed_up(plan, function))
        steering = [CONTROLLER, *(f"agent-{name}" for name in plan.sites)]
        tell(f"killing {', '.join(steering)}")
        lab.kill(plan.name, steering)
        turns: dict[str, list[Turn]] = {name: [] for name in functions}
        for number, order in enumerate(interleaved(list(functions), rounds)):
            tell(f"round {number + 1} of {rounds}")
            for name in order:
                slow = list(plan.sites)[number % len(plan.sites)]
                turns[name].append(asyncio.run(_turn(plan, functions[name], slow, Path(paces), number)))
                lab.check(plan.name, steering)
                time.sleep(FORGOTTEN_S)
        return turns


def figures(turn: Turn) -> dict[str, float]:
    """Return the figures of one turn, in ms and shares of 1."""
    return {
        "share_before": turn.share(turn.before),
        "share_halved_ms": turn.halved_ms(),
        "share_kept": turn.share(turn.settled),
        "p50_before_ms": response_ms(turn.before, 50),
        "p99_before_ms": response_ms(turn.before, 99),
        "p50_ms": response_ms(turn.after, 50),
        "p90_ms": response_ms(turn.after, 90),
        "p99_ms": response_ms(turn.after, 99),
        "p99_settled_ms": response_ms(turn.settled, 99),
        "p99_whole_run_ms": response_ms(turn.records, 99),
    }


def summarise(found: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, dict[str, float | None]]:
    """Return the median over the rounds of each figure, by contender; None for what is infinite."""
    names = next(iter(found.values()))[0]
    return {
        name: _plain({each: median(one[name] for one in turns) for each, turns in found.items()})
        for name in names
    }


def table(summary: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Return the table of medians, a column for each contender."""
    shown = Table(title=f"one site of three {SLOWDOWN} times slower, no controller: medians")
    shown.add_column("")
    for contender in next(iter(summary.values())):
        shown.add_column(contender.replace("_", " "), justify="right")
    for name, values in summary.items():
        shown.add_row(name, *(_cell(name, value) for value in values.values()))
    return shown


async def _warmed_up(plan: Plan, function: str) -> None:
    """Requests for so long that no instance is new or unmeasured, so that all take part in the race."""
    traffic = Traffic(RunDir(plan.name), lambda _record: None)
    try:
        await traffic.start([_client(plan, function, 0)])
        await asyncio.sleep(WARM_UP_S)
        await traffic.stop()
    except TrafficError as error:
        raise command.BenchError(str(error)) from None
    finally:
        await traffic.close()


async def _turn(plan: Plan, function: str, slow: str, paces: Path, seed: int) -> Turn:
    records: list[Record] = []
    traffic = Traffic(RunDir(plan.name), records.append)
    namespace = plan.sites[slow].host.namespace
    try:
        await traffic.start([_client(plan, function, seed)])
        while not records:
            traffic.check()
            await asyncio.sleep(0.01)
        await asyncio.sleep(BEFORE_S)
        slowed_s = time.time()
        site_pace.set_pace(paces, namespace, PACE_MS * SLOWDOWN)
        await asyncio.sleep(AFTER_S)
        await traffic.stop()
    except TrafficError as error:
        raise command.BenchError(str(error)) from None
    finally:
        site_pace.set_pace(paces, namespace, PACE_MS)
        await traffic.close()
    return Turn(records, plan.sites[slow].id, slowed_s)


def _client(plan: Plan, function: str, seed: int) -> Command:
    (client,) = plan.clients
    arguments = [
        *(sys.executable, "-m", "topo.clients", "--client", client.name, f"--function={function}"),
        *("--ipv4", str(plan.anycast[0]), "--ipv6", str(plan.anycast[1])),
        *("--singles-per-s", str(RATE_PER_S), "--timeout-s", str(PATIENCE_S), "--seed", str(seed)),
    ]
    return Command("client", arguments, client.namespace)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "never"
    return f"{value:.1%}" if name.startswith("share_") and not name.endswith("_ms") else f"{value:.0f}"


def _plain(values: Mapping[str, float]) -> dict[str, Any]:
    return {name: None if math.isinf(value) else round(value, 4) for name, value in values.items()}


if __name__ == "__main__":
    command.run(main)
