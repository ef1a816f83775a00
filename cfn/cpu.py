"""A site's CPU: how much it has, and how much of that is in use.

By the control group of this process where a quota is set (cgroup v2: `cpu.max` and `cpu.stat`; v1:
`cpu.cfs_quota_us` and `cpuacct.usage`; see Documentation/admin-guide/cgroup-v2.rst and
Documentation/scheduler/sched-bwc.rst of the Linux kernel), otherwise by the whole host.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

SHORTEST_S = 0.25
"""A utilisation over less than a few of the periods that quotas are given out in (100 ms) is mostly grain."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """What there is of CPU time, and how much of it is in use.

    Attributes:
        cores: what there is, in cores.
        utilisation: share of it in use, 0–1.
        window_s: over which time; 0 when it was not measured yet.
        at: when that time ended, by the meter's clock.
    """

    cores: float
    utilisation: float = 0.0
    window_s: float = 0.0
    at: float = -math.inf


class CpuSource(Protocol):
    """Where CPU time is counted."""

    def cores(self) -> float:
        """The CPU time that there is, in cores."""
        ...

    def used_s(self) -> float:
        """CPU time used so far, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class GroupV2:
    """A control group of version 2."""

    path: Path

    def cores(self) -> float:
        """See `CpuSource.cores`; infinite without a quota."""
        quota, period = (self.path / "cpu.max").read_text().split()
        return float("inf") if quota == "max" else int(quota) / int(period)

    def used_s(self) -> float:
        """See `CpuSource.used_s`."""
        rows = (line.split() for line in (self.path / "cpu.stat").read_text().splitlines())
        return next(int(value) for name, value in rows if name == "usage_usec") / 1e6


@dataclass(frozen=True, slots=True)
class GroupV1:
    """A control group of version 1.

    Attributes:
        cpu: its directory in the cpu hierarchy.
        cpuacct: the group of the same processes in the cpuacct hierarchy, None where that groups differently.
    """

    cpu: Path
    cpuacct: Path | None

    def cores(self) -> float:
        """See `CpuSource.cores`; infinite without a quota."""
        quota = int((self.cpu / "cpu.cfs_quota_us").read_text())
        period = int((self.cpu / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else float("inf")

    def used_s(self) -> float:
        """See `CpuSource.used_s`; without accounting, the time of the processes that are in the group now."""
        if self.cpuacct:
            return int((self.cpuacct / "cpuacct.usage").read_text()) / 1e9
        members = {pid for file in self.cpu.rglob("cgroup.procs") for pid in file.read_text().split()}
        return sum(map(_process_s, members))


@dataclass(frozen=True, slots=True)
class Host:
    """The whole machine."""

    def cores(self) -> float:
        """See `CpuSource.cores`."""
        return float(os.cpu_count() or 1)

    def used_s(self) -> float:
        """See `CpuSource.used_s`."""
        times = psutil.cpu_times()
        return times.user + times.nice + times.system + times.irq + times.softirq + times.steal


def find_cpu(proc: Path = Path("/proc/self")) -> CpuSource:
    """The nearest control group around this process that has a quota; the host when there is none."""
    for group in _groups(proc):
        try:
            if group.cores() < float("inf"):
                group.used_s()
                return group
        except (OSError, ValueError, StopIteration):
            continue
    return Host()


class CpuMeter:
    """Utilisation of a CPU source between measurements."""

    def __init__(self, source: CpuSource, now: float) -> None:
        self._source = source
        self._at = now
        self._used_s = source.used_s()
        self._utilisation = 0.0
        self._window_s = 0.0

    def measure(self, now: float) -> Cpu:
        """What there is now, and its utilisation since the last measurement (but see `SHORTEST_S`)."""
        cores = self._source.cores()
        if now - self._at >= SHORTEST_S:
            used_s = self._source.used_s()
            self._utilisation = min(1.0, max(0.0, (used_s - self._used_s) / ((now - self._at) * cores)))
            self._at, self._used_s, self._window_s = now, used_s, now - self._at
        if not self._window_s:
            return Cpu(cores)
        return Cpu(cores, self._utilisation, self._window_s, self._at)


def _process_s(pid: str) -> float:
    try:
        times = psutil.Process(int(pid)).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _groups(proc: Path) -> Iterator[CpuSource]:
    """This process's control groups that count CPU, innermost first."""
    mounts = _mounts(proc)
    paths: dict[str, str] = {}
    for line in (proc / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    if "cpu" in mounts and "cpu" in paths:
        accounted = "cpuacct" in mounts and paths.get("cpuacct") == paths["cpu"]
        for path in _upwards(mounts["cpu"], paths["cpu"]):
            inside = path.relative_to(mounts["cpu"])
            yield GroupV1(path, mounts["cpuacct"] / inside if accounted else None)
    if "" in mounts and "" in paths:
        for path in _upwards(mounts[""], paths[""]):
            yield GroupV2(path)


def _mounts(proc: Path) -> dict[str, Path]:
    """Mount points by controller of version 1; under the empty name that of version 2."""
    found: dict[str, Path] = {}
    for line in (proc / "mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("", Path(where))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, Path(where))
    return found


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """The group's directory and those around it, up to the root."""
    group = root / path.lstrip("/")
    while True:
        yield group
        if group == root:
            return
        group = group.parent
