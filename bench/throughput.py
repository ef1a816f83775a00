"""Packets a second that each device forwards when it is offered more than it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from bench import lineup
from bench.devices import Device
from bench.forwarding import Blaster, Sample
from bench.measurement import Finding, Plan, ratio
from bench.rounds import interleaved
from bench.stats import Spread
from bench.workload import Workload

_WARM_UP_SECONDS = 0.5
"""Under load, before packets are counted."""

Samples = dict[str, list[Sample]]
"""Samples of each device by its name, one a round."""


def measure(plan: Plan) -> Finding:
    """Measure all devices with each workload."""
    taken = {workload.name: sample(workload, plan) for workload in plan.workloads}
    pps = {
        name: {device.name: _median(samples, device) for device in plan.devices}
        for name, samples in taken.items()
    }
    rounds = {
        name: {device: [asdict(one) for one in some] for device, some in samples.items()}
        for name, samples in taken.items()
    }
    tables = [table(workload, plan.devices, taken[workload.name]) for workload in plan.workloads]
    return Finding({"pps": pps}, {"pps": rounds}, tables)


def sample(workload: Workload, plan: Plan) -> Samples:
    """Start and check all devices, then measure them in turn."""
    samples: Samples = {device.name: [] for device in plan.installed}
    with lineup.ready(workload, plan) as (lanes, directory):
        blaster = Blaster(workload, plan.cores.source, directory)
        for order in interleaved(list(lanes), plan.rounds):
            for name in order:
                samples[name].append(blaster.sample(lanes[name], _WARM_UP_SECONDS, plan.seconds))
    return samples


def table(workload: Workload, devices: Sequence[Device], samples: Samples) -> Table:
    """Return the table of one workload's results; ratios are of the first device to each."""
    reference, *_ = devices
    shown = Table(title=f"{workload.name}: frames of {workload.frame_length} bytes, thousands a second")
    shown.add_column("device")
    for heading in ("median", "min", "max", "offered", f"{reference.name} ÷ it"):
        shown.add_column(heading, justify="right")
    for device in devices:
        if device.name not in samples:
            shown.add_row(device.name, "not installed")
            continue
        spread = Spread.of([one.forwarded for one in samples[device.name]])
        offered = Spread.of([one.offered for one in samples[device.name]]).median
        values = (spread.median, spread.low, spread.high, offered)
        quotient = ratio(_median(samples, reference), spread.median)
        shown.add_row(device.name, *(f"{value / 1e3:.1f}" for value in values), quotient)
    return shown


def _median(samples: Samples, device: Device) -> float | None:
    taken = samples.get(device.name)
    return Spread.of([one.forwarded for one in taken]).median if taken else None
