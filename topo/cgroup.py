"""CPU quotas by control groups: version 2 where it has the cpu controller, else version 1.

A lab has one group `cfn-LAB`, a site one group in it. Sources: Documentation/admin-guide/cgroup-v2.rst and
Documentation/scheduler/sched-bwc.rst of the Linux kernel.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PERIOD_US = 20_000
"""Period in which a site gets its quota: short, so that a throttled request waits for 20 ms, not 100."""

MIN_QUOTA_US = 1_000
"""The kernel takes no smaller quota."""


_NO_PROCESSES = (
    "; it has processes of its own, which version 2 doesn't allow next to controllers: move them into a child"
    " group (cgroup-v2.rst, 'No Internal Process Constraint')"
)


class CgroupError(Exception):
    """This machine lets us set no CPU quotas; the text says why."""


@dataclass(frozen=True)
class CpuUse:
    """What a group has done since it was made: periods in which it ran, those in which it was throttled."""

    periods: int
    throttled_periods: int
    throttled_us: int


class Hierarchy(ABC):
    """Where CPU groups are made: a mounted cgroup file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def prepare(self, path: Path) -> None:
        """Let groups inside the group at `path` have CPU quotas."""

    @abstractmethod
    def set_quota(self, path: Path, cores: float | None) -> None:
        """Bound the CPU time of a group to `cores`; None lifts the bound."""

    @abstractmethod
    def use(self, path: Path) -> CpuUse:
        """Read what a group has used."""


class V2(Hierarchy):
    """The unified hierarchy."""

    def prepare(self, path: Path) -> None:
        """Enable the cpu controller for the children of `path` and of the root."""
        for group in (self.root, path):
            if "cpu" in (group / "cgroup.subtree_control").read_text().split():
                continue
            try:
                (group / "cgroup.subtree_control").write_text("+cpu")
            except OSError as error:
                hint = _NO_PROCESSES if error.errno == errno.EBUSY else ""
                raise CgroupError(f"cannot enable CPU quotas in {group}: {error.strerror}{hint}") from error

    def set_quota(self, path: Path, cores: float | None) -> None:
        """Write cpu.max."""
        quota = "max" if cores is None else quota_us(cores)
        (path / "cpu.max").write_text(f"{quota} {PERIOD_US}")

    def use(self, path: Path) -> CpuUse:
        """Read cpu.stat."""
        stat = _stat(path)
        return CpuUse(stat.get("nr_periods", 0), stat.get("nr_throttled", 0), stat.get("throttled_usec", 0))


class V1(Hierarchy):
    """The cpu controller's own hierarchy."""

    def prepare(self, path: Path) -> None:
        """Nothing to do: in version 1 every group has the controller."""

    def set_quota(self, path: Path, cores: float | None) -> None:
        """Write cpu.cfs_period_us and cpu.cfs_quota_us."""
        (path / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (path / "cpu.cfs_quota_us").write_text("-1" if cores is None else str(quota_us(cores)))

    def use(self, path: Path) -> CpuUse:
        """Read cpu.stat."""
        stat = _stat(path)
        return CpuUse(
            stat.get("nr_periods", 0), stat.get("nr_throttled", 0), stat.get("throttled_time", 0) // 1000
        )


@dataclass(frozen=True)
class Group:
    """A control group of the lab; processes join it by writing their id to `members`."""

    hierarchy: Hierarchy
    path: Path

    @property
    def members(self) -> Path:
        """The file that lists the group's processes."""
        return self.path / "cgroup.procs"

    def set_quota(self, cores: float | None) -> None:
        """Bound the CPU time of the group to `cores`; None lifts the bound."""
        self.hierarchy.set_quota(self.path, cores)

    def use(self) -> CpuUse:
        """Read what the group has used."""
        return self.hierarchy.use(self.path)


def quota_us(cores: float) -> int:
    """Return the CPU time in µs that `cores` are in one period."""
    return max(MIN_QUOTA_US, round(cores * PERIOD_US))


def find(mounts: Path = Path("/proc/self/mounts")) -> Hierarchy:
    """Find the hierarchy that can set CPU quotas here.

    Raises:
        CgroupError: there is none.
    """
    rows = [line.split() for line in mounts.read_text().splitlines()]
    for _, mount_point, kind, options, *_ in rows:
        root = Path(mount_point)
        if kind == "cgroup2" and "cpu" in (root / "cgroup.controllers").read_text().split():
            return V2(root)
        if kind == "cgroup" and "cpu" in options.split(","):
            return V1(root)
    raise CgroupError("no cgroup file system with the cpu controller is mounted (see `mount -t cgroup2`)")


def create(hierarchy: Hierarchy, lab: str, sites: Sequence[str]) -> dict[str, Group]:
    """Make a lab's groups, without quotas yet.

    Raises:
        CgroupError: the machine doesn't let us.
    """
    top = hierarchy.root / lab
    try:
        top.mkdir()
        hierarchy.prepare(top)
        groups = {site: Group(hierarchy, top / site) for site in sites}
        for group in groups.values():
            group.path.mkdir()
    except OSError as error:
        raise CgroupError(f"cannot make control group {error.filename}: {error.strerror}") from error
    return groups


def members(hierarchy: Hierarchy, lab: str) -> list[int]:
    """List the ids of all processes in a lab's groups; none when it has no groups."""
    found: list[int] = []
    for path in (hierarchy.root / lab).glob("**/cgroup.procs"):
        try:
            found += map(int, path.read_text().split())
        except OSError:  # removed meanwhile
            continue
    return found


def remove(hierarchy: Hierarchy, lab: str) -> None:
    """Remove a lab's groups; nothing happens when there are none.

    Raises:
        OSError: there are processes in them (EBUSY).
    """
    top = hierarchy.root / lab
    if not top.is_dir():
        return
    for path in sorted((p for p in top.glob("**/") if p != top), reverse=True):
        path.rmdir()
    top.rmdir()


def _stat(path: Path) -> dict[str, int]:
    rows = (line.split() for line in (path / "cpu.stat").read_text().splitlines())
    return {name: int(value) for name, value in rows}
