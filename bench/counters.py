"""The kernel's counters of an interface, as /proc/net/dev tells them (proc(5))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from topo import netns

_COLUMNS = 16


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """Frames that an interface received and sent since it was made, and those dropped when sent."""

    rx_packets: int
    tx_packets: int
    tx_dropped: int


def parse(text: str) -> dict[str, InterfaceCounters]:
    """Read the text of /proc/net/dev.

    Raises:
        ValueError: a line does not have the 16 columns of proc(5).
    """
    found: dict[str, InterfaceCounters] = {}
    for line in text.splitlines()[2:]:  # two lines of headings
        name, colon, rest = line.partition(":")
        columns = rest.split()
        if not colon or len(columns) != _COLUMNS:
            raise ValueError(f"/proc/net/dev: {line!r} has not {_COLUMNS} columns after a name")
        values = [int(column) for column in columns]
        found[name.strip()] = InterfaceCounters(
            rx_packets=values[1], tx_packets=values[9], tx_dropped=values[11]
        )
    return found


def read(namespace: str, interface: str) -> InterfaceCounters:
    """Read the counters of an interface in a namespace.

    Raises:
        KeyError: the namespace has no such interface.
    """
    with netns.entered(namespace):
        text = Path("/proc/thread-self/net/dev").read_text()
    return parse(text)[interface]
