"""Cases recorded from BMv2, for machines without it: `python -m tests.switch.recorded` records them anew.

`recorded/NAME.json.gz` holds what both switches were given and what came out of BMv2: state as in `state`,
packets and outputs in hexadecimal, cells of counters and registers.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from switch.api import Action, CounterValue, Group, Match, Member, Replica
from tests.switch import state as states
from tests.switch.bmv2 import Bmv2Error
from tests.switch.compare import Case, Cells, Subject
from tests.switch.differential import draw, own_programs
from tests.switch.state import Profile, State

FOLDER = Path(__file__).parent / "recorded"
PACKETS = 250
CASES = 20
"""That are tried until something comes out."""
SEED = "recorded"

_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Action, Group, Match, Member, Replica, states.Entry, states.DefaultAction, states.CounterCell,
        states.RegisterCell, states.MeterCell, states.CloneSession, states.MulticastGroup, states.ValueSet,
        Profile, State, CounterValue,
    )
}  # fmt: skip


def packed(value: Any) -> Any:
    """A tree of records and tuples as JSON: a record is an object of its name and a list."""
    name = type(value).__name__
    if name in _KINDS:
        return {name: [packed(getattr(value, field)) for field in type(value).__annotations__]}
    if isinstance(value, tuple):
        return [packed(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def unpacked(value: Any) -> Any:
    """The opposite of `packed`."""
    if isinstance(value, list):
        return tuple(unpacked(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        ((name, fields),) = value.items()  # pyright: ignore[reportUnknownVariableType]
        return _KINDS[name](*(unpacked(item) for item in fields))  # pyright: ignore[reportUnknownVariableType]
    return value


def record(name: str, program: bytes) -> bytes:
    """The first case drawn for a program in which something comes out, with what BMv2 makes of it.

    Raises:
        Bmv2Error: the switches differ; there is nothing to record then.
    """
    subject = Subject(program)
    for number in range(CASES):
        case = draw(subject, f"{SEED}/{name}/{number}", PACKETS)
        if not subject.ordered:
            case = subject.without_loops(case)
        here = subject.embedded(case)
        if here.sent:
            break
    outputs, told = subject.bmv2(case, list(here.cells))
    value = {
        "state": packed(case.state),
        "port": case.port,
        "packets": [packet.hex() for packet in case.packets],
        "outputs": {port: [packet.hex() for packet in packets] for port, packets in outputs.items()},
        "cells": [[cell, index, packed(value)] for (cell, index), value in told.items() if value],
    }
    return gzip.compress(json.dumps(value, separators=(",", ":")).encode(), 9, mtime=0)


def replay(name: str, program: bytes) -> tuple[dict[int, list[bytes]], dict[int, list[bytes]], Cells, Cells]:
    """Outputs by port as recorded and as they are here, and the same of cells that are not 0."""
    value = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    packets = tuple(bytes.fromhex(packet) for packet in value["packets"])
    subject = Subject(program)
    here = subject.embedded(Case(unpacked(value["state"]), packets, value["port"]))
    sent: dict[int, list[bytes]] = defaultdict(list)
    for _, port, packet in here.sent:
        sent[port].append(packet)
    wanted = {int(port): [bytes.fromhex(p) for p in some] for port, some in value["outputs"].items()}
    if not subject.ordered:
        sent, wanted = ({port: sorted(some) for port, some in side.items()} for side in (sent, wanted))
    told: Cells = {(cell, index): unpacked(count) for cell, index, count in value["cells"]}
    return wanted, dict(sent), told, {cell: value for cell, value in here.cells.items() if value}


def main() -> int:
    """Record all programs of this project."""
    FOLDER.mkdir(exist_ok=True)
    for name, program in own_programs():
        try:
            data = record(name, program)
        except Bmv2Error as error:
            print(f"{name}: {error}")
            return 1
        (FOLDER / f"{name}.json.gz").write_bytes(data)
        print(f"{name}: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
