"""What the devices are given to do: a P4 program with its entries, and the frames sent through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import finsy as fy

IN_PORT = 1
OUT_PORT = 2
"""Every device has two ports: frames come in on the first and leave by the second."""


@dataclass(frozen=True)
class Marks:
    """Offsets in a frame over UDP where a number and a time may be put, and of the UDP checksum over them."""

    number: int
    stamp: int
    checksum: int

    @property
    def fields(self) -> tuple[str, str]:
        """Number and stamp as native/record.c takes them."""
        return str(self.number), str(self.stamp)

    @property
    def all_fields(self) -> tuple[str, str, str]:
        """All three as native/pace.c takes them."""
        return *self.fields, str(self.checksum)


@dataclass(frozen=True)
class Workload:
    """One P4 program at work.

    Attributes:
        name: key of its results.
        p4info: P4Info of the program.
        p4blob: BMv2 JSON of the program.
        entries: what makes the program forward the frames from IN_PORT to OUT_PORT.
        frames: Ethernet frames of one length, each of another flow.
        marks: where frames have room for a number and a time, which no device looks at.
        router_mac: destination MAC of all frames.
        routes: destinations of all frames, for a device that knows nothing but routes.
        fault: says what is wrong with a frame that came out for one that went in, None when nothing is.
        outlet: says where a frame that came out is bound for.
        outlets: where all frames together must have been bound for.
    """

    name: str
    p4info: Path
    p4blob: Path
    entries: tuple[fy.P4TableEntry, ...]
    frames: tuple[bytes, ...]
    marks: Marks
    router_mac: str
    routes: tuple[IPv4Network, ...]
    fault: Callable[[bytes, bytes], str | None]
    outlet: Callable[[bytes], str]
    outlets: frozenset[str]

    @property
    def frame_length(self) -> int:
        """Bytes of each frame."""
        return len(self.frames[0])
