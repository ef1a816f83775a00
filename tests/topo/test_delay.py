"""The delay line between two real interfaces: what goes in comes out, in order, late, or counted as lost."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from topo import delay, netns, veth
from topo.delay import LinkCounters
from topo.impairment import Impairment
from topo.veth import End

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")

ETHERTYPE = 0x88B5  # IEEE 802 local experimental


class Line:
    """A delay line between the veth ends `a` and `b`, and sockets at the far ends."""

    def __init__(self, namespace: str, impairment: Impairment, stats: Path, seed: int) -> None:
        for name in "ab":
            ends = End(namespace, name), End(namespace, f"x-{name}")
            veth.create(*ends)
            for end in ends:
                veth.raise_port(end)
        wire = impairment.delayline_wire("x-a", "x-b", seed)
        with netns.entered(namespace):
            self.process = subprocess.Popen(
                [delay.build(), "--stats", stats, "--wire", wire], stdout=subprocess.PIPE, text=True
            )
            self.a, self.b = (self._socket(name) for name in "ab")
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        self._stats = stats

    @staticmethod
    def _socket(interface: str) -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind((interface, ETHERTYPE))
        sock.settimeout(10)
        return sock

    def counters(self) -> tuple[LinkCounters, LinkCounters]:
        a_to_b, b_to_a = delay.statistics(self._stats)
        return a_to_b, b_to_a

    def close(self) -> None:
        self.a.close()
        self.b.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def line(new_namespace: Callable[[], str], tmp_path: Path) -> Callable[..., object]:
    @contextmanager
    def make(seed: int = 1, **impairment: float) -> Iterator[Line]:
        made = Line(new_namespace(), Impairment(**impairment), tmp_path / "stats", seed)  # type: ignore[arg-type]
        try:
            yield made
        finally:
            made.close()

    return make


def _frame(number: int, size: int = 60) -> bytes:
    head = bytes.fromhex("020000000002 020000000001") + ETHERTYPE.to_bytes(2) + number.to_bytes(4)
    return head.ljust(size, b"\0")


def _receive(sock: socket.socket, count: int) -> list[int]:
    return [int.from_bytes(sock.recv(2000)[14:18]) for _ in range(count)]


def test_frames_pass_both_ways_unchanged(line: Callable[..., Iterator[Line]]) -> None:
    with line(delay_ms=1) as wire:
        for source, sink in ((wire.a, wire.b), (wire.b, wire.a)):
            frame = _frame(7, 1514)
            source.send(frame)
            assert sink.recv(2000) == frame


def test_jitter_reorders_nothing_and_loses_nothing(line: Callable[..., Iterator[Line]]) -> None:
    with line(delay_ms=3, jitter_ms=3) as wire:
        for number in range(500):
            wire.a.send(_frame(number))
        assert _receive(wire.b, 500) == list(range(500))
        there, back = wire.counters()
    assert (there.received, there.sent, there.lost, there.queued) == (500, 500, 0, 0)
    assert (back.received, back.sent) == (0, 0)


def test_no_frame_is_early(line: Callable[..., Iterator[Line]]) -> None:
    with line(delay_ms=20) as wire:
        for number in range(20):
            sent = time.monotonic()
            wire.a.send(_frame(number))
            _receive(wire.b, 1)
            assert 0.020 <= time.monotonic() - sent < 2


def test_the_same_seed_loses_the_same_frames(line: Callable[..., Iterator[Line]]) -> None:
    def arrived(seed: int) -> list[int]:
        with line(seed=seed, loss=0.2) as wire:
            for number in range(1000):
                wire.a.send(_frame(number))
            lost = 0
            while (there := wire.counters()[0]).received < 1000 or there.queued:
                pass
            lost = there.lost
            assert there.sent == 1000 - lost
            return _receive(wire.b, 1000 - lost)

    first = arrived(1)
    assert first == arrived(1)
    assert first != arrived(2)
    assert 720 <= len(first) <= 880  # 800 ± 6 standard deviations


def test_the_rate_spreads_frames(line: Callable[..., Iterator[Line]]) -> None:
    with line(rate_mbps=1) as wire:  # 1,000 bytes take 8 ms
        start = time.monotonic()
        for number in range(10):
            wire.a.send(_frame(number, 1000))
        assert _receive(wire.b, 10) == list(range(10))
        assert 0.080 <= time.monotonic() - start < 5


def test_a_full_queue_drops_the_frames_that_come_last(line: Callable[..., Iterator[Line]]) -> None:
    with line(delay_ms=300, limit=5) as wire:
        for number in range(8):
            wire.a.send(_frame(number))
        assert _receive(wire.b, 5) == list(range(5))
        assert wire.counters()[0].overflow == 3


def test_it_sleeps_when_there_is_nothing_to_do(line: Callable[..., Iterator[Line]]) -> None:
    with line(delay_ms=1) as wire:
        wire.a.send(_frame(1))
        _receive(wire.b, 1)
        time.sleep(0.5)  # the length of the observation
        fields = Path(f"/proc/{wire.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    assert int(fields[11]) + int(fields[12]) <= 5  # utime, stime in ticks of 10 ms


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "usage:"),
        (["--stats"], "unexpected argument --stats"),
        (["--stats", "stats", "--wire", "a,b,1"], "--wire a,b,1: expected A,B"),
        (["--stats", "stats", "--wire", "a,b,-1,0,0,0,1,1"], "delay and jitter are"),
        (["--stats", "stats", "--wire", "a,b,1,0,1000001,0,1,1"], "loss is"),
        (["--stats", "stats", "--wire", "a,b,1,0,0,0,0,1"], "the limit is"),
        (["--stats", "stats", "--wire", "nosuch,b,1,0,0,0,1,1"], "No such device"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [delay.build(), *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert complaint in done.stderr


def test_without_a_compiler_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(delay.BuildError, match="needs a C compiler"):
        delay.build()


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    with pytest.raises(delay.BuildError, match="false failed"):
        delay.build()
