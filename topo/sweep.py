"""Removes whatever is left of a lab, by name alone: processes, control groups, namespaces, files.

Nothing has to be remembered for that: a process of a lab runs in one of its namespaces or groups, an
interface lies in one of its namespaces, and everything else has the lab's name.
"""

from __future__ import annotations

import os
import shutil

from topo import cgroup, netns, plan, process
from topo.state import run_dir


def sweep(lab: str) -> list[str]:
    """Remove all that is left of a lab and return what that was; an empty list when nothing was left.

    Raises:
        OSError: something can't be removed.
        TimeoutError: a process doesn't end.
    """
    removed: list[str] = []
    namespaces = netns.names(plan.namespace(lab, ""))
    group = plan.group_name(lab)
    hierarchies = _hierarchies()
    identities = {netns.identity(name) for name in namespaces}
    while pids := _processes(identities, hierarchies, group):
        process.kill(pids)
        removed += [f"process {pid}" for pid in pids]
    for hierarchy in hierarchies:
        if cgroup.exists(hierarchy, group):
            cgroup.remove(hierarchy, group)
            removed.append(f"control group {group}")
    for name in namespaces:
        netns.remove(name)
        removed.append(f"namespace {name}")
    path = run_dir(lab)
    if path.is_dir():
        shutil.rmtree(path)
        removed.append(str(path))
    return removed


def _hierarchies() -> list[cgroup.Hierarchy]:
    try:
        return [cgroup.find()]
    except cgroup.CgroupError:  # then no lab has made a group
        return []


def _processes(
    identities: set[tuple[int, int]], hierarchies: list[cgroup.Hierarchy], group: str
) -> list[int]:
    found = set(netns.processes(identities))
    for hierarchy in hierarchies:
        found |= cgroup.members(hierarchy, group)
    return sorted(pid for pid in found if pid != os.getpid())
