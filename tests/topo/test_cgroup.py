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
    assert found.roots == (root,)


def test_version_1_is_taken_where_version_2_has_no_controllers(tmp_path: Path) -> None:
    root = _unified(tmp_path, "\n")
    rows = (f"{root} cgroup2 rw", "/c/acct cgroup rw,cpuacct", "/c/cpu cgroup rw,cpu")
    found = cgroup.find(_mounts(tmp_path, *rows))
    assert isinstance(found, V1)
    assert found.roots == (Path("/c/cpu"), Path("/c/acct"))


def test_version_1_may_have_both_controllers_in_one_place(tmp_path: Path) -> None:
    found = cgroup.find(_mounts(tmp_path, "/c/both cgroup rw,cpu,cpuacct"))
    assert found.roots == (Path("/c/both"),)


def test_no_controller_at_all(tmp_path: Path) -> None:
    with pytest.raises(CgroupError, match="no cgroup file system"):
        cgroup.find(_mounts(tmp_path, "/ ext4 rw"))


def test_version_2_writes_what_the_kernel_reads(tmp_path: Path) -> None:
    hierarchy = V2(tmp_path)
    group, path = Group(hierarchy, "lab/near"), tmp_path / "lab" / "near"
    path.mkdir(parents=True)
    for directory in (tmp_path, tmp_path / "lab"):
        (directory / "cgroup.subtree_control").write_text("io")
    hierarchy.prepare("lab")
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu"
    assert (tmp_path / "lab" / "cgroup.subtree_control").read_text() == "+cpu"
    assert group.members == (path / "cgroup.procs",)
    group.set_quota(0.25)
    assert (path / "cpu.max").read_text() == "5000 20000"
    group.set_quota(None)
    assert (path / "cpu.max").read_text() == "max 20000"
    group.set_weight(4)
    assert (path / "cpu.weight").read_text() == "400"
    (path / "cpu.stat").write_text("usage_usec 9\nnr_periods 3\nnr_throttled 2\nthrottled_usec 70\n")
    assert group.use() == CpuUse(used_us=9, periods=3, throttled_periods=2)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real version 2 group that stands for a container's root: three processes are in it."""
    rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    mounts = [Path(where) for _, where, kind, *_ in rows if kind == "cgroup2"]
    if not mounts or os.geteuid():
        pytest.skip("needs root and version 2 of control groups")
    controllers = (mounts[0] / "cgroup.controllers").read_text().split()
    # Any one that counts by groups and not by threads; cpu itself is version 1's on some machines.
    controller = next((each for each in ("memory", "io", "hugetlb") if each in controllers), None)
    if controller is None:
        pytest.skip("version 2 has no controller here that could stand for cpu")
    monkeypatch.setattr(cgroup, "_CONTROLLER", controller)
    enabled = controller in (mounts[0] / "cgroup.subtree_control").read_text().split()
    if not enabled:
        (mounts[0] / "cgroup.subtree_control").write_text(f"+{controller}")
    root = mounts[0] / f"cfn-test-{os.getpid()}"
    root.mkdir()
    children = [subprocess.Popen(["sleep", "60"]) for _ in range(3)]
    try:
        for child in children:
            (root / "cgroup.procs").write_text(str(child.pid))
        yield root
    finally:
        for child in children:
            child.kill()
            child.wait()
        for path in sorted(root.glob("**/"), reverse=True):
            path.rmdir()
        if not enabled:
            (mounts[0] / "cgroup.subtree_control").write_text(f"-{controller}")


def _groups_in(path: Path) -> set[str]:
    return {each.name for each in path.iterdir() if each.is_dir()}


def test_in_a_container_the_processes_of_the_root_make_room_until_the_last_lab_is_gone(
    container: Path,
) -> None:
    before = set((container / "cgroup.procs").read_text().split())
    hierarchy = V2(container)
    for lab in ("lab1", "lab2"):
        (container / lab).mkdir()
        hierarchy.prepare(lab)
        (container / lab / "near").mkdir()
    assert (container / "cgroup.procs").read_text() == ""
    with subprocess.Popen(["sleep", "60"]) as inside:
        (container / "lab1" / "near" / "cgroup.procs").write_text(str(inside.pid))
        assert cgroup.members(hierarchy, "lab1") == {inside.pid}
        inside.kill()
    cgroup.remove(hierarchy, "lab1")
    assert _groups_in(container) == {"lab2", cgroup.OTHERS}
    cgroup.remove(hierarchy, "lab2")
    assert _groups_in(container) == set()
    assert set((container / "cgroup.procs").read_text().split()) == before


@pytest.mark.parametrize(("cores", "us"), [(0.25, 5000), (0.01, 1000), (2.0, 40000)])
def test_quota(cores: float, us: int) -> None:
    assert cgroup.quota_us(cores) == us


@pytest.fixture
def group(root: None) -> Iterator[Group]:
    top = f"cfntest{os.getpid()}"
    try:
        hierarchy = cgroup.find()
        made = cgroup.create(hierarchy, top, "core", ["near"])["near"]
    except CgroupError as error:
        pytest.skip(str(error))
    yield made
    process.kill(cgroup.members(hierarchy, top))
    cgroup.remove(hierarchy, top)
    assert not cgroup.exists(hierarchy, top)
    cgroup.remove(hierarchy, top)


def _start(group: Group, script: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    join = "".join(f"echo $$ > {file}; " for file in group.members)
    started = subprocess.Popen(
        ["sh", "-c", join + "echo joined; " + script], stdin=stdin, stdout=subprocess.PIPE
    )
    assert started.stdout
    assert started.stdout.readline() == b"joined\n"
    return started


def test_a_busy_process_gets_its_quota_and_no_more(group: Group) -> None:
    group.set_quota(0.1)
    with _start(group, "while :; do :; done") as busy:
        start, before = time.monotonic(), group.use()
        while group.use().throttled_periods < before.throttled_periods + 20:
            time.sleep(0.02)
        used_s = (group.use().used_us - before.used_us) / 1e6
        share = used_s / (time.monotonic() - start)
        process.kill([busy.pid])
    assert 0 < share < 0.25  # 0.1 asked for; one core without a quota


def test_a_group_with_processes_is_not_removed(group: Group) -> None:
    top = group.name.split("/")[0]
    with _start(group, "read x", subprocess.PIPE) as sleeper:
        assert cgroup.members(group.hierarchy, top) == {sleeper.pid}
        with pytest.raises(OSError, match="busy"):
            cgroup.remove(group.hierarchy, top)
        sleeper.communicate(b"\n")
