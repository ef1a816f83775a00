"""exabgp as a child process: started, spoken to, started again when it ends, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from control.bgp import launch, relay
from control.bgp.configuration import configuration, environment
from control.domain import Domain, Speaker
from control.events import EventLog

_LINE = 1 << 22
"""Octets of a line at most; a message of BGP has 65,535 at most (RFC 8654), and twice that in hexadecimal."""
_FIRST_BACKOFF_S = 0.5
_LAST_BACKOFF_S = 30.0
_STABLE_S = 60.0
_ADVICE = "advice "
"""How lines begin that tell to write a file of settings, which are in the environment."""


class Child:
    """A domain's exabgp."""

    def __init__(
        self,
        domain: Domain,
        speaker: Speaker,
        events: EventLog,
        take: Callable[[bytes], None],
        greet: Callable[[], Iterable[str]],
    ):
        """`take` is given each line that it says; `greet` what a new one has to hear."""
        self._domain = domain
        self._speaker = speaker
        self._events = events
        self._take = take
        self._greet = greet
        self._writer: asyncio.StreamWriter | None = None
        self.pid: int | None = None

    def send(self, line: str) -> None:
        """Give it a command; while it is not there, nothing: it is greeted when it is."""
        if self._writer is not None:
            self._writer.write(f"{line}\n".encode())

    async def run(self, ended: Callable[[], None]) -> None:
        """Have one running until cancelled; `ended` is called each time it has ended by itself."""
        backoff_s = _FIRST_BACKOFF_S
        loop = asyncio.get_running_loop()
        while True:
            since = loop.time()
            with tempfile.TemporaryDirectory(prefix="cfn-bgp-") as directory:
                reason = await self._run_once(Path(directory))
            self._events("bgp-speaker-ended", reason=reason)
            ended()
            backoff_s = _FIRST_BACKOFF_S if loop.time() - since > _STABLE_S else backoff_s
            await asyncio.sleep(backoff_s)
            backoff_s = min(_LAST_BACKOFF_S, 2 * backoff_s)

    async def _run_once(self, directory: Path) -> str:
        """Run one until it ends; why it did."""
        helped = asyncio.get_running_loop().create_future()
        path = directory / "relay.sock"

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # All is read by then; what is there, passwords among it, would stay if we were killed.
            shutil.rmtree(directory, ignore_errors=True)
            reason = await self._converse(reader, writer)
            if not helped.done():
                helped.set_result(reason)

        server = await asyncio.start_unix_server(connected, path, limit=_LINE)
        command = [sys.executable, relay.__file__, str(path)]
        file = directory / "exabgp.conf"
        # Passwords are in it: the directory is ours alone.
        file.write_text(configuration(self._domain, self._speaker, command), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, launch.__file__, str(os.getpid()), str(file)),
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = process.pid
        complaints = asyncio.ensure_future(self._complaints(process))
        waiting = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({helped, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return helped.result() if helped.done() else f"exit code {process.returncode}"
        finally:
            self._writer = None
            # Not asked to end: it would tell its peers to forget the sites at once, which live on without it.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await waiting
            await complaints
            server.close()
            self.pid = None

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        self._writer = writer
        for line in self._greet():
            self.send(line)
        try:
            while line := await reader.readline():
                self._take(line)
        except (OSError, ValueError) as error:
            return str(error)
        finally:
            self._writer = None
            writer.close()
        return "it closed the connection"

    async def _complaints(self, process: asyncio.subprocess.Process) -> None:
        if process.stderr is None:
            return
        while line := await process.stderr.readline():
            message = line.decode(errors="replace").strip()
            if message and not message.startswith(_ADVICE):
                self._events("bgp-speaker", message=message)
