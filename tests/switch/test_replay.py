"""Ports on pcap files: in which order they are read, and what is written."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch.device import Device
from switch.replay import Replay
from tests.switch.harness import PROGRAMS, captured, program
from tests.switch.orders import FORWARD, ORDER, order
from tests.switch.p4rt.test_main import switch as running_switch
from tests.switch.test_captures import MICRO, NANO, Timed, pcap

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60


def recorded(packets: list[Timed], magic: int = MICRO, endian: str = "<") -> bytes:
    """A pcap file of orders."""
    return pcap([(time, order(FORWARD, payload)) for time, payload in packets], magic, endian)


def written(path: Path) -> list[bytes]:
    """The payloads of a file that a port wrote."""
    return [packet[ORDER.size :] for packet in captured(path)]


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device({})
    yield device
    device.close()


def replay(device: Device, directory: Path, files: dict[int, bytes]) -> list[bytes]:
    """Give port N the file; returns the payloads that left on port 1, in their order."""
    for port, content in files.items():
        (directory / f"p{port}_in.pcap").write_bytes(content)
    replay = Replay(device, {port: str(directory / f"p{port}") for port in files}, 0)
    device.run(device.build(program("copies")))
    replay.run()
    return written(directory / "p1_out.pcap")


def test_packets_come_in_order_of_time_over_all_ports(device: Device, tmp_path: Path) -> None:
    files = {
        1: recorded([(1_000_000_000, b"1"), (4_000_000_000, b"4"), (4_000_000_000, b"5")], endian=">"),
        2: recorded([(2_000_000_001, b"2"), (2_000_000_002, b"3"), (5_000_000_000, b"7")], NANO),
        3: recorded([]),
        4: recorded([(4_000_000_000, b"6")]),
    }
    assert replay(device, tmp_path, files) == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]
    assert written(tmp_path / "p2_out.pcap") == []
    stats = device.port_stats()
    assert [stats[port].rx_packets for port in files] == [3, 3, 0, 1]
    assert stats[1].tx_packets == 7


def test_files_of_before_are_replaced(device: Device, tmp_path: Path) -> None:
    (tmp_path / "p1_out.pcap").write_bytes(b"old")
    assert replay(device, tmp_path, {1: recorded([(0, b"new")])}) == [b"new"]


def test_files_outlive_the_program(device: Device, tmp_path: Path) -> None:
    assert replay(device, tmp_path, {1: recorded([(0, b"old program")])}) == [b"old program"]
    device.run(device.build(program("copies")))
    device.receive(1, order(FORWARD, b"new program"))
    device.flush()
    assert written(tmp_path / "p1_out.pcap") == [b"old program", b"new program"]


WHOLE = recorded([(0, b"first"), (1, b"second")])


def test_a_run_that_is_stopped_ends_early(device: Device, tmp_path: Path) -> None:
    (tmp_path / "p1_in.pcap").write_bytes(WHOLE)
    waiting = Replay(device, {1: str(tmp_path / "p1")}, 3600)
    waiting.stop()
    assert waiting.run() == 0


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "switch", "--grpc-server-addr", "127.0.0.1:0", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_a_trace_is_run_through_a_program(tmp_path: Path) -> None:
    (tmp_path / "a_in.pcap").write_bytes(recorded([(0, b"first")]))
    (tmp_path / "b_in.pcap").write_bytes(recorded([(1000, b"second")]))
    done = run(
        "--use-files", "0", "--exit-at-end", "-i", f"1@{tmp_path}/a", "-i", f"2@{tmp_path}/b",
        "--pcap", str(tmp_path / "seen"), str(PROGRAMS / "copies.json"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 packets read" in done.stderr
    assert written(tmp_path / "a_out.pcap") == [b"first", b"second"]
    assert written(tmp_path / "seen" / "b_in.pcap") == [b"second"]


def test_without_an_end_the_switch_serves_on(tmp_path: Path) -> None:
    (tmp_path / "a_in.pcap").write_bytes(WHOLE)
    files = ["--use-files", "0", "-i", f"1@{tmp_path}/a"]
    place = f"unix:{tmp_path}/switch.sock"
    with running_switch("--grpc-server-addr", place, *files, str(PROGRAMS / "copies.json")) as process:
        assert process.stderr is not None
        assert any("2 packets read" in line for line in process.stderr)
        assert written(tmp_path / "a_out.pcap") == [b"first", b"second"]
        assert process.poll() is None
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0


def test_files_that_fail_end_the_switch(tmp_path: Path) -> None:
    missing = run("--no-p4", "--use-files", "0", "-i", f"1@{tmp_path}/a")
    assert (missing.returncode, missing.stderr) == (
        1,
        f"switch: {tmp_path}/a_in.pcap: No such file or directory\n",
    )
    (tmp_path / "a_in.pcap").write_bytes(WHOLE[:-1])
    broken = run("-L", "off", "--use-files", "0", "-i", f"1@{tmp_path}/a", str(PROGRAMS / "copies.json"))
    assert broken.returncode == 1
    assert broken.stderr == f"switch: {tmp_path}/a_in.pcap: the file ends within packet 2\n"
