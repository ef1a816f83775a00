"""The processes of a running lab, watched on the event loop: started, told about when they end, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable

from topo.process import Command, start
from topo.state import ProcessState, RunDir

_GRACE_S = 3.0


class ProcessEndedError(Exception):
    """A process that the lab needs has ended; the text has the end of its log."""


class Children:
    """Starts and stops processes; `on_change` gets the state of each one when it starts and when it ends."""

    def __init__(self, run: RunDir, on_change: Callable[[ProcessState], None]) -> None:
        self._run = run
        self._on_change = on_change
        self._running: dict[str, tuple[subprocess.Popen[bytes], asyncio.Event]] = {}

    def start(self, command: Command) -> None:
        """Start a process; its output goes to its log in the run directory.

        Raises:
            OSError: it can't be started.
        """
        log = self._run.log(command.name)
        process = start(command, log)
        ended = asyncio.Event()
        self._running[command.name] = process, ended
        state = ProcessState(name=command.name, pid=process.pid, log=str(log))
        self._on_change(state)
        pidfd = os.pidfd_open(process.pid)

        def on_end() -> None:
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)
            ended.set()
            end = {"exit_code": process.wait(), "ended_unix_s": time.time()}
            self._on_change(state.model_copy(update=end))

        asyncio.get_running_loop().add_reader(pidfd, on_end)

    def check(self) -> None:
        """Make sure that all processes run that were started and not stopped.

        Raises:
            ProcessEndedError: one of them has ended.
        """
        for name, (process, ended) in self._running.items():
            if ended.is_set():
                raise ProcessEndedError(f"{name} ended ({describe(process.wait())}):\n{self._tail(name)}")

    async def stop(self, names: Iterable[str]) -> None:
        """Ask processes to end, kill those that don't within some seconds, and return when none is left."""
        here = [self._running.pop(name) for name in names]
        for process, ended in here:
            if not ended.is_set():
                process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await asyncio.gather(*(ended.wait() for _, ended in here))
        for process, ended in here:
            if not ended.is_set():
                process.kill()
            await ended.wait()

    def _tail(self, name: str) -> str:
        lines = self._run.log(name).read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-15:])


def describe(exit_code: int) -> str:
    """Say in words how a process ended."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    return f"killed by {signal.Signals(-exit_code).name}"
