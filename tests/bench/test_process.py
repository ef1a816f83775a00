import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.process import ChildError, running

_PARENT = """
import signal, sys
from pathlib import Path
from bench.process import running
directory = Path(sys.argv[1])
with running("child", ["sh", "-c", "echo $$; echo ready; exec sleep 1000"], directory) as child:
    child.wait_output("ready")
    print((directory / "child.log").read_text().split()[0], flush=True)
    signal.pause()
"""


def test_output_of_a_child_that_is_told_to_end(tmp_path: Path) -> None:
    script = "trap 'echo counted; exit' TERM; echo ready; while :; do sleep 0.05; done"
    with running("child", ["sh", "-c", script], tmp_path) as child:
        child.wait_output("ready")
        assert child.stop().splitlines()[-1] == "counted"


@pytest.mark.parametrize(("end", "status"), [("exit 3", 3), ("kill -KILL $$", -signal.SIGKILL)])
def test_a_child_that_ended_is_told_with_its_output(tmp_path: Path, end: str, status: int) -> None:
    command = ["sh", "-c", f"echo no such interface; {end}"]
    expected = rf"child ended with status {status:d}:\nno such interface"
    with running("child", command, tmp_path) as child, pytest.raises(ChildError, match=expected):
        child.wait_output("ready")


def test_no_child_outlives_its_block(tmp_path: Path) -> None:
    with running(
        "child", ["sh", "-c", "trap '' TERM; echo $$; echo ready; exec sleep 1000"], tmp_path
    ) as child:
        child.wait_output("ready")
    process = (tmp_path / "child.log").read_text().split()[0]
    assert not Path(f"/proc/{process}").exists()


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        assert select.select([child], [], [], 30)[0]
    finally:
        os.close(child)


def test_memory_of_a_child_is_told_while_it_runs(tmp_path: Path) -> None:
    with running("child", ["sh", "-c", "echo ready; exec sleep 1000"], tmp_path) as child:
        child.wait_output("ready")
        assert 0 < child.resident_bytes() < 1 << 30
        child.kill()
        with pytest.raises(ChildError, match="child ended"):
            child.resident_bytes()


def test_a_child_runs_on_the_core_it_is_given(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    with running(
        "child", ["sh", "-c", "grep Cpus_allowed_list /proc/self/status; sleep 1000"], tmp_path, core=0
    ) as child:
        child.wait_output(f"Cpus_allowed_list:\t{core}")
