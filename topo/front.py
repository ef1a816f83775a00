"""What `cfn lab` and the demo ask of labs: up, down, who is up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from topo import lock, sweep
from topo.state import LabState, RunDir, labs, run_dir
from topo.targets import Target, check

DOWN_TIMEOUT_S = 60.0


class LabError(Exception):
    """The lab could not be brought up; the text says at which step and why."""


@dataclass(frozen=True)
class Running:
    """A lab that has come up, and the socket by which it knows that whoever asked for it is still there."""

    name: str
    janitor: subprocess.Popen[bytes]
    connection: socket.socket


def up(
    lab_file: Path, name: str, target: Target, tell: Callable[[str], None], *, tied: bool = False
) -> Running:
    """Bring a lab up and return when all its services answer; `tell` is called with each step.

    Args:
        lab_file: the lab.
        name: the lab's name, as the file has it.
        target: which switch the routers are.
        tell: told what is being done.
        tied: take the lab down when the caller ends, however it ends.

    Raises:
        LabError: a step failed; nothing is left of the lab.
        topo.targets.TargetMissingError: the target isn't installed.
    """
    if os.geteuid() != 0:
        raise LabError("a lab needs root: it makes network namespaces")
    check(target)
    own, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "topo.supervisor", str(lab_file.resolve()), "--target", target]
        command += ["--front", str(theirs.fileno()), *(["--tied"] if tied else [])]
        janitor = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
        )
    try:
        _follow(own, tell)
    except BaseException:
        own.close()  # the supervisor sees that and takes down what there is
        janitor.wait(DOWN_TIMEOUT_S)
        raise
    return Running(name, janitor, own)


def down(lab: str, timeout_s: float = DOWN_TIMEOUT_S) -> list[str]:
    """Take a lab down, or remove what is left of one that died; return what a dead one had left.

    Raises:
        TimeoutError: its supervisor doesn't end.
    """
    while holder := lock.holder(lab):
        with holder.connection:
            holder.terminate()
            holder.wait(timeout_s)
    return sweep.sweep(lab)


def finish(running: Running) -> None:
    """Take down a lab that this process brought up."""
    running.connection.close()
    down(running.name)
    running.janitor.wait(DOWN_TIMEOUT_S)


def state(lab: str) -> LabState | None:
    """Return the state of a lab; None when there is none. A lab without a supervisor is "failed"."""
    found = RunDir(lab).read_state()
    if found is not None and not lock.is_held(lab):
        return found.model_copy(update={"phase": "failed", "step": "its supervisor was killed"})
    return found


def known() -> list[str]:
    """List the labs that are up, or have left something behind."""
    return [name for name in labs() if run_dir(name).is_dir()]


def _follow(connection: socket.socket, tell: Callable[[str], None]) -> None:
    with connection.makefile("r") as lines:
        for line in lines:
            message = json.loads(line)
            if "step" in message:
                tell(message["step"])
            elif "error" in message:
                raise LabError(message["error"])
            else:
                return
    raise LabError("the lab's supervisor was killed; what it had made is removed")
