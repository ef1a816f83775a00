import signal
from pathlib import Path

import pytest

from bench.process import ChildError, running


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


def test_a_child_runs_on_the_core_it_is_given(tmp_path: Path) -> None:
    with running(
        "child", ["sh", "-c", "grep Cpus_allowed_list /proc/self/status; sleep 1000"], tmp_path, core=0
    ) as child:
        child.wait_output("Cpus_allowed_list:\t0")
