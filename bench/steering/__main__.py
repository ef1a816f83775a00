"""Compare policies: `python -m bench.steering`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import command
from bench import results as files
from bench.steering import live, plots, report
from bench.steering.figures import Figures, figures
from bench.steering.policies import POLICIES, run
from bench.steering.scenarios import SCENARIOS
from bench.steering.spec import Workload
from bench.steering.trial import CLIENTS, INTERVALS_MS, MEASURED, PUBLISHED, STATED_KINDS, interval, trial

WORKLOADS: dict[str, Callable[[], Workload]] = {
    **{
        report.trial_name(name, kind, clients): partial(trial, kind, clients, sites)
        for name, sites in report.READINGS.items()
        for kind in (PUBLISHED if sites is MEASURED else STATED_KINDS)
        for clients in CLIENTS
    },
    **{f"interval-{each}": partial(interval, each) for each in INTERVALS_MS},
    **SCENARIOS,
}


def main(
    *,
    workload: Annotated[
        list[str] | None, typer.Option(help="Workloads whose names begin so; all by default.")
    ] = None,
    policy: Annotated[list[str] | None, typer.Option(help="Policies by name; all by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 1,
    add: Annotated[bool, typer.Option("--add", help="Keep what the file has of other workloads.")] = False,
    lab: Annotated[bool, typer.Option("--live", help="Measure a few points in the lab instead.")] = False,
    target: Annotated[str, typer.Option(help="Switch of the lab: embedded or bmv2.")] = "embedded",
) -> None:
    """Simulate every policy on the same workloads; write bench/out/steering.json and, of all of it, plots."""
    console = Console()
    if lab:
        _live(console, target, seed)
        return
    asked = _asked("--workload", list(WORKLOADS), workload, lambda name, part: name.startswith(part))
    policies = _asked("--policy", list(POLICIES), policy, lambda name, part: name == part)
    made = {name: WORKLOADS[name]() for name in asked}
    plan = [(name, one) for name in asked for one in policies if one in (made[name].policies or POLICIES)]
    found: dict[str, dict[str, Figures]] = {name: {} for name in asked}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(plan))
        for name, one in plan:
            progress.update(task, description=f"{name}: {one}")
            found[name][one] = figures(made[name], run(made[name], one, seed))
            progress.advance(task)
    _show(console, found)
    found = {**(_written() if add else {}), **found}
    path = files.write("steering", report.results(found, [seed]))
    console.print(f"written to {path}")
    if found.keys() >= WORKLOADS.keys() and not policy:
        for drawn in plots.draw(found):
            console.print(f"drawn: {drawn}")


def _live(console: Console, target: str, seed: int) -> None:
    if target not in ("embedded", "bmv2"):
        raise typer.BadParameter(f"{target} is neither embedded nor bmv2", param_hint="--target")
    points = live.points(target, seed, lambda text: console.print(f"· {text}", highlight=False))
    console.print(live.table(points))
    told = [
        {
            "policy": one.policy,
            "slow": one.slow,
            "difference": one.difference,
            "live": one.live.plain(),
            "simulated": one.simulated.plain(),
        }
        for one in points
    ]
    console.print(f"written to {files.write('steering-live', {'points': told, 'target': target})}")


def _written() -> dict[str, dict[str, Figures]]:
    """What the file has, in the order of the workloads."""
    path = files.OUT / "steering.json"
    told = json.loads(path.read_text())["workloads"] if path.exists() else {}
    return {
        name: {policy: Figures.of(one) for policy, one in told[name].items()}
        for name in WORKLOADS
        if name in told
    }


def _asked(
    option: str, names: list[str], parts: list[str] | None, fits: Callable[[str, str], bool]
) -> list[str]:
    for part in parts or ():
        if not any(fits(name, part) for name in names):
            raise typer.BadParameter(f"{part} is none of {', '.join(names)}", param_hint=option)
    return [name for name in names if not parts or any(fits(name, part) for part in parts)]


def _show(console: Console, found: report.Found) -> None:
    for reading in report.READINGS:
        if any(name.startswith(f"{reading}-") for name in found):
            console.print(report.trial_table(found, reading))
    if any(name.startswith("interval-") for name in found):
        console.print(report.interval_table(found))
    for name, mine in found.items():
        if name in SCENARIOS:
            console.print(report.workload_table(name, mine))


if __name__ == "__main__":
    command.run(main)
