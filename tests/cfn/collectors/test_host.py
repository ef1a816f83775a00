"""This machine, measured.

One case: pytest tests/cfn/collectors/test_host.py -k energy
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import psutil
import pytest

from cfn.collectors.collector import CollectorError
from cfn.collectors.energy import EnergyCounter, find_energy
from cfn.collectors.host import InterfaceCollector, MemoryCollector, PowerCollector, StorageCollector


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_memory() -> None:
    found = {sample.metric: sample for sample in await MemoryCollector().collect()}
    assert found["memory_size"].value == psutil.virtual_memory().total
    assert 0 < found["memory_left"].value < found["memory_size"].value
    assert 0 < found["memory_utilisation"].value < 1_000_000
    assert found["compute_run_queue"].window_ms == 60_000


async def test_storage(tmp_path: Path) -> None:
    found = {sample.metric: sample.value for sample in await StorageCollector(tmp_path).collect()}
    disk = shutil.disk_usage(tmp_path)
    assert found["storage_size"] == pytest.approx(disk.used + disk.free, rel=0.01)
    assert found["storage_left"] == pytest.approx(disk.free, rel=0.01)
    assert 0 <= found["storage_utilisation"] <= 1_000_000


async def test_storage_that_is_not_there_is_told(tmp_path: Path) -> None:
    collector = StorageCollector(tmp_path / "none")
    with pytest.raises(CollectorError, match="No such file"):
        await collector.collect()
    assert collector.name.endswith("none")


async def test_the_use_of_an_interface_is_of_the_time_in_between() -> None:
    clock = Clock()
    collector = InterfaceCollector("lo", clock, rate_mbps=1e6)
    assert await collector.collect() == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(2000):
            sender.sendto(bytes(60_000), ("127.0.0.1", 9))
    clock.now += 0.01
    (sample,) = await collector.collect()
    # 0.96 Gbit in a hundredth of a second, of 1,000 Gbit/s; whatever else used it comes on top.
    assert 96_000 <= sample.value <= 1_000_000
    assert sample.window_ms == 10


@pytest.mark.parametrize(("interface", "why"), [("none0", "there is none"), ("lo", "rate_mbps is needed")])
async def test_an_interface_that_can_t_be_measured_is_told(interface: str, why: str) -> None:
    with pytest.raises(CollectorError, match=why):
        await InterfaceCollector(interface, Clock()).collect()


def package(powercap: Path, name: str, energy_uj: int) -> Path:
    there = powercap / name
    there.mkdir(parents=True, exist_ok=True)
    (there / "energy_uj").write_text(f"{energy_uj}\n")
    (there / "max_energy_range_uj").write_text("99999999\n")
    return there


async def test_power_is_energy_by_time_also_when_a_counter_starts_anew(
    tmp_path: Path,
) -> None:
    package(tmp_path, "intel-rapl:0", 99_000_000)
    package(tmp_path, "intel-rapl:0:0", 1)
    package(tmp_path, "intel-rapl:1", 0)
    counter, clock = find_energy(tmp_path), Clock()
    assert counter is not None
    collector = PowerCollector(counter, clock)
    assert await collector.collect() == []
    package(tmp_path, "intel-rapl:0", 1_000_000)
    package(tmp_path, "intel-rapl:0:0", 50_000_000)
    package(tmp_path, "intel-rapl:1", 7_000_000)
    clock.now += 0.5
    (sample,) = await collector.collect()
    assert (sample.metric, sample.value, sample.window_ms) == ("power", 18_000, 500)


async def test_energy_that_can_t_be_read_any_more_is_told(tmp_path: Path) -> None:
    collector = PowerCollector(EnergyCounter([package(tmp_path, "intel-rapl:0", 1)]), Clock())
    shutil.rmtree(tmp_path / "intel-rapl:0")
    with pytest.raises(CollectorError, match="No such file"):
        await collector.collect()


def test_a_machine_without_counters_of_energy_has_none(tmp_path: Path) -> None:
    assert find_energy(tmp_path) is None
    (package(tmp_path, "intel-rapl:0", 1) / "energy_uj").unlink()
    assert find_energy(tmp_path) is None
