"""CPU quotas by control groups: version 2 where it has the cpu controller, else version 1.

A lab has one group `cfn-LAB`, a site one group in it. Sources: Documentation/admin-guide/cgroup-v2.rst and
Documentation/scheduler/sched-bwc.rst of the Linux kernel.
"""

from __future__ import annotations

import contextlib
import errno
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PERIOD_US = 20_000
"""Period in which a site gets its quota: short, so that a throttled request waits for 20 ms, not 100."""

MIN_QUOTA_US = 1_000
"""The kernel takes no smaller quota."""


_CONTROLLER = "cpu"

OTHERS = "cfn-others"
"""Where processes wait, while a lab is up, that were in the group in which labs are made."""
_MOVES = 10


LAB_WEIGHT = 64.0
"""Weight of a lab on its machine: a site has its quota whatever else runs there."""

CORE_WEIGHT = 4.0
"""Weight of switches, controller and clients in the lab: a busy site doesn't slow the network down."""


class CgroupError(Exception):
    """This machine lets us set no CPU quotas; the text says why."""


@dataclass(frozen=True)
class CpuUse:
    """What a group has done since it was made: CPU time, periods in which it ran and was throttled."""

    used_us: int
    periods: int
    throttled_periods: int


class Hierarchy(ABC):
    """Where CPU groups are made: mounted cgroup file systems, in each of which a group has a directory."""

    def __init__(self, *roots: Path) -> None:
        self.roots = roots

    @abstractmethod
    def prepare(self, name: str) -> None:
        """Let groups inside the group `name` have CPU quotas."""

    @abstractmethod
    def release(self) -> None:
        """Undo for the machine what `prepare` did, unless another lab needs it."""

    @abstractmethod
    def set_quota(self, name: str, cores: float | None) -> None:
        """Bound the CPU time of a group to `cores`; None lifts the bound."""

    @abstractmethod
    def set_weight(self, name: str, weight: float) -> None:
        """Give a group `weight` times the CPU time of an ordinary one where they compete."""

    @abstractmethod
    def use(self, name: str) -> CpuUse:
        """Read what a group has used."""


class V2(Hierarchy):
    """The unified hierarchy."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._root = root

    def prepare(self, name: str) -> None:
        """Enable the cpu controller for the children of the root and of the group.

        In a container the root is no real one, and must not have processes next to controllers
        (cgroup-v2.rst, "No Internal Process Constraint"): they go to a group of their own meanwhile.
        """
        for group in (self._root, self._root / name):
            control = group / "cgroup.subtree_control"
            if _CONTROLLER in control.read_text().split():
                continue
            try:
                control.write_text(f"+{_CONTROLLER}")
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise CgroupError(f"cannot enable CPU quotas in {group}: {error.strerror}") from error
                others = group / OTHERS
                others.mkdir(exist_ok=True)
                _move(group, others)
                control.write_text(f"+{_CONTROLLER}")

    def release(self) -> None:
        """Bring the processes back that `prepare` moved."""
        others = self._root / OTHERS
        if not others.is_dir():
            return
        try:
            (self._root / "cgroup.subtree_control").write_text(f"-{_CONTROLLER}")
        except OSError as error:
            if error.errno == errno.EBUSY:  # another lab is up
                return
            raise
        _move(others, self._root)
        others.rmdir()

    def set_quota(self, name: str, cores: float | None) -> None:
        """Write cpu.max."""
        quota = "max" if cores is None else quota_us(cores)
        (self._root / name / "cpu.max").write_text(f"{quota} {PERIOD_US}")

    def set_weight(self, name: str, weight: float) -> None:
        """Write cpu.weight."""
        (self._root / name / "cpu.weight").write_text(str(round(100 * weight)))

    def use(self, name: str) -> CpuUse:
        """Read cpu.stat."""
        stat = _stat(self._root / name)
        return CpuUse(stat["usage_usec"], stat.get("nr_periods", 0), stat.get("nr_throttled", 0))


class V1(Hierarchy):
    """The hierarchies of the controllers cpu and cpuacct, which may be one."""

    def __init__(self, cpu: Path, cpuacct: Path) -> None:
        super().__init__(*dict.fromkeys((cpu, cpuacct)))
        self._cpu, self._cpuacct = cpu, cpuacct

    def prepare(self, name: str) -> None:
        """Nothing to do: in version 1 every group has the controller."""

    def release(self) -> None:
        """Nothing to do."""

    def set_quota(self, name: str, cores: float | None) -> None:
        """Write cpu.cfs_period_us and cpu.cfs_quota_us."""
        (self._cpu / name / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        quota = -1 if cores is None else quota_us(cores)
        (self._cpu / name / "cpu.cfs_quota_us").write_text(str(quota))

    def set_weight(self, name: str, weight: float) -> None:
        """Write cpu.shares."""
        (self._cpu / name / "cpu.shares").write_text(str(round(1024 * weight)))

    def use(self, name: str) -> CpuUse:
        """Read cpu.stat and cpuacct.usage."""
        stat = _stat(self._cpu / name)
        used_ns = int((self._cpuacct / name / "cpuacct.usage").read_text())
        return CpuUse(used_ns // 1000, stat["nr_periods"], stat["nr_throttled"])


@dataclass(frozen=True)
class Group:
    """A control group by its name, `LAB/SITE`; processes join it by writing their id to all its `members`."""

    hierarchy: Hierarchy
    name: str

    @property
    def members(self) -> tuple[Path, ...]:
        """The files that list the group's processes."""
        return tuple(root / self.name / "cgroup.procs" for root in self.hierarchy.roots)

    def set_quota(self, cores: float | None) -> None:
        """Bound the CPU time of the group to `cores`; None lifts the bound."""
        self.hierarchy.set_quota(self.name, cores)

    def use(self) -> CpuUse:
        """Read what the group has used."""
        return self.hierarchy.use(self.name)

    def set_weight(self, weight: float) -> None:
        """Give the group `weight` times the CPU time of an ordinary one where they compete."""
        self.hierarchy.set_weight(self.name, weight)


