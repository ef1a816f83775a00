"""A lab comes up, answers, goes down, and leaves nothing behind, whoever of it is killed and when."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control import status_socket
from topo import cgroup, front, lock, netns, plan, targets
from topo.state import RunDir

pytestmark = pytest.mark.usefixtures("root")

LAB = Path(front.__file__).parent / "labs" / "smallest.yaml"


@pytest.fixture
def lab_file(tmp_path: Path) -> Path:
    """The smallest lab under a name of this test run."""
    path = tmp_path / "lab.yaml"
    path.write_text(LAB.read_text().replace("name: smallest", f"name: t{os.getpid()}"))
    return path


@pytest.fixture
def name(lab_file: Path) -> Iterator[str]:
    name = plan.load(lab_file).name
    yield name
    front.down(name)
    assert left_of(name) == []


def left_of(name: str) -> list[str]:
    """Whatever there still is of a lab."""
    left = netns.names(plan.namespace(name, ""))
    left += [str(pid) for pid in cgroup.members(cgroup.find(), plan.group_name(name))]
    left += [plan.group_name(name)] * cgroup.exists(cgroup.find(), plan.group_name(name))
    left += [str(RunDir(name).path)] * RunDir(name).path.exists()
    left += ["its lock"] * lock.is_held(name)
    return left


def wait_until_gone(name: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while left := left_of(name):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.1)


def cfn(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cfn.cli", "lab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_lab_from_up_to_down(lab_file: Path, name: str) -> None:
    done = cfn("up", str(lab_file))
    assert done.returncode == 0, done.stderr
    assert f"lab {name} is up" in done.stdout

    state = json.loads(cfn("status", name, "--json").stdout)
    assert state["phase"] == "up"
    assert {"r1", "r2", "controller", "edge/1", "agent-edge"} <= set(state["processes"])
    assert "edge/1" in cfn("status", name).stdout

    there = cfn("exec", "--lab", name, "client", "--", "ip", "-o", "addr")
    assert "10.1.1.1/32" in there.stdout
    assert "it has client, core, edge" in cfn("exec", "--lab", name, "nowhere", "--", "true").stderr
    assert cfn("exec", "--lab", name, "edge", "--", "false").returncode == 1
    environment = cfn("exec", "--lab", name, "client", "--", "env").stdout.splitlines()
    assert {"CFN_ADDRESS=10.255.0.1", "CFN_TENANT=0"} <= set(environment)
    assert "is up already" in cfn("up", str(lab_file)).stderr

    os.kill(state["processes"]["edge/1"]["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (status := cfn("status", name)).returncode == 0:
        assert time.monotonic() < deadline
    assert "killed by SIGKILL" in status.stdout

    assert cfn("down", name).returncode == 0
    assert left_of(name) == []
    assert cfn("down", name).returncode == 0
    assert "is not up" in cfn("status", name).stderr


def test_two_systems_serve_each_others_clients(tmp_path: Path) -> None:
    name, path = f"b{os.getpid()}", tmp_path / "lab.yaml"
    path.write_text((LAB.parent / "two_systems.yaml").read_text().replace("name: two", f"name: {name}"))
    try:
        # It is up when every client has had its answers.
        done = cfn("up", str(path))
        assert done.returncode == 0, done.stderr
        run = RunDir(name)
        for domain, own, other in (("east", "near", "far"), ("west", "far", "near")):
            status = status_socket.ask(run.controller_of(domain), {"ask": "status"})
            assert [peer["up"] for peer in status["bgp"]] == [True]
            assert status["sites"][own]["advert"]["way"] == "grpc"
            assert status["sites"][other]["advert"]["way"] == "bgp"
            assert [one["instance"] for one in status["sites"][other]["advert"]["instances"]] == [None]
    finally:
        front.down(name)
    assert left_of(name) == []


STEPS = ("checking", "namespaces", "control groups", "links", "switches", "instances", "agents", "programmed")


class KilledError(Exception):
    pass


def _supervisor_of(janitor: int) -> int:
    children = Path(f"/proc/{janitor}/task/{janitor}/children").read_text().split()
    return int(children[0])


@pytest.mark.parametrize(
    ("victim", "step"),
    [(("supervisor", "janitor", "front")[number % 3], step) for number, step in enumerate(STEPS)]
    + [("supervisor", "ready"), ("janitor", "ready")],
)
def test_nothing_stays_when_one_of_it_is_killed(victim: str, step: str, lab_file: Path, name: str) -> None:
    def kill() -> None:
        holder = lock.holder(name)
        assert holder
        holder.connection.close()
        if victim == "front":
            raise KilledError
        pid = holder.pid if victim == "janitor" else _supervisor_of(holder.pid)
        os.kill(pid, signal.SIGKILL)

    def tell(text: str) -> None:
        if step in text:
            kill()

    if step == "ready":
        running = front.up(lab_file, name, "embedded", tell)
        kill()
        running.janitor.wait()
        running.connection.close()
    else:
        with pytest.raises((front.LabError, KilledError)):
            front.up(lab_file, name, "embedded", tell)
    wait_until_gone(name)


def test_a_lab_that_is_tied_goes_with_whoever_asked_for_it(lab_file: Path, name: str) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from topo import front;"
        "front.up(Path(sys.argv[1]), sys.argv[2], 'embedded', print, tied=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(lab_file), name], check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until_gone(name)


def test_down_removes_what_a_dead_lab_has_left(lab_file: Path, name: str) -> None:
    running = front.up(lab_file, name, "embedded", lambda _: None)
    holder = lock.holder(name)
    assert holder
    holder.connection.close()
    supervisor = _supervisor_of(holder.pid)
    os.kill(holder.pid, signal.SIGSTOP)  # so that neither can clean up after the other
    os.kill(supervisor, signal.SIGKILL)
    os.kill(holder.pid, signal.SIGKILL)
    running.janitor.wait()
    running.connection.close()
    while lock.is_held(name):  # by the supervisor, until the kernel is done with it
        time.sleep(0.05)
    state = front.state(name)
    assert state
    assert state.phase == "failed"
    removed = front.down(name)
    assert any("namespace" in what for what in removed)
    assert left_of(name) == []


def test_a_step_that_fails_is_told_and_undone(lab_file: Path, name: str) -> None:
    text = lab_file.read_text().replace("cfn.functions.detect:detect", "cfn.functions.detect:nothing")
    lab_file.write_text(text)
    with pytest.raises(front.LabError, match=r"edge/1 ended"):
        front.up(lab_file, name, "embedded", lambda _: None)
    wait_until_gone(name)


def test_bmv2_brings_up_the_same_lab(lab_file: Path, name: str) -> None:
    try:
        targets.check("bmv2")
    except targets.TargetMissingError as error:
        pytest.skip(str(error))
    front.finish(front.up(lab_file, name, "bmv2", lambda _: None))
    assert left_of(name) == []


def test_a_target_that_is_not_installed(lab_file: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(targets.TargetMissingError, match="simple_switch_grpc is not on PATH"):
        front.up(lab_file, name, "bmv2", lambda _: None)


def test_command_line_errors(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\n")
    done = cfn("up", str(wrong))
    assert done.returncode == 1
    assert "routers: is missing" in done.stderr
    assert "neither embedded nor bmv2" in cfn("up", "smallest", "--target", "tofino").stderr
    assert "demo" in cfn("list").stdout
    assert "r1" in cfn("graph", "smallest").stdout
    assert "graph smallest {" in cfn("graph", "smallest", "--dot").stdout
