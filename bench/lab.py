"""Labs for benchmarks: up for the length of a block, and processes of theirs killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from bench.command import BenchError, signals_interrupt
from topo import front, plan, process
from topo.plan import Plan
from topo.state import RunDir
from topo.targets import Target, TargetMissingError

Tell = Callable[[str], None]
"""Is told what is being done."""

_ENDED_S = 10.0


@contextmanager
def up(lab_file: Path, target: Target, tell: Tell) -> Generator[Plan]:
    """Bring a lab up for the length of a block; it goes too when this process is killed.

    SIGTERM and SIGHUP end the block by KeyboardInterrupt as Ctrl-C does, so that it is left in order.

    Raises:
        BenchError: it can't be brought up; the text says why.
    """
    the_plan = plan.load(lab_file)
    with signals_interrupt():
        try:
            running = front.up(lab_file, the_plan.name, target, tell, tied=True)
        except (front.LabError, TargetMissingError) as error:
            raise BenchError(str(error)) from None
        try:
            yield the_plan
        finally:
            front.finish(running)


def kill(lab: str, names: Iterable[str]) -> None:
    """Kill processes of a lab that is up, by their names, and wait until the lab has seen them end.

    Raises:
        BenchError: there is no such process.
    """
    run, wanted = RunDir(lab), set(names)
    state = run.read_state()
    if state is None or not wanted <= state.processes.keys():
        raise BenchError(f"lab {lab} has no processes {', '.join(sorted(wanted))}")
    process.kill(state.processes[name].pid for name in wanted)
    deadline = time.monotonic() + _ENDED_S
    while (state := run.read_state()) is None or not wanted <= {each.name for each in state.ended}:
        if time.monotonic() > deadline:
            raise BenchError(f"lab {lab} has not seen {', '.join(sorted(wanted))} end")
        time.sleep(0.05)


def check(lab: str, killed: Iterable[str] = ()) -> None:
    """Make sure that all processes of a lab run but for those that were killed.

    Raises:
        BenchError: another one has ended, or the lab is down.
    """
    state = front.state(lab)
    if state is None or state.phase != "up":
        raise BenchError(f"the lab {lab} was taken down meanwhile")
    ended = {each.name for each in state.ended} - set(killed)
    if ended:
        raise BenchError(f"in lab {lab} ended: {', '.join(sorted(ended))}")


@contextmanager
def environment(name: str, value: str) -> Generator[None]:
    """Set a variable that the lab's processes inherit, for the length of a block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
