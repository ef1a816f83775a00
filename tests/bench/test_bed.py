import os
import signal
import subprocess
import sys

import pytest

from bench import bed
from bench.lane import first_out
from topo import netns

pytestmark = [pytest.mark.netns, pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")]

_HOLD = """
import signal
from bench import bed
from bench.lane import first_out
with bed.laid("a", "b") as laid:
    laid.join(("a", "x"), ("b", "y"), (None, None))
    print("ready", flush=True)
    signal.pause()
"""


def _names_of(process: int) -> list[str]:
    return [name for name in netns.names() if bed.owner(name) == process]


def _held() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_namespaces_are_there_for_the_block_only() -> None:
    with bed.laid("a", "b") as laid:
        assert _names_of(os.getpid()) == sorted([laid["a"], laid["b"]])
    assert not _names_of(os.getpid())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_namespaces_go_when_the_benchmark_is_interrupted(number: signal.Signals) -> None:
    with _held() as process:
        assert len(_names_of(process.pid)) == 2
        process.send_signal(number)
        process.wait(30)
        assert not _names_of(process.pid)


def test_the_next_benchmark_removes_what_a_killed_one_left() -> None:
    with _held() as process:
        process.kill()
        process.wait(30)
        assert len(_names_of(process.pid)) == 2
        with bed.laid("a"):
            assert not _names_of(process.pid)


def test_a_pair_carries_the_very_first_frame() -> None:
    frame = bytes.fromhex("020000000001" + "020000000002" + "88b5") + bytes(50)  # IEEE 802 local experimental
    with bed.laid("a", "b") as laid:
        for number in range(5):
            ends = (laid["a"], f"x{number}"), (laid["b"], f"y{number}")
            laid.join(("a", f"x{number}"), ("b", f"y{number}"), (None, None))
            assert first_out(*ends, frame, timeout_s=5.0) == frame


@pytest.mark.parametrize("name", ["cfn-demo-core", "cfnbench", "cfnbench-x-a", "other-12-a"])
def test_other_namespaces_are_nobody_s_leftovers(name: str) -> None:
    assert bed.owner(name) is None
