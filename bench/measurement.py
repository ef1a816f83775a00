"""What the measurements of `bench.switch` have in common: how they are asked for and what they give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.devices import Device
from bench.workload import Workload


@dataclass(frozen=True)
class Cores:
    """The core that sends and the one that forwards; the same on a machine with only one."""

    source: int
    device: int

    @classmethod
    def pick(cls, available: Iterable[int]) -> Cores:
        """Give the device a core of its own where there are two; the source takes the first."""
        ordered = sorted(available)
        return cls(source=ordered[0], device=ordered[-1])


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often.

    Attributes:
        devices: the contenders, the embedded switch first; `installed` are those that this machine has.
        workloads: what they are given to do.
        rounds: how many times each contender of a measurement has its turn.
        cores: where source and device run.
        seconds: how long packets are counted for, in one turn.
    """

    devices: Sequence[Device]
    workloads: Sequence[Workload]
    rounds: int
    cores: Cores
    seconds: float

    @property
    def installed(self) -> list[Device]:
        """The devices that this machine has."""
        return [device for device in self.devices if device.installed()]


@dataclass(frozen=True)
class Finding:
    """What a measurement found.

    Attributes:
        figures: top-level keys of the result file, each a median or a percentile.
        rounds: what they were taken from, by contender.
        tables: for people.
    """

    figures: dict[str, Any]
    rounds: dict[str, Any]
    tables: Sequence[Table]


def ratio(value: float | None, peer: float | None) -> str:
    """Return value ÷ peer for a table, empty when there is none."""
    return f"{value / peer:.2f}" if value is not None and peer else ""
