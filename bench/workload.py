"""What the devices are given to do: a P4 program with its entries, and the frames sent through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import finsy as fy

IN_PORT = 1
OUT_PORT = 2
"""Every device has two ports: frames come in on the first and leave by the second."""


@dataclass(frozen=True)
class Workload:
    """One P4 program at work.

    Attributes:
        name: key of its results.
        p4info: P4Info of the program.
        p4blob: BMv2 JSON of the program.
        entries: what makes the program forward the frames from IN_PORT to OUT_PORT.
        frames: Ethernet frames of one length, each of another flow.
        router_mac: destination MAC of all frames.
        destination: destination address of all frames.
        fault: says what is wrong with a frame that came out for one that went in, None when nothing is.
        outlet: says where a frame that came out is bound for.
        outlets: where all frames together must have been bound for.
    """

    name: str
    p4info: Path
    p4blob: Path
    entries: tuple[fy.P4TableEntry, ...]
    frames: tuple[bytes, ...]
    router_mac: str
    destination: IPv4Address
    fault: Callable[[bytes, bytes], str | None]
    outlet: Callable[[bytes], str]
    outlets: frozenset[str]

    @property
    def frame_length(self) -> int:
        """Bytes of each frame."""
        return len(self.frames[0])
