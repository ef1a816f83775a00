"""Workers that run a function: processes for what computes, threads for what waits.

Processes are forked: cheap, and they share the function's data. A forked worker talks over a socket pair that
keeps message boundaries, so the event loop sees answers, and deaths, as readable sockets; no helper thread is
needed. Fork before the process starts threads of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, Protocol

from cfn.function import MAX_OUTPUT, Function, Outcome, run
from cfn.wire import MAX_DATAGRAM, Status

Done = Callable[[Outcome], None]
Input = bytes | BinaryIO
"""The input itself, or an open file that holds it and is the worker's from then on."""

# An empty message would read as the end of the link, and a payload may be empty.
_FRAME = b"\0"
# A file of any size goes by its descriptor: it is neither copied nor waited for here.
_FILE = b"\1"
_ANSWER = struct.Struct("=BQ")
"""Status and CPU time in µs, before the payload."""


class Workers(Protocol):
    """A fixed number of workers for one function."""

    def submit(self, data: Input, done: Done) -> None:
        """Run the function on a free worker and call `done` on the event loop's thread."""
        ...

    def close(self) -> None:
        """Stop all workers, in the middle of a run if need be."""
        ...


def start_workers(target: Function, count: int) -> Workers:
    """As many workers as asked for, of the sort that the function wants; needs a running event loop."""
    return ProcessWorkers(target, count) if target.runs == "process" else ThreadWorkers(target, count)


class ThreadWorkers:
    """Workers in threads of this process."""

    def __init__(self, target: Function, count: int) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=target.name)

    def submit(self, data: Input, done: Done) -> None:
        """See `Workers.submit`."""
        future = self._loop.run_in_executor(self._pool, _run, self._target, data)
        future.add_done_callback(lambda ended: None if ended.cancelled() else done(ended.result()))

    def close(self) -> None:
        """See `Workers.close`; a run that has begun goes on unseen."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Process:
    pid: int
    link: socket.socket
    done: Done | None = None


class ProcessWorkers:
    """Workers in forked processes; one that dies is replaced, and its request answered FUNCTION_FAILED."""

    def __init__(self, target: Function, count: int) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._idle: list[_Process] = []
        self._all: list[_Process] = []
        for _ in range(count):
            self._start()

    def submit(self, data: Input, done: Done) -> None:
        """See `Workers.submit`.

        Raises:
            IndexError: no worker is free.
        """
        worker = self._idle.pop()
        worker.done = done
        try:
            if isinstance(data, bytes):
                worker.link.send(_FRAME + data)
            else:
                with data:
                    socket.send_fds(worker.link, [_FILE], [data.fileno()])
        except OSError:
            self._replace(worker)

    def close(self) -> None:
        """See `Workers.close`."""
        for worker in self._all:
            self._end(worker)
        self._all.clear()
        self._idle.clear()

    def _start(self) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _work(self._target, there)
        there.close()
        worker = _Process(pid, here)
        self._all.append(worker)
        self._idle.append(worker)
        self._loop.add_reader(here, self._readable, worker)

    def _readable(self, worker: _Process) -> None:
        try:
            message = worker.link.recv(_ANSWER.size + MAX_OUTPUT)
        except OSError:
            message = b""
        if not message:
            self._replace(worker)
            return
        done, worker.done = worker.done, None
        self._idle.append(worker)
        if done:
            status, cpu_us = _ANSWER.unpack_from(message)
            done(Outcome(Status(status), message[_ANSWER.size :], cpu_us))

    def _replace(self, worker: _Process) -> None:
        status = self._end(worker)
        self._all.remove(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._start()
        if worker.done:
            text = f"the worker died ({_how_it_ended(status)})"
            self._loop.call_soon(worker.done, Outcome(Status.FUNCTION_FAILED, text.encode()))

    def _end(self, worker: _Process) -> int:
        self._loop.remove_reader(worker.link)
        worker.link.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)
        return os.waitpid(worker.pid, 0)[1]


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _work(target: Function, link: socket.socket) -> NoReturn:
    """The forked worker's life: requests in, answers out, until the other end is gone."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Ctrl-C reaches the whole group; the server decides when its workers end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # The server's sockets must not outlive it in here.
        os.closerange(3, link.fileno())
        os.closerange(link.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        while True:
            message, files, _, _ = socket.recv_fds(link, len(_FRAME) + MAX_DATAGRAM, 1)
            if not message:
                break
            outcome = _run(target, os.fdopen(files[0], "rb") if files else message[len(_FRAME) :])
            link.send(_ANSWER.pack(outcome.status, outcome.cpu_us) + outcome.payload)
        status = 0
    finally:
        os._exit(status)


def _run(target: Function, data: Input) -> Outcome:
    if isinstance(data, bytes):
        return run(target, data)
    with data:
        try:
            payload = data.read()
        except OSError as error:
            return Outcome(Status.MISSING_INPUT, f"cannot be read: {error.strerror}".encode())
    return run(target, payload)
