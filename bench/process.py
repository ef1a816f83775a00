"""Child processes in a network namespace and on chosen cores; none outlives the benchmark.

The children are started through util-linux (nsenter, taskset, setpriv), each of which becomes the next by
exec, so that the process id is the program's own.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.command import BenchError
from topo import netns

START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ChildError(BenchError):
    """A program ended before it was told to, or with an error."""


def command_line(command: Sequence[str], namespace: str | None, core: int | None) -> list[str]:
    """Return `command` wrapped so that it runs in `namespace`, on `core`, and dies with its parent."""
    wrapped = ["setpriv", "--pdeathsig", "KILL"]
    if core is not None:
        wrapped += ["taskset", "--cpu-list", str(core)]
    if namespace is not None:
        wrapped += ["nsenter", f"--net={netns.path_of(namespace)}"]
    return [*wrapped, *command]


class Child:
    """A running program, its output in a file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], output: Path) -> None:
        self.name = name
        self._process = process
        self._output = output

    def resident_bytes(self) -> int:
        """Return how much of the program is in memory (VmRSS of proc(5)).

        Raises:
            ChildError: it has ended.
        """
        self.check()
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def cpu_s(self) -> float:
        """Return the processor time it has taken so far, in seconds (utime and stime of proc(5)).

        Raises:
            ChildError: it has ended.
        """
        self.check()
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check(self) -> None:
        """Raise if the program has ended.

        Raises:
            ChildError: it has; the message ends with its last output.
        """
        if self._process.poll() is not None:
            raise ChildError(f"{self.name} ended with status {self._process.returncode}:\n{self._tail()}")

    def wait_output(self, *lines: str) -> str:
        """Wait until the program has written one of `lines` and return that line.

        Raises:
            ChildError: it ended before, or did not write it in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            written = self._output.read_text(errors="replace").splitlines()
            if found := [line for line in lines if line in written]:
                return found[0]
            self.check()
            if time.monotonic() > deadline:
                wanted = " or ".join(lines)
                raise ChildError(
                    f"{self.name} did not write {wanted} in {START_SECONDS:g} s:\n{self._tail()}"
                )
            time.sleep(0.02)

    def stop(self) -> str:
        """Ask the program to end (SIGTERM), wait for it, and return all it has written.

        Raises:
            ChildError: it had ended already, or it did not end in time and was killed.
        """
        self.check()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ChildError(f"{self.name} did not end {STOP_SECONDS:g} s after SIGTERM") from None
        return self._output.read_text(errors="replace")

    def kill(self) -> None:
        """End the program at once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _tail(self) -> str:
        return "\n".join(self._output.read_text(errors="replace").splitlines()[-20:])


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    directory: Path,
    *,
    namespace: str | None = None,
    core: int | None = None,
) -> Generator[Child]:
    """Run a program for the length of a block; at its end it is killed if it still runs.

    Args:
        name: what to call it in messages and its output file, NAME.log in `directory`.
        command: the program and its arguments.
        directory: where its output goes.
        namespace: the network namespace it runs in, None for the caller's.
        core: the core all its threads are bound to, None for any.
    """
    output = directory / f"{name}.log"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command_line(command, namespace, core),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the benchmark, which stops its children in order
        )
    child = Child(name, process, output)
    try:
        yield child
    finally:
        child.kill()
