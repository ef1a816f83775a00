"""How long a packet takes through each device when nothing else is under way.

One frame at a time, at intervals that vary so that they keep step with nothing. The sender writes the time
into the frame just before it hands it to the kernel; the kernel notes when it receives the frame at the sink,
before any program wakes. Both are of one clock, CLOCK_REALTIME of this machine.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench import lineup, native
from bench.arrivals import Arrivals
from bench.devices import Device
from bench.lane import SINK, SOURCE, Lane
from bench.measurement import Finding, Plan, ratio
from bench.process import running
from bench.rounds import interleaved
from bench.stats import percentile
from bench.workload import Workload

PACKETS_PER_TURN = 300
PER_SECOND = 500
SPREAD = 0.5
"""Gaps are between 1 and 3 ms."""
_SOURCE_ADDRESS_AT, _ADDRESS_BYTES = 26, 4
_QUIET_SECONDS = 0.1
_DRAIN_SECONDS = 10.0
_PERCENTILES = (50, 99)


@dataclass(frozen=True)
class Turn:
    """How long each packet of one turn was under way, in µs, and how many were sent."""

    sent: int
    delays_us: list[float]


class Sounder:
    """Sends a workload's first frame through lanes, with numbers and times, and records what comes out."""

    def __init__(self, workload: Workload, core: int, directory: Path) -> None:
        self._frame = workload.frames[0]
        self._marks = workload.marks
        self._core = core
        self._directory = directory
        self._record, self._pace = (str(native.build(name, directory)) for name in ("record", "pace"))
        self._template = directory / "template"
        self._template.write_bytes(self._frame)

    def turn(self, lane: Lane) -> Turn:
        """Send PACKETS_PER_TURN packets or a few more through a lane."""
        records = self._directory / "records"
        address = self._frame[_SOURCE_ADDRESS_AT : _SOURCE_ADDRESS_AT + _ADDRESS_BYTES].hex()
        kind = (str(len(self._frame)), str(_SOURCE_ADDRESS_AT), address)
        recording = [self._record, lane.sink, str(records), *kind, *self._marks.fields]
        rate = (str(PER_SECOND), str(SPREAD))
        pacing = [self._pace, lane.source, str(self._template), *rate, *self._marks.all_fields]
        sink, source = lane.bed[SINK], lane.bed[SOURCE]
        with running("record", recording, self._directory, namespace=sink, core=self._core) as recorder:
            recorder.wait_output("ready")
            with running("pace", pacing, self._directory, namespace=source, core=self._core) as pacer:
                time.sleep(PACKETS_PER_TURN / PER_SECOND)
                sent = int(pacer.stop())
            lane.wait_quiet(_QUIET_SECONDS, _DRAIN_SECONDS)
            recorder.stop()
        return Turn(sent, Arrivals.read(records).delays_us())


def measure(plan: Plan) -> Finding:
    """Measure all devices with the first workload."""
    workload, *_ = plan.workloads
    turns = take_turns(workload, plan)
    taken = {name: summary(some) for name, some in turns.items()}
    reference, *peers = (device.name for device in plan.devices)
    figures = {
        "latency_us": taken.get(reference),
        "latency_of_peers_us": {name: taken.get(name) for name in peers},
    }
    rounds = {name: [{"sent": turn.sent, **summary([turn])} for turn in some] for name, some in turns.items()}
    return Finding(figures, {"latency_us": rounds}, [table(workload, plan.devices, turns)])


def take_turns(workload: Workload, plan: Plan) -> dict[str, list[Turn]]:
    """Start and check all devices, then measure them in turn."""
    turns: dict[str, list[Turn]] = {device.name: [] for device in plan.installed}
    with lineup.ready(workload, plan) as (lanes, directory):
        sounder = Sounder(workload, plan.cores.source, directory)
        for order in interleaved(list(lanes), plan.rounds):
            for name in order:
                turns[name].append(sounder.turn(lanes[name]))
    return turns


def summary(turns: Sequence[Turn]) -> dict[str, float | None]:
    """Return p50 and p99 of all packets that came through in some turns, in µs; None when none did."""
    delays = [delay for turn in turns for delay in turn.delays_us]
    return {f"p{percent}": percentile(delays, percent) if delays else None for percent in _PERCENTILES}


def table(workload: Workload, devices: Sequence[Device], turns: Mapping[str, Sequence[Turn]]) -> Table:
    """Return the table of percentiles; ratios are of the first device's median to each."""
    reference, *_ = devices
    own = summary(turns.get(reference.name, ()))
    shown = Table(title=f"{workload.name}: µs through an idle device")
    shown.add_column("device")
    for heading in ("p50", "p99", "sent", "lost", f"{reference.name} ÷ it"):
        shown.add_column(heading, justify="right")
    for device in devices:
        if device.name not in turns:
            shown.add_row(device.name, "not installed")
            continue
        taken = turns[device.name]
        values = summary(taken)
        sent = sum(turn.sent for turn in taken)
        lost = sent - sum(len(turn.delays_us) for turn in taken)
        shown.add_row(
            device.name,
            *("never" if value is None else f"{value:.1f}" for value in values.values()),
            str(sent),
            str(lost),
            ratio(own["p50"], values["p50"]),
        )
    return shown
