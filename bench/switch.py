"""Packets per second of the switches, in one interleaved run: `python -m bench.switch`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench import bed, command, results, steering
from bench.devices import DEVICES, Device
from bench.forwarding import Blaster, Cores, Sample, check
from bench.lane import ROLES, Lane
from bench.rounds import interleaved
from bench.stats import Spread
from bench.workload import Workload

Samples = dict[str, list[Sample]]
"""Samples of each device by its name, one a round."""


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each device.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one measurement.")] = 2.0,
    warm_up: Annotated[float, typer.Option(min=0.0, help="Seconds under load before it.")] = 0.5,
    only: Annotated[list[str] | None, typer.Option(help="Only this device; may be repeated.")] = None,
) -> None:
    """Measure how many requests a second each device forwards, and write bench/out/switch.json."""
    console = Console()
    devices = chosen(only)
    installed = [device for device in devices if device.installed()]
    cores = pick_cores(os.sched_getaffinity(0))
    pps: dict[str, dict[str, float | None]] = {}
    details: dict[str, dict[str, Any]] = {}
    for workload in (steering.workload(),):
        samples = measure(workload, installed, cores, rounds, (warm_up, seconds))
        spreads = {name: Spread.of([sample.forwarded for sample in taken]) for name, taken in samples.items()}
        pps[workload.name] = {
            device.name: spreads[device.name].median if device.name in spreads else None for device in devices
        }
        details[workload.name] = {
            name: [asdict(sample) for sample in taken] for name, taken in samples.items()
        }
        console.print(table(workload, devices, samples, spreads))
    path = results.write("switch", {"pps": pps, "rounds": details})
    console.print(f"written to {path}")


def measure(
    workload: Workload,
    devices: Sequence[Device],
    cores: Cores,
    rounds: int,
    times: tuple[float, float],
) -> Samples:
    """Start and check all devices, then measure them in turn.

    Args:
        workload: what they have to do.
        devices: the ones to measure.
        cores: where source and device run.
        rounds: how many times each is measured.
        times: seconds of warm-up and of measuring.
    """
    samples: Samples = {device.name: [] for device in devices}
    with ExitStack() as stack:
        laid = stack.enter_context(bed.laid(*ROLES))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        blaster = Blaster(workload, cores.source, directory)
        lanes = {device.name: Lane(laid, device.name) for device in devices}
        for device in devices:
            lane = lanes[device.name]
            lane.lay(workload.router_mac if device.kernel_takes_in else None)
            stack.enter_context(device.forwarding(lane, workload, cores.device, directory))
            check(device, lane, workload)
        for order in interleaved(devices, rounds):
            for device in order:
                samples[device.name].append(blaster.sample(lanes[device.name], *times))
    return samples


def chosen(names: Sequence[str] | None) -> list[Device]:
    """Return the devices of these names, all for None.

    Raises:
        typer.BadParameter: there is none of such a name.
    """
    known = {device.name: device for device in DEVICES}
    unknown = set(names or ()) - set(known)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}: not of {', '.join(known)}", param_hint="--only"
        )
    return [device for name, device in known.items() if not names or name in names]


def pick_cores(available: Iterable[int]) -> Cores:
    """Give the device a core of its own where there are two; the source takes the first."""
    ordered = sorted(available)
    return Cores(source=ordered[0], device=ordered[-1])


def table(
    workload: Workload, devices: Sequence[Device], samples: Samples, spreads: dict[str, Spread]
) -> Table:
    """Return the table of one workload's results; ratios are of the first device to each."""
    reference, *_ = devices
    shown = Table(title=f"{workload.name}: frames of {workload.frame_length} bytes, thousands a second")
    shown.add_column("device")
    for heading in ("median", "min", "max", "offered", f"{reference.name} ÷ it"):
        shown.add_column(heading, justify="right")
    for device in devices:
        spread = spreads.get(device.name)
        if spread is None:
            shown.add_row(device.name, "not installed")
            continue
        offered = Spread.of([sample.offered for sample in samples[device.name]]).median
        values = (spread.median, spread.low, spread.high, offered)
        quotient = ratio(spreads.get(reference.name), spread)
        shown.add_row(device.name, *(f"{value / 1e3:.1f}" for value in values), quotient)
    return shown


def ratio(spread: Spread | None, peer: Spread) -> str:
    """Return the ratio of two medians for the table; empty when there is none."""
    return f"{spread.median / peer.median:.2f}" if spread and peer.median else ""


if __name__ == "__main__":
    command.run(main)
