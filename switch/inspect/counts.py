"""A switch's counts: from the dataplane to the wire, and to tables for a terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from rich.table import Table

from switch.dataplane import Dataplane
from switch.proto import inspect_pb2 as pb

Rates = Mapping[int, tuple[float, float]]
"""Packets per second in and out, by port."""


def statistics(dataplane: Dataplane) -> pb.SwitchStatistics:
    """All counts of a program and its ports; of tables those that have a key."""
    told = pb.SwitchStatistics(ended=dataplane.ended(), counts_lookups=dataplane.table_stats)
    for port, stats in dataplane.port_stats().items():
        told.ports.add(port=port, **dataclasses.asdict(stats))
    for table in dataplane.shape.tables:
        if table.keys:
            counts = dataplane.table_counts(table.name)
            told.tables.add(
                name=table.name,
                size=table.size,
                has_counters=table.counters,
                **dataclasses.asdict(counts),
            )
    return told


def rates(before: pb.SwitchStatistics, now: pb.SwitchStatistics, seconds: float) -> Rates:
    """Packets per second between two looks, of the ports that both have."""
    earlier = {port.port: port for port in before.ports}
    return {
        port.port: (
            (port.rx_packets - earlier[port.port].rx_packets) / seconds,
            (port.tx_packets - earlier[port.port].tx_packets) / seconds,
        )
        for port in now.ports
        if port.port in earlier
    }


def render(now: pb.SwitchStatistics, by_port: Rates | None = None) -> Iterator[Table]:
    """Tables of ports (with rates, where there are any), of tables, and of why packets ended."""
    yield _ports(now, by_port)
    yield _tables(now)
    yield _ended(now)


def _table(title: str, *columns: str, names: int = 1) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < names else "right", no_wrap=True)
    return table


def _ports(now: pb.SwitchStatistics, by_port: Rates | None) -> Table:
    rated = () if by_port is None else ("rx/s", "tx/s")
    table = _table(
        "ports", "port", "interface", "state", *rated, "rx", "rx bytes", "dropped", "unsupported",
        "tx", "tx bytes", "dropped", names=3,
    )  # fmt: skip
    for port in now.ports:
        rate = () if by_port is None else tuple(f"{one:.0f}" for one in by_port.get(port.port, (0, 0)))
        counts = (
            port.rx_packets, port.rx_bytes, port.rx_dropped, port.rx_unsupported,
            port.tx_packets, port.tx_bytes, port.tx_dropped,
        )  # fmt: skip
        state = "up" if port.up else "down"
        table.add_row(str(port.port), port.interface, state, *rate, *map(str, counts))
    return table


def _tables(now: pb.SwitchStatistics) -> Table:
    lookups = ("hits", "misses") if now.counts_lookups else ()
    counted = any(one.has_counters for one in now.tables)
    table = _table("tables", "table", "entries", "size", *lookups, *(("counted", "bytes") if counted else ()))
    for one in now.tables:
        row = [one.entries, one.size, *((one.hits, one.misses) if lookups else ())]
        direct = (str(one.packets), str(one.bytes)) if one.has_counters else ("", "") if counted else ()
        table.add_row(one.name, *map(str, row), *direct)
    return table


def _ended(now: pb.SwitchStatistics) -> Table:
    table = _table("ended unsent", "reason", "packets")
    for reason in sorted(now.ended):
        table.add_row(reason, str(now.ended[reason]))
    return table
