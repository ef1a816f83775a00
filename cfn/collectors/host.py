"""The host's memory, storage, load, network and electric power (psutil, and counters of the Linux kernel).

The CPU is not among them: `cfn.cpu` measures it by the quota that the site has. Rates are of the time between
two collections, so that the first one has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from cfn.collectors.collector import CollectorError
from cfn.collectors.energy import EnergyCounter
from cfn.metrics.sample import Sample, Statistic, whole

_PPM = 1_000_000
_MINUTE_MS = 60_000
Clock = Callable[[], float]
"""Seconds, monotonic."""


class MemoryCollector:
    """Memory, and how many processes want a core."""

    name = "memory"

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`."""
        memory = psutil.virtual_memory()
        each_core = os.getloadavg()[0] / (os.cpu_count() or 1)
        return [
            *_current(
                memory_size=memory.total,
                memory_left=memory.available,
                memory_utilisation=whole((memory.total - memory.available) / memory.total * _PPM),
            ),
            Sample("compute_run_queue", whole(each_core * 1000), _MINUTE_MS),
        ]


class StorageCollector:
    """The file system that a path is on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"storage {path}"

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`."""
        try:
            disk = psutil.disk_usage(str(self._path))
        except OSError as error:
            raise CollectorError(error.strerror or str(error)) from None
        size = disk.used + disk.free
        used = whole(disk.used / size * _PPM) if size else 0
        return _current(storage_size=size, storage_left=disk.free, storage_utilisation=used)


class InterfaceCollector:
    """A network interface: the share of its rate that is in use, the busier way."""

    def __init__(self, interface: str, clock: Clock, rate_mbps: float | None = None) -> None:
        """`rate_mbps` is for an interface that does not tell its own, such as a virtual one."""
        self._interface = interface
        self._clock = clock
        self._rate_mbps = rate_mbps
        self._before: tuple[float, int, int] | None = None
        self.name = f"interface {interface}"

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`."""
        counted = psutil.net_io_counters(pernic=True).get(self._interface)
        found = psutil.net_if_stats().get(self._interface)
        if counted is None or found is None:
            raise CollectorError("there is none")
        rate_mbps = self._rate_mbps or found.speed
        if not rate_mbps:
            raise CollectorError("does not tell its rate: rate_mbps is needed")
        now, before = self._clock(), self._before
        self._before = now, counted.bytes_sent, counted.bytes_recv
        if before is None or now <= before[0]:
            return []
        busier = max(counted.bytes_sent - before[1], counted.bytes_recv - before[2])
        share = 8 * busier / (now - before[0]) / (rate_mbps * 1e6)
        return [Sample("network_utilisation", min(_PPM, whole(share * _PPM)), _window_ms(now - before[0]))]


class PowerCollector:
    """Electric power of the processors."""

    name = "energy counters"

    def __init__(self, energy: EnergyCounter, clock: Clock) -> None:
        self._energy = energy
        self._clock = clock
        self._before: tuple[float, float] | None = None

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`."""
        before = self._before
        try:
            now, joules = self._before = self._clock(), self._energy.joules()
        except (OSError, ValueError) as error:
            raise CollectorError(str(error)) from None
        if before is None or now <= before[0]:
            return []
        watts = (joules - before[1]) / (now - before[0])
        return [Sample("power", whole(watts * 1000), _window_ms(now - before[0]))]


def _current(**values: int) -> list[Sample]:
    return [Sample(name, value, 1, Statistic.CURRENT) for name, value in values.items()]


def _window_ms(span_s: float) -> int:
    return max(1, whole(span_s * 1000))
