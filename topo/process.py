"""Processes of a lab: started in a namespace and a control group, tied to the process that started them."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from topo import netns

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Command:
    """A program to run: its arguments, where, and where its output goes.

    Attributes:
        name: unique in the lab; names the log file.
        arguments: the command line.
        namespace: network namespace.
        members: `cgroup.procs` files of the group that it joins before it runs; none for the caller's own.
        environment: variables added to the caller's.
    """

    name: str
    arguments: Sequence[str]
    namespace: str
    members: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def start(command: Command, log: Path, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, with an empty standard input.

    All output goes to `log`, or standard output to `stdout` (as `subprocess.Popen` has it) and the rest to
    `log`. The kernel kills it when the calling thread ends, however that ends (prctl(2), PR_SET_PDEATHSIG).

    Raises:
        OSError: it can't be started.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout,
            stderr=output,
            env={**os.environ, **command.environment},
            start_new_session=True,
            preexec_fn=_before_exec(command),  # noqa: PLW1509 - the callers have one thread
        )


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel signal this process when its parent ends; ends it now if `parent` already has."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def kill(pids: Iterable[int], timeout_s: float = 10.0) -> None:
    """Kill processes and wait until they have ended.

    Raises:
        TimeoutError: one of them doesn't end.
    """
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            if not select.select([fd], [], [], timeout_s)[0]:
                raise TimeoutError(f"process {pid} doesn't end")
        except ProcessLookupError:
            continue
        finally:
            os.close(fd)


def _before_exec(command: Command) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        die_with_parent(parent)
        for file in command.members:
            file.write_text(str(os.getpid()))
        netns.enter(command.namespace)

    return prepare
