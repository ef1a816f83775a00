"""Compare policies: `python -m bench.steering`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import command
from bench import results as files
from bench.steering import plots, report
from bench.steering.figures import Figures, figures
from bench.steering.policies import POLICIES, run
from bench.steering.scenarios import SCENARIOS
from bench.steering.spec import Workload
from bench.steering.trial import CLIENTS, INTERVALS_MS, PUBLISHED, interval, trial

WORKLOADS: dict[str, Callable[[], Workload]] = {
    **{
        report.trial_name(kind, clients): lambda kind=kind, clients=clients: trial(kind, clients)
        for kind in PUBLISHED
        for clients in CLIENTS
    },
    **{f"interval-{each}": lambda each=each: interval(each) for each in INTERVALS_MS},
    **SCENARIOS,
}


def main(
    workload: Annotated[
        list[str] | None, typer.Option(help="Workloads whose names begin so; all by default.")
    ] = None,
    policy: Annotated[list[str] | None, typer.Option(help="Policies by name; all by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 1,
) -> None:
    """Simulate every policy on the same workloads; write bench/out/steering.json and, of all of it, plots."""
    console = Console()
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
    path = files.write("steering", report.results(found, [seed]))
    console.print(f"written to {path}")
    if not workload and not policy:
        for drawn in plots.draw(found):
            console.print(f"drawn: {drawn}")


def _asked(
    option: str, names: list[str], parts: list[str] | None, fits: Callable[[str, str], bool]
) -> list[str]:
    for part in parts or ():
        if not any(fits(name, part) for name in names):
            raise typer.BadParameter(f"{part} is none of {', '.join(names)}", param_hint=option)
    return [name for name in names if not parts or any(fits(name, part) for part in parts)]


def _show(console: Console, found: report.Found) -> None:
    if any(name.startswith("trial-") for name in found):
        console.print(report.trial_table(found))
    if any(name.startswith("interval-") for name in found):
        console.print(report.interval_table(found))
    for name, mine in found.items():
        if name in SCENARIOS:
            console.print(report.workload_table(name, mine))


if __name__ == "__main__":
    command.run(main)
