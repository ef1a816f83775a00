"""Packets as rows of data: what goes in, and what comes out of it or why nothing does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from switch.dataplane import Dataplane
from tests.switch import bmv2

PORT = 1  # where packets come in


@dataclass(frozen=True)
class Row:
    """A packet that comes in on port 1; `reason` is the program's own word for its end, where it has one."""

    name: str
    packet: bytes
    out: tuple[tuple[int, bytes], ...] = ()
    reason: str = ""


def here(switch: Dataplane, row: Row, reasons: Callable[[], dict[str, int]]) -> None:
    """Run a row in memory; `reasons` gives what was counted, which must grow by the row's reason alone."""
    before = reasons()
    out = switch.inject(PORT, row.packet)
    after = reasons()
    shown = [(port, packet.hex()) for port, packet in out]
    assert shown == [(port, packet.hex()) for port, packet in row.out]
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == ({row.reason: 1} if row.reason else {})


def there(program_json: bytes, commands: Sequence[str], rows: Sequence[Row]) -> None:
    """Run all rows through BMv2, one after the other."""
    expected: dict[int, list[str]] = {port: [] for port in bmv2.PORTS}
    for row in rows:
        for port, packet in row.out:
            expected[port].append(packet.hex())
    with bmv2.Bmv2(program_json, PORT) as reference:
        if commands:
            reference.cli(commands)
        reference.send([row.packet for row in rows])
        outputs = reference.outputs()
    found = {port: [packet.hex() for packet in outputs.get(port, [])] for port in bmv2.PORTS}
    assert found == expected
