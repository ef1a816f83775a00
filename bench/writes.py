"""Table entries a second that a target takes over P4Runtime from one client, and the memory of a million.

The entries are those of `programs/exact.p4`. Requests are encoded before the clock starts, and each is sent
when the one before is answered: what is measured is the target. In each round some entries are written one a
request and then many more in batches, so that both are seen with an empty table and with a full one.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from bench import p4client
from bench.command import BenchError
from bench.keys import random_keys
from bench.measurement import Finding, Plan, ratio
from bench.process import running
from bench.programs import EXACT
from bench.stats import Spread
from bench.targets import BMV2, EMBEDDED, Target, address
from bench.writer import Entries, Writer

ENTRIES = {EMBEDDED.name: 1_000_000, BMV2.name: 50_000}
"""How many each is given; a million take BMv2 several minutes."""
SINGLE = 500
"""Entries a round that are written one a request."""
BATCH = 1_000
_READ_BACK = 1_000
_DEVICE_ID = 1


class EntriesError(BenchError):
    """A target does not hold what was written."""


@dataclass(frozen=True)
class Round:
    """Entries a second."""

    single: float
    batched: float


@dataclass(frozen=True)
class Load:
    """What one target did.

    Attributes:
        rounds: how fast it was.
        entries: how many it held at the end.
        resident_bytes: how much its memory grew by them.
    """

    rounds: list[Round]
    entries: int
    resident_bytes: int

    def per_s(self) -> dict[str, float]:
        """Return the medians."""
        return {
            "single": Spread.of([one.single for one in self.rounds]).median,
            "batched": Spread.of([one.batched for one in self.rounds]).median,
        }


def measure(plan: Plan, entries: Mapping[str, int] = ENTRIES) -> Finding:
    """Fill the tables of the targets among the devices, one target after the other."""
    targets = [target for target in (EMBEDDED, BMV2) if target.name in {one.name for one in plan.installed}]
    loads = {target.name: fill(target, entries[target.name], plan.rounds) for target in targets}
    own = loads.get(EMBEDDED.name)
    figures = {
        "writes_per_s": own.per_s() if own else None,
        "writes_of_peers_per_s": {name: load.per_s() for name, load in loads.items() if load is not own},
        "held": {
            name: {"entries": load.entries, "resident_bytes": load.resident_bytes}
            for name, load in loads.items()
        },
    }
    rounds = {name: [asdict(one) for one in load.rounds] for name, load in loads.items()}
    return Finding(figures, {"writes_per_s": rounds}, [table(loads)])


def fill(target: Target, count: int, rounds: int) -> Load:
    """Start a target without interfaces, write `count` entries in `rounds` rounds, and read some back.

    Raises:
        EntriesError: it doesn't hold what was written.
    """
    entries = Entries.of(EXACT, random_keys(count).tolist())
    shares = [range(number * count // rounds, (number + 1) * count // rounds) for number in range(rounds)]
    with tempfile.TemporaryDirectory(prefix="cfnbench-") as scratch:
        directory = Path(scratch)
        socket = directory / "p4rt.sock"
        command = target.command(_DEVICE_ID, {}, socket)
        with running(target.name, command, directory) as child:
            pipeline = (EXACT.p4info, EXACT.json)
            asyncio.run(p4client.program(address(socket), _DEVICE_ID, pipeline, (), child.check))
            before = child.resident_bytes()
            with Writer(address(socket), _DEVICE_ID, entries) as writer:
                taken = [write_share(writer, share) for share in shares]
                grown = child.resident_bytes() - before
                some = random.Random(1).sample(range(count), min(_READ_BACK, count))
                if missing := writer.missing(some):
                    raise EntriesError(f"{target.name}: {len(missing)} of {len(some)} entries are not there")
    return Load(taken, count, grown)


def write_share(writer: Writer, share: range) -> Round:
    """Write some entries of a share singly and the rest in batches; of a small share, half and half."""
    single = min(SINGLE, len(share) // 2)
    return Round(
        single=_rate(writer, [range(at, at + 1) for at in share[:single]]),
        batched=_rate(writer, [share[at : at + BATCH] for at in range(single, len(share), BATCH)]),
    )


def _rate(writer: Writer, batches: Sequence[range]) -> float:
    requests = [writer.encode(batch) for batch in batches]
    start = time.monotonic()
    for request in requests:
        writer.send(request)
    return sum(len(batch) for batch in batches) / (time.monotonic() - start)


def table(loads: dict[str, Load]) -> Table:
    """Return the table of medians; ratios are of the embedded switch's batched writes to each."""
    own = loads.get(EMBEDDED.name)
    shown = Table(title="P4Runtime, one client: entries a second")
    shown.add_column("target")
    for heading in ("single", "batched", "held", "MB for them", "embedded ÷ it"):
        shown.add_column(heading, justify="right")
    for name, load in loads.items():
        rates = load.per_s()
        quotient = ratio(own.per_s()["batched"] if own else None, rates["batched"])
        memory = f"{load.resident_bytes / 1e6:.0f}"
        shown.add_row(
            name, *(f"{value:,.0f}" for value in rates.values()), f"{load.entries:,}", memory, quotient
        )
    return shown