def quota_us(cores: float) -> int:
    """Return the CPU time in µs that `cores` are in one period."""
    return max(MIN_QUOTA_US, round(cores * PERIOD_US))


def find(mounts: Path = Path("/proc/self/mounts")) -> Hierarchy:
    """Find the hierarchy that can set CPU quotas here.

    Raises:
        CgroupError: there is none.
    """
    version1: dict[str, Path] = {}
    for line in mounts.read_text().splitlines():
        _, mount_point, kind, options, *_ = line.split()
        root = Path(mount_point)
        if kind == "cgroup2" and "cpu" in (root / "cgroup.controllers").read_text().split():
            return V2(root)
        if kind == "cgroup":
            version1 |= dict.fromkeys(options.split(","), root)
    if "cpu" in version1 and "cpuacct" in version1:
        return V1(version1["cpu"], version1["cpuacct"])
    raise CgroupError("no cgroup file system with the cpu controller is mounted (see `mount -t cgroup2`)")


def create(hierarchy: Hierarchy, top: str, core: str, sites: Sequence[str]) -> dict[str, Group]:
    """Make the group `top` and in it one for the `core` and one for each site, without quotas yet.

    Raises:
        CgroupError: the machine doesn't let us.
    """
    groups = {name: Group(hierarchy, f"{top}/{name}") for name in (core, *sites)}
    try:
        for root in hierarchy.roots:
            (root / top).mkdir()
        hierarchy.prepare(top)
        for group in groups.values():
            for root in hierarchy.roots:
                (root / group.name).mkdir()
        hierarchy.set_weight(top, LAB_WEIGHT)
        groups[core].set_weight(CORE_WEIGHT)
    except OSError as error:
        raise CgroupError(f"cannot make control group {error.filename}: {error.strerror}") from error
    return groups


def exists(hierarchy: Hierarchy, top: str) -> bool:
    """Tell whether there is anything of the group `top`."""
    return any((root / top).is_dir() for root in hierarchy.roots)


def members(hierarchy: Hierarchy, top: str) -> set[int]:
    """Return the ids of all processes in the group `top` and below; none when there is no such group."""
    found: set[int] = set()
    for root in hierarchy.roots:
        for path in (root / top).glob("**/cgroup.procs"):
            try:
                found |= set(map(int, path.read_text().split()))
            except OSError:  # removed meanwhile
                continue
    return found


def remove(hierarchy: Hierarchy, top: str) -> None:
    """Remove the group `top` with those in it; nothing happens when there is none.

    Raises:
        OSError: there are processes in them (EBUSY).
    """
    for root in hierarchy.roots:
        for path in sorted((root / top).glob("**/"), reverse=True):
            path.rmdir()
    hierarchy.release()


def _move(source: Path, target: Path) -> None:
    """Move all processes from one group to another, those too that are started meanwhile."""
    for _ in range(_MOVES):
        pids = (source / "cgroup.procs").read_text().split()
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                (target / "cgroup.procs").write_text(pid)


def _stat(path: Path) -> dict[str, int]:
    rows = (line.split() for line in (path / "cpu.stat").read_text().splitlines())
    return {name: int(value) for name, value in rows}
