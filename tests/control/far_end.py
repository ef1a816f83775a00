"""Real P4Runtime targets for tests: BMv2 and the embedded switch, as processes without interfaces."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

TARGETS = ("embedded", "bmv2")
_START_S = 30.0


def missing(target: str) -> str | None:
    """Why a target can't be had here."""
    if target == "bmv2" and not shutil.which("simple_switch_grpc"):
        return "simple_switch_grpc is not installed"
    if target == "embedded" and not importlib.util.find_spec("switch.__main__"):
        return "python -m switch is not there"
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class FarEnd:
    """One switch that can be stopped and started again at the same address, empty."""

    def __init__(
        self,
        target: str,
        device_id: int,
        directory: Path,
        namespace: str | None = None,
        interfaces: Mapping[int, str] | None = None,
    ):
        """In a namespace it listens at a Unix socket, which is seen from outside."""
        self.address = f"unix:{directory}/p4rt{device_id}" if namespace else f"127.0.0.1:{free_port()}"
        self._log = directory / f"switch-{device_id}.log"
        options = ["--no-p4", "--device-id", str(device_id)]
        for port, interface in (interfaces or {}).items():
            options += ["-i", f"{port}@{interface}"]
        if target == "bmv2":
            options += ["--thrift-port", str(free_port()), "--notifications-addr"]
            options += [
                f"ipc://{directory}/n{device_id}.ipc",
                "--log-level",
                "error",
                "--",
                "--cpu-port",
                "510",
            ]
            self._command = ["simple_switch_grpc", *options]
        else:
            self._command = [sys.executable, "-m", "switch", "--cpu-port", "510", *options]
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        self._command = [*inside, *self._command, "--grpc-server-addr", self.address]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self._connect()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{self._command[0]} did not start: {self._log.read_text()}")

    def _connect(self) -> None:
        family, _, rest = self.address.partition(":")
        with socket.socket(socket.AF_UNIX if family == "unix" else socket.AF_INET) as probe:
            probe.connect(rest if family == "unix" else (family, int(rest)))

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Meanwhile it answers nothing, and its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
