"""What a packet costs in the pipeline alone: generated code against C by hand, in memory, on one core.

The work is that of `bench.choosing`: parse, one exact lookup of 64 bits among a million, CRC-32 of the flow,
a member of the group, rewrite, deparse. Both must make the same bytes of the same frames first. Beside them
stands generated code that counts the hits and misses of its one table (`--table-stats`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.table import Table

from bench.choosing import Catalogue, Frames, Generated, Handwritten, frames, oddities
from bench.command import BenchError
from bench.measurement import Finding, Plan, ratio
from bench.rounds import interleaved
from bench.stats import Spread

FUNCTIONS = 1_000_000
FRAMES = 1 << 16
_TURN_FRAMES = 20 * FRAMES
"""How many frames a turn runs, so that it takes some tens of milliseconds."""

Contender = Generated | Handwritten


class OutputError(BenchError):
    """The contenders do not do the same."""


def measure(plan: Plan, functions: int = FUNCTIONS, frame_count: int = FRAMES) -> Finding:
    """Measure both in turn on the device's core."""
    catalogue = Catalogue.of(functions)
    calls = frames(catalogue, frame_count)
    with (
        on_core(plan.cores.device),
        tempfile.TemporaryDirectory(prefix="cfnbench-") as directory,
        closing(Generated(catalogue)) as generated,
        closing(Generated(catalogue, table_stats=True)) as counting,
        closing(Handwritten(catalogue, Path(directory))) as handwritten,
    ):
        for some in (calls, oddities(catalogue)):
            compare(generated, handwritten, some)
        contenders = {"generated": generated, "handwritten": handwritten, "counting": counting}
        samples = turns(contenders, calls, plan.rounds)
    spreads = {name: Spread.of(taken) for name, taken in samples.items()}
    figures = {name: spread.median for name, spread in spreads.items()}
    return Finding({"ns_per_packet": figures}, {"ns_per_packet": samples}, [table(spreads, functions)])


def compare(generated: Generated, handwritten: Handwritten, some: Frames) -> None:
    """Look whether both make the same of some frames.

    Raises:
        OutputError: they don't; tells the first frame that differs.
    """
    pairs = zip(generated.outputs(some), handwritten.outputs(some), strict=True)
    for number, (ours, theirs) in enumerate(pairs):
        if ours != theirs:
            shown = [output.hex() if output else "nothing" for output in (ours, theirs)]
            raise OutputError(f"frame {number}: generated code gives {shown[0]}, hand-written {shown[1]}")


def turns(contenders: dict[str, Contender], calls: Frames, rounds: int) -> dict[str, list[float]]:
    """Return ns per frame of each contender, by name, one a round; a turn that is not counted goes first."""
    repeats = max(1, _TURN_FRAMES // len(calls))
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender.ns_per_packet(calls, 1)
    for order in interleaved(list(contenders), rounds):
        for name in order:
            samples[name].append(contenders[name].ns_per_packet(calls, repeats))
    return samples


def table(spreads: dict[str, Spread], functions: int) -> Table:
    """Return the table of medians."""
    shown = Table(title=f"pipeline in memory, {functions:,} keys: ns per packet")
    shown.add_column("code")
    for heading in ("median", "min", "max", "generated ÷ it"):
        shown.add_column(heading, justify="right")
    for name, spread in spreads.items():
        values = (spread.median, spread.low, spread.high)
        quotient = ratio(spreads["generated"].median, spread.median)
        shown.add_row(name, *(f"{value:.1f}" for value in values), quotient)
    return shown


@contextmanager
def on_core(core: int) -> Generator[None]:
    """Bind the calling thread to a core for the length of a block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
