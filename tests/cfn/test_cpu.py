"""Reading CPU quotas and use, from files laid out as the kernel does."""

import os
import time

import pytest

from cfn.cpu import SHORTEST_S, Cpu, CpuMeter, GroupV1, GroupV2, Host, find_cpu


@pytest.fixture
def machine(tmp_path):
    """Writes the files of a machine; returns its /proc/self."""

    def write(mounts: str, cgroup: str, files: dict[str, str]):
        proc = tmp_path / "proc"
        proc.mkdir()
        (proc / "mounts").write_text(mounts.replace("ROOT", str(tmp_path)))
        (proc / "cgroup").write_text(cgroup)
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return proc

    return write


def test_version_2_with_a_quota(machine, tmp_path):
    proc = machine(
        "cgroup2 ROOT/cg cgroup2 rw 0 0\n",
        "0::/lab/near\n",
        {
            "cg/lab/near/cpu.max": "50000 100000\n",
            "cg/lab/near/cpu.stat": "usage_usec 1500000\nuser_usec 1\n",
        },
    )
    cpu = find_cpu(proc)
    assert cpu == GroupV2(tmp_path / "cg/lab/near")
    assert (cpu.cores(), cpu.used_s()) == (0.5, 1.5)


def test_the_quota_of_a_group_around_ours_counts(machine, tmp_path):
    proc = machine(
        "cgroup2 ROOT/cg cgroup2 rw 0 0\n",
        "0::/lab/near\n",
        {
            "cg/lab/near/cpu.max": "max 100000\n",
            "cg/lab/cpu.max": "150000 100000\n",
            "cg/lab/cpu.stat": "usage_usec 1\n",
        },
    )
    assert find_cpu(proc) == GroupV2(tmp_path / "cg/lab")


V1_MOUNTS = "cgroup ROOT/cpu cgroup rw,cpu 0 0\ncgroup ROOT/acct cgroup rw,cpuacct 0 0\n"


def test_version_1_with_accounting(machine, tmp_path):
    proc = machine(
        V1_MOUNTS,
        "2:cpuacct:/near\n1:cpu:/near\n",
        {
            "cpu/near/cpu.cfs_quota_us": "15000\n",
            "cpu/near/cpu.cfs_period_us": "20000\n",
            "acct/near/cpuacct.usage": "2500000000\n",
        },
    )
    cpu = find_cpu(proc)
    assert cpu == GroupV1(tmp_path / "cpu/near", tmp_path / "acct/near")
    assert (cpu.cores(), cpu.used_s()) == (0.75, 2.5)


def test_version_1_without_accounting_counts_the_group_s_processes(machine, tmp_path):
    proc = machine(
        V1_MOUNTS,
        "2:cpuacct:/\n1:cpu:/near\n",
        {
            "cpu/near/cpu.cfs_quota_us": "15000\n",
            "cpu/near/cpu.cfs_period_us": "20000\n",
            "cpu/near/cgroup.procs": f"{os.getpid()}\n999999999\n",
        },
    )
    cpu = find_cpu(proc)
    assert cpu == GroupV1(tmp_path / "cpu/near", None)
    assert cpu.used_s() == pytest.approx(time.process_time(), abs=1.0)


@pytest.mark.parametrize(
    ("mounts", "cgroup", "files"),
    [
        ("", "", {}),
        (V1_MOUNTS, "1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}),
        ("cgroup2 ROOT/cg cgroup2 rw 0 0\n", "0::/\n", {}),
        ("cgroup2 ROOT/cg cgroup2 rw 0 0\n", "0::/x\n", {"cg/x/cpu.max": "nonsense\n"}),
    ],
)
def test_without_a_quota_it_is_the_host(machine, mounts, cgroup, files):
    assert find_cpu(machine(mounts, cgroup, files)) == Host()


def test_this_machine_can_be_measured():
    cpu = find_cpu()
    assert 0 < cpu.cores() < 10_000
    before = cpu.used_s()
    assert cpu.used_s() >= before > 0


class _Counted:
    used = 0.0

    def cores(self) -> float:
        return 2.0

    def used_s(self) -> float:
        return self.used


def test_utilisation_is_the_share_of_the_quota_since_the_last_time():
    source = _Counted()
    meter = CpuMeter(source, 0.0)
    source.used = 1.0
    assert meter.measure(1.0) == Cpu(2.0, 0.5, 1.0, at=1.0)
    assert meter.measure(2.0) == Cpu(2.0, 0.0, 1.0, at=2.0)
    source.used = 99.0
    assert meter.measure(3.0) == Cpu(2.0, 1.0, 1.0, at=3.0)


def test_too_short_a_time_tells_what_was_told_before():
    source = _Counted()
    meter = CpuMeter(source, 0.0)
    source.used = 1.0
    meter.measure(1.0)
    source.used = 1.0 + SHORTEST_S
    assert meter.measure(1.0 + SHORTEST_S / 2) == Cpu(2.0, 0.5, 1.0, at=1.0)
    assert meter.measure(1.0 + SHORTEST_S).utilisation == pytest.approx(0.5)
