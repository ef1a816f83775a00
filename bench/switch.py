"""The embedded switch beside its peers, in one interleaved run: `python -m bench.switch`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from bench import command, ingress, latency, lookup, pipeline, results, routing, throughput, writes
from bench.devices import DEVICES
from bench.measurement import Cores, Finding, Plan
from bench.workload import Workload

MEASUREMENTS: dict[str, Callable[[Plan], Finding]] = {
    "pps": throughput.measure,
    "latency": latency.measure,
    "pipeline": pipeline.measure,
    "lookup": lookup.measure,
    "writes": writes.measure,
}
WORKLOADS: dict[str, Callable[[], Workload]] = {
    "cfn": ingress.workload,
    "basic_routing": routing.workload,
}

T = TypeVar("T")


def main(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Only this of {', '.join(MEASUREMENTS)}; may be repeated.")
    ] = None,
    workload: Annotated[
        list[str] | None, typer.Option(help=f"Only this of {', '.join(WORKLOADS)}; may be repeated.")
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this of {', '.join(one.name for one in DEVICES)}; may be repeated."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one count of packets.")] = 2.0,
) -> None:
    """Measure the embedded switch beside its peers, and write bench/out/switch.json."""
    console = Console()
    plan = Plan(
        devices=chosen({one.name: one for one in DEVICES}, device, "--device"),
        workloads=[make() for make in chosen(WORKLOADS, workload, "--workload")],
        rounds=rounds,
        cores=Cores.pick(os.sched_getaffinity(0)),
        seconds=seconds,
    )
    figures: dict[str, Any] = {}
    details: dict[str, Any] = {}
    for measure in chosen(MEASUREMENTS, only, "--only"):
        finding = measure(plan)
        figures |= finding.figures
        details |= finding.rounds
        for table in finding.tables:
            console.print(table)
    path = results.write("switch", {**figures, "rounds": details})
    console.print(f"written to {path}")


def chosen(known: Mapping[str, T], names: Sequence[str] | None, option: str) -> list[T]:
    """Return what has these names, in the order of `known`; all for None.

    Raises:
        typer.BadParameter: there is none of such a name.
    """
    unknown = set(names or ()) - set(known)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}: not of {', '.join(known)}", param_hint=option
        )
    return [one for name, one in known.items() if not names or name in names]


if __name__ == "__main__":
    command.run(main)
