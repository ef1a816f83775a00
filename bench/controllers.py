"""Controllers of a lab that is up, one after another: each takes over what the one before has left."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from types import TracebackType

from bench import lab
from bench.command import BenchError
from control import catalogue
from control.catalogue import Catalogue
from topo import cgroup, plan, programs, readiness, render
from topo.plan import Plan
from topo.process import start
from topo.spec import CONTROLLER, CORE
from topo.state import RunDir

Change = Callable[[Catalogue], Catalogue]


class Controllers:
    """The controllers after the lab's own one, within an `async with` block."""

    def __init__(self, the_plan: Plan) -> None:
        self._plan = the_plan
        self._run = RunDir(the_plan.name)
        self._declared = catalogue.load(self._run.catalogue)
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Controllers:
        """Kill the lab's own controller."""
        lab.kill(self._plan.name, [CONTROLLER])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the last one."""
        self._kill()

    async def swap(self, change: Change | None = None) -> None:
        """Kill the controller, and return when one with the lab's catalogue, changed, has taken over.

        Raises:
            BenchError: it has ended.
            NotReadyError: it doesn't take over in time.
        """
        self._kill()
        wanted = change(self._declared) if change else self._declared
        self._run.catalogue.write_text(render.to_yaml(wanted))
        self._run.controller.unlink(missing_ok=True)
        group = cgroup.Group(cgroup.find(), plan.group_of(self._plan.name, CORE))
        command = programs.controller(self._plan, self._run, group.members)
        self._process = start(command, self._run.log(CONTROLLER))
        await readiness.network_programmed(self._plan, self._run.controller, self._check)

    def _check(self) -> None:
        if self._process and self._process.poll() is not None:
            tail = self._run.log(CONTROLLER).read_text(errors="replace")[-2000:]
            raise BenchError(f"the controller has ended:\n{tail}")

    def _kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
