"""A lab's life: each step up has its way down, and the ways down are taken in reverse order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import p4src
from switch.prepare import prepare
from topo import cgroup, delay, netem, netns, plan, process, programs, readiness, render, targets, wiring
from topo.children import Children, describe
from topo.plan import Plan
from topo.process import Command
from topo.spec import CORE
from topo.state import LabState, ProcessState, RunDir
from topo.targets import Target

_T = TypeVar("_T")

log = logging.getLogger("topo")


class Lab:
    """A lab that is brought up, lives until it is told to stop, and is taken down."""

    def __init__(self, the_plan: Plan, target: Target, run: RunDir) -> None:
        self.plan = the_plan
        self.is_ready = False
        self._target: Target = target
        self._run = run
        self._state = LabState(lab=the_plan.name, target=target, started_unix_s=time.time())
        self._children = Children(run, self._process_changed)

    async def live(self, tell: Callable[[str], None], ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Bring the lab up, telling each step; call `ready`; wait for `stop`; take the lab down.

        It is taken down as well when a step fails, or when this is cancelled.

        Raises:
            Exception: what a step failed with.
        """
        self._tell = tell
        async with AsyncExitStack() as ways_down:
            await self._bring_up(ways_down)
            self.is_ready = True
            self._update(phase="up", step="")
            ready()
            await stop.wait()
            self._update(phase="stopping")

    async def _bring_up(self, ways_down: AsyncExitStack) -> None:
        plan_, core = self.plan, self.plan.core
        self._step("checking what this machine has")
        targets.check(self._target)
        tokens = render.tokens(plan_)
        self._run.catalogue.write_text(render.to_yaml(render.catalogue(plan_, tokens)))
        self._step("making namespaces and wires")
        ways_down.enter_context(_namespaces(plan_))
        gaps = await _in_thread(lambda: _build(plan_))
        self._step("making control groups")
        groups = ways_down.enter_context(_groups(plan_))
        in_core = groups[CORE].members
        await self._join(gaps, in_core, ways_down)

        if self._target == "embedded":
            self._step("compiling the data plane, if it is new here")
            await asyncio.to_thread(prepare, p4src.JSON)
        self._step(f"starting {len(plan_.routers)} switches ({self._target}) and the controller")
        switches = [
            Command(name, targets.command(self._target, router, self._run.path), core, in_core)
            for name, router in plan_.routers.items()
        ]
        await ways_down.enter_async_context(self._processes(switches))
        controllers = [programs.controller(plan_, self._run, in_core, one) for one in plan_.domains]
        await ways_down.enter_async_context(self._processes(controllers))
        data_agents = programs.data_agents(plan_, self._run, groups)
        if data_agents:
            self._step("starting the data agents")
        await ways_down.enter_async_context(self._processes(data_agents))
        await readiness.data_agents_answer(plan_, self._run, self._children.check)
        self._step(f"starting {sum(len(site.instances) for site in plan_.sites.values())} instances")
        servers = programs.servers(plan_, self._run, groups)
        await ways_down.enter_async_context(self._processes(servers))
        await readiness.servers_answer(plan_, self._children.check)
        for site in plan_.sites.values():
            groups[site.name].set_quota(site.cores)
        self._step("starting the site agents")
        agents = programs.agents(plan_, self._run, groups, tokens)
        await ways_down.enter_async_context(self._processes(agents))

        self._step("waiting for all adverts, and for the routers to be programmed")
        for domain in plan_.domains:
            socket = self._run.controller_of(domain)
            await readiness.network_programmed(plan_, socket, self._children.check, domain)
        self._step("waiting for the first answer of each service")
        await readiness.services_answer(plan_, self._children.check)

    async def _join(self, gaps: list[wiring.Gap], members: Sequence[Path], ways_down: AsyncExitStack) -> None:
        core = self.plan.core
        if not gaps:
            return
        if netem.is_available(core):
            self._step("impairing links by netem")
            wiring.bridge_by_netem(core, gaps)
            self._update(links_by="netem")
            return
        self._step("impairing links by the delay line")
        program = delay.build()
        command = Command(
            "delayline", wiring.delayline_command(program, self._run.delayline, gaps), core, members
        )
        await ways_down.enter_async_context(self._processes([command]))
        await readiness.delayline(self._run.delayline, self._children.check)
        self._update(links_by="delayline")

    @asynccontextmanager
    async def _processes(self, commands: Iterable[Command]) -> AsyncGenerator[None]:
        names: list[str] = []
        try:
            for command in commands:
                self._children.start(command)
                names.append(command.name)
            yield
        finally:
            await self._children.stop(names)

    def _step(self, text: str) -> None:
        log.info("%s", text)
        self._tell(text)
        self._update(step=text)

    def _process_changed(self, changed: ProcessState) -> None:
        if changed.exit_code is not None and self._state.phase != "stopping":
            log.warning("%s ended: %s", changed.name, describe(changed.exit_code))
        self._update(processes={**self._state.processes, changed.name: changed})

    def _update(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)
        self._run.write_state(self._state)


async def _in_thread(work: Callable[[], _T]) -> _T:
    """Run work that has an event loop of its own (pyroute2's) in a thread that ends with it."""
    with ThreadPoolExecutor(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def _build(the_plan: Plan) -> list[wiring.Gap]:
    for name in the_plan.namespaces():
        netns.create(name)
    return wiring.lay(the_plan)


@contextmanager
def _namespaces(the_plan: Plan) -> Generator[None]:
    try:
        yield
    finally:
        for name in the_plan.namespaces():
            netns.remove(name)


@contextmanager
def _groups(the_plan: Plan) -> Generator[dict[str, cgroup.Group]]:
    hierarchy, name = cgroup.find(), plan.group_name(the_plan.name)
    try:
        yield cgroup.create(hierarchy, name, CORE, list(the_plan.sites))
    finally:
        process.kill(cgroup.members(hierarchy, name))  # workers of a server that had to be killed
        cgroup.remove(hierarchy, name)
