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
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from bench import p4client
from bench.command import BenchError
from bench.keys import random_keys
from bench.measurement import Finding, Plan, ratio
from bench.process import Child, running
from bench.programs import EXACT
from bench.rounds import interleaved
from bench.stats import Spread
from bench.targets import EMBEDDED, TARGETS, Target, address
from bench.writer import Entries, Writer

ENTRIES = 1_000_000
SINGLE = 500
"""Entries a round that are written one a request."""
BATCH = 1_000
_READ_BACK = 1_000
_DEVICE_ID = 1


class EntriesError(BenchError):
    """A target does not hold what was written."""


@dataclass(frozen=True)
class Share:
    """The requests of one round, and how many entries are in them."""

    single: list[bytes]
    batched: list[bytes]
    in_batches: int


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


@dataclass(frozen=True)
class Running:
    """A target that takes entries, and its memory before the first."""

    child: Child
    writer: Writer
    resident_bytes: int

    def take(self, share: Share) -> Round:
        """Write a share."""
        return Round(
            single=len(share.single) / self._seconds(share.single),
            batched=share.in_batches / self._seconds(share.batched),
        )

    def _seconds(self, requests: Sequence[bytes]) -> float:
        start = time.monotonic()
        for request in requests:
            self.writer.send(request)
        return time.monotonic() - start


def measure(plan: Plan) -> Finding:
    """Fill the tables of those devices that are targets."""
    targets = [TARGETS[device.name] for device in plan.installed if device.name in TARGETS]
    loads = fill(targets, ENTRIES, plan.rounds)
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


def fill(targets: Sequence[Target], count: int, rounds: int) -> dict[str, Load]:
    """Write `count` entries to each target, a share a round and target after target, and read some back.

    Raises:
        EntriesError: a target doesn't hold what was written.
    """
    entries = Entries.of(EXACT, random_keys(count).tolist())
    some = random.Random(1).sample(range(count), min(_READ_BACK, count))
    taken: dict[str, list[Round]] = {target.name: [] for target in targets}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        started = {one.name: stack.enter_context(ready(one, entries, directory)) for one in targets}
        for number, order in enumerate(interleaved(list(started), rounds)):
            share = encode(entries, range(number * count // rounds, (number + 1) * count // rounds))
            for name in order:
                taken[name].append(started[name].take(share))
        loads: dict[str, Load] = {}
        for name, one in started.items():
            grown = one.child.resident_bytes() - one.resident_bytes
            if missing := one.writer.missing(some):
                raise EntriesError(f"{name}: {len(missing)} of {len(some)} entries are not there")
            loads[name] = Load(taken[name], count, grown)
    return loads


@contextmanager
def ready(target: Target, entries: Entries, directory: Path) -> Generator[Running]:
    """Start a target without interfaces, with the program of the entries, for the length of a block."""
    socket = directory / f"{target.name}.sock"
    command = target.command(_DEVICE_ID, {}, socket)
    with running(target.name, command, directory) as child:
        pipeline = (EXACT.p4info, EXACT.json)
        asyncio.run(p4client.program(address(socket), _DEVICE_ID, pipeline, (), child.check))
        with Writer(address(socket), _DEVICE_ID, entries) as writer:
            yield Running(child, writer, child.resident_bytes())


def encode(entries: Entries, numbers: range) -> Share:
    """Encode some entries singly and the rest in batches; of few, half and half."""
    alone = min(SINGLE, len(numbers) // 2)
    single, rest = numbers[:alone], numbers[alone:]
    return Share(
        single=[entries.inserted(_DEVICE_ID, [number]) for number in single],
        batched=[entries.inserted(_DEVICE_ID, rest[at : at + BATCH]) for at in range(0, len(rest), BATCH)],
        in_batches=len(rest),
    )


def table(loads: Mapping[str, Load]) -> Table:
    """Return the table of medians; ratios are of the embedded switch to each."""
    own = loads.get(EMBEDDED.name)
    shown = Table(title="P4Runtime, one client: entries a second")
    shown.add_column("target")
    for heading in ("single", "embedded ÷ it", "batched", "embedded ÷ it", "held", "MB for them"):
        shown.add_column(heading, justify="right")
    for name, load in loads.items():
        rates, ours = load.per_s(), own.per_s() if own else {}
        cells = [
            cell for kind, rate in rates.items() for cell in (f"{rate:,.0f}", ratio(ours.get(kind), rate))
        ]
        shown.add_row(name, *cells, f"{load.entries:,}", f"{load.resident_bytes / 1e6:.0f}")
    return shown
