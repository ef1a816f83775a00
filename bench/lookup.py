"""What a lookup in an exact table of 64-bit keys costs, by how many entries the table holds.

The program is `programs/exact.p4`. Each frame asks for a key of the table, drawn at random; the same frames
with another first byte pass the table by. The difference is what the lookup costs, its action included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from bench.keys import random_keys
from bench.measurement import Finding, Plan
from bench.pipeline import on_core
from bench.programs import EXACT
from bench.rounds import interleaved
from bench.stats import Spread
from switch.api import Action, Match
from switch.dataplane import Dataplane

SIZES = {"1k": 1_000, "100k": 100_000, "1M": 1_000_000}
FRAMES = 1 << 16
_REPEATS = 20
_PORT = 1
_SEED = 1

_QUESTION = np.dtype([("look", "u1"), ("key", ">u8"), ("answer", ">u4"), ("payload", "V51")])


@dataclass(frozen=True)
class Held:
    """A dataplane whose table is filled, and frames that ask it and that pass it by."""

    dataplane: Dataplane
    asking: list[bytes]
    passing: list[bytes]

    @classmethod
    def of(cls, entries: int) -> Held:
        """Fill the table of a new dataplane with random keys."""
        keys = random_keys(entries)
        dataplane = Dataplane(EXACT.json.read_bytes())
        for answer, key in enumerate(keys.tolist()):
            dataplane.table_insert("Incoming.answers", [Match(key)], 0, Action("Incoming.reply", (answer,)))
        asking = np.zeros(FRAMES, dtype=_QUESTION)
        asking["key"] = np.random.default_rng(_SEED + 1).choice(keys, size=FRAMES)
        passing = asking.copy()
        asking["look"] = 1
        return cls(dataplane, [frame.tobytes() for frame in asking], [frame.tobytes() for frame in passing])

    def lookup_ns(self) -> float:
        """Return the processor time of one lookup in ns."""
        asked = self.dataplane.bench(_PORT, self.asking, _REPEATS)
        return asked - self.dataplane.bench(_PORT, self.passing, _REPEATS)


def measure(plan: Plan, sizes: Mapping[str, int] = SIZES) -> Finding:
    """Measure tables of these sizes in turn on the device's core."""
    samples: dict[str, list[float]] = {name: [] for name in sizes}
    held: dict[str, Held] = {}
    with on_core(plan.cores.device):
        try:
            for name, entries in sizes.items():
                held[name] = Held.of(entries)
                held[name].lookup_ns()
            for order in interleaved(list(sizes), plan.rounds):
                for name in order:
                    samples[name].append(held[name].lookup_ns())
        finally:
            for one in held.values():
                one.dataplane.close()
    spreads = {name: Spread.of(taken) for name, taken in samples.items()}
    figures: dict[str, Any] = {name: spread.median for name, spread in spreads.items()}
    return Finding({"lookup_ns": figures}, {"lookup_ns": samples}, [table(spreads)])


def table(spreads: dict[str, Spread]) -> Table:
    """Return the table of medians."""
    shown = Table(title="one exact lookup of 64 bits, in memory: ns")
    shown.add_column("entries")
    for heading in ("median", "min", "max"):
        shown.add_column(heading, justify="right")
    for name, spread in spreads.items():
        shown.add_row(name, *(f"{value:.1f}" for value in (spread.median, spread.low, spread.high)))
    return shown
