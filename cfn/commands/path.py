"""The way of a packet through the network, as its TRACE has it, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cfn.extension_bodies import Trace, TraceRecord

_ON_THE_WAY_BACK = "RESPON"
"""How the names of outcomes of responses begin."""


def print_path(console: Console, trace: Trace, names: Mapping[int, str]) -> None:
    """A row per record, the oldest first: requests' routers with → and responses' with ←.

    Routers' clocks are not in step, so a row's `after` is the time since the same router's first record.

    Args:
        console: where to print.
        trace: what the routers recorded.
        names: of outcomes, by number; what has none is shown as the number, and without an arrow.
    """
    if not trace.records and not trace.missed:
        console.print("no router on the way left a record")
        return
    table = Table(box=None, header_style="bold")
    for name in ("", "way", "router", "outcome", "site", "instance", "after", "queue", "residence"):
        table.add_column(name, justify="left" if name in {"way", "outcome"} else "right", no_wrap=True)
    first: dict[int, int] = {}
    for number, record in enumerate(reversed(trace.records), start=1):
        name = names.get(record.outcome)
        table.add_row(
            str(number),
            _arrow(name),
            str(record.router),
            Text(name or str(record.outcome)),
            str(record.site or "–"),
            str(record.instance or "–"),
            _duration(record, first.setdefault(record.router, record.time_us)),
            str(record.queue),
            f"{record.residence_us} µs",
        )
    console.print(table)
    if trace.missed:
        console.print(f"{trace.missed} more had no room for a record")


def path_record(trace: Trace, names: Mapping[int, str]) -> dict[str, Any]:
    """The same as data: the records, the oldest first, and how many are missing."""
    records = [
        asdict(record) | {"outcome": names.get(record.outcome, record.outcome)}
        for record in reversed(trace.records)
    ]
    return {"records": records, "missed": trace.missed}


def _arrow(name: str | None) -> str:
    if name is None:
        return ""
    return "←" if name.startswith(_ON_THE_WAY_BACK) else "→"


def _duration(record: TraceRecord, since_us: int) -> str:
    microseconds = (record.time_us - since_us) & 0xFFFFFFFF
    return f"{microseconds / 1000:.3f} ms" if microseconds else ""
