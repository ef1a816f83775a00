from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from topo import cgroup, process
from topo.cgroup import V1, V2, CgroupError, CpuUse, Group


def _mounts(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "mounts"
    path.write_text("".join(f"x {row} 0 0\n" for row in rows))
    return path


def _unified(tmp_path: Path, controllers: str) -> Path:
    root = tmp_path / "unified"
    root.mkdir()
    (root / "cgroup.controllers").write_text(controllers)
    return root


def test_version_2_is_taken_where_it_has_the_controller(tmp_path: Path) -> None:
    root = _unified(tmp_path, "cpuset cpu io\n")
    found = cgroup.find(_mounts(tmp_path, "/ ext4 rw", f"{root} cgroup2 rw"))
    assert isinstance(found, V2)
    assert found.root == root


def test_version_1_is_taken_where_version_2_has_no_controllers(tmp_path: Path) -> None:
    root = _unified(tmp_path, "\n")
    rows = (f"{root} cgroup2 rw", "/c/acct cgroup rw,cpuacct", "/c/cpu cgroup rw,cpu")
    found = cgroup.find(_mounts(tmp_path, *rows))
    assert isinstance(found, V1)
    assert found.root == Path("/c/cpu")


def test_no_controller_at_all(tmp_path: Path) -> None:
    with pytest.raises(CgroupError, match="no cgroup file system"):
        cgroup.find(_mounts(tmp_path, "/ ext4 rw"))


def test_version_2_writes_what_the_kernel_reads(tmp_path: Path) -> None:
    hierarchy = V2(tmp_path)
    group = Group(hierarchy, tmp_path / "near")
    for path in (tmp_path, group.path):
        path.mkdir(exist_ok=True)
        (path / "cgroup.subtree_control").write_text("io")
    hierarchy.prepare(group.path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu"
    assert (group.path / "cgroup.subtree_control").read_text() == "+cpu"
    group.set_quota(0.25)
    assert (group.path / "cpu.max").read_text() == "5000 20000"
    group.set_quota(None)
    assert (group.path / "cpu.max").read_text() == "max 20000"
    (group.path / "cpu.stat").write_text("usage_usec 9\nnr_periods 3\nnr_throttled 2\nthrottled_usec 70\n")
    assert group.use() == CpuUse(periods=3, throttled_periods=2, throttled_us=70)


@pytest.mark.parametrize(("cores", "us"), [(0.25, 5000), (0.01, 1000), (2.0, 40000)])
def test_quota(cores: float, us: int) -> None:
    assert cgroup.quota_us(cores) == us


@pytest.fixture
def group(root: None) -> Iterator[Group]:
    try:
        hierarchy = cgroup.find()
        name = f"cfntest{os.getpid()}"
        made = cgroup.create(hierarchy, name, ["near"])["near"]
    except CgroupError as error:
        pytest.skip(str(error))
    yield made
    process.kill(cgroup.members(hierarchy, name))
    cgroup.remove(hierarchy, name)
    assert not made.path.exists()
    cgroup.remove(hierarchy, name)


def test_a_busy_process_gets_its_quota_and_no_more(group: Group) -> None:
    group.set_quota(0.1)
    with subprocess.Popen(
        ["sh", "-c", f"echo $$ > {group.members}; while :; do :; done"], start_new_session=True
    ) as busy:
        while busy.pid not in cgroup.members(group.hierarchy, group.path.parent.name):
            time.sleep(0.01)
        start = time.monotonic(), _cpu_s(busy.pid)
        while group.use().throttled_periods < 20:
            time.sleep(0.02)
        wall, used = time.monotonic() - start[0], _cpu_s(busy.pid) - start[1]
        process.kill([busy.pid])
    assert used / wall < 0.25  # 0.1 asked for; one core without a quota


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_group_with_processes_is_not_removed(group: Group) -> None:
    with subprocess.Popen(
        ["sh", "-c", f"echo $$ > {group.members}; read x"], stdin=subprocess.PIPE
    ) as sleeper:
        while not cgroup.members(group.hierarchy, group.path.parent.name):
            time.sleep(0.01)
        with pytest.raises(OSError, match="busy"):
            cgroup.remove(group.hierarchy, group.path.parent.name)
        sleeper.communicate(b"\n")
