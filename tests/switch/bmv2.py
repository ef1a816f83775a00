"""The reference: BMv2's simple_switch as a process, fed and read through pcap files (`--use-files`).

Packets go in through a named pipe and come out in a file per port, so that neither interfaces nor rights are
needed. Nothing is lost on the way: the egress queues, which hold 64 packets unless told otherwise, are made
as long as a run can be (the other queues block, save the one for packets that go round, which holds 1024).
State is given and read through simple_switch_CLI.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from tests.switch import thrift

SWITCH = "simple_switch"
CLI = "simple_switch_CLI"
PORTS = range(511)  # all that a packet can be sent to: 511 is the drop port
START_TIMEOUT_S = 30
RUN_TIMEOUT_S = 120
QUEUE_DEPTH = 1 << 24  # packets
FILES = 4096  # open at once: two a port
SAMPLE_S = 0.002  # between two looks at whether the threads sleep

_HEADER = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, 1)
_RECORD = struct.Struct("<IIII")


class Bmv2Error(Exception):
    """BMv2 ended, or refused a command."""


def find(tool: str) -> str | None:
    """A tool of BMv2, on the path or beside the switch."""
    found = shutil.which(tool)
    switch = shutil.which(SWITCH)
    if found is None and switch:
        beside = Path(switch).resolve().with_name(tool)
        found = str(beside) if beside.exists() else None
    return found


def available() -> bool:
    """Whether the reference can be run here."""
    return find(SWITCH) is not None and find(CLI) is not None


class Bmv2:
    """A simple_switch that runs one program; packets come in on `port`. A context manager."""

    def __init__(self, program_json: bytes, port: int = 1) -> None:
        """Start it.

        Raises:
            Bmv2Error: it does not start with this program.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="bmv2-"))
        self._pipe: BinaryIO | None = None
        try:
            self._start(program_json, port)
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def _start(self, program_json: bytes, port: int) -> None:
        (self._folder / "program.json").write_bytes(program_json)
        for number in PORTS:
            path = self._folder / f"p{number}_in.pcap"
            if number == port:
                os.mkfifo(path)
            else:
                path.write_bytes(_HEADER)
        self._thrift = _free_port()
        interfaces = [argument for number in PORTS for argument in ("-i", f"{number}@p{number}")]
        switch, prlimit = find(SWITCH), shutil.which("prlimit")
        assert switch
        assert prlimit
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                [
                    *(prlimit, f"--nofile={FILES}"),
                    switch,
                    "--use-files",
                    "0",
                    "--thrift-port",
                    str(self._thrift),
                    "--notifications-addr",
                    f"ipc://{self._folder}/notifications",  # otherwise a file in /tmp that stays
                    "--device-id",
                    str(self._thrift),
                    *interfaces,
                    "program.json",
                ],
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._open(self._folder / f"p{port}_in.pcap")
            self.cli([f"set_queue_depth {QUEUE_DEPTH}"])
        except BaseException:
            self._stop()
            raise

    def _open(self, path: Path) -> None:
        """Open the pipe so that neither side waits for the other, and a switch that ended breaks it."""
        both = os.open(path, os.O_RDWR)
        try:
            os.write(both, _HEADER)
            self._wait_for_start()
            self._pipe = path.open("wb")
        finally:
            os.close(both)

    def __enter__(self) -> Bmv2:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        shutil.rmtree(self._folder)

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                self._pipe.close()

    def _wait_for_start(self) -> None:
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            self._check_alive()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._thrift)) == 0:
                    return
            time.sleep(0.01)
        raise Bmv2Error(f"{SWITCH} did not start")

    def _check_alive(self) -> None:
        if self._process.poll() is not None:
            said = (self._folder / "log").read_text(errors="replace").strip()[-500:]
            raise Bmv2Error(f"{SWITCH} ended with {self._process.returncode}: {said}")

    def cli(self, commands: Sequence[str]) -> str:
        """Give commands and return what was answered.

        Raises:
            Bmv2Error: a command was refused.
        """
        if not commands:
            return ""
        cli = find(CLI)
        assert cli
        done = subprocess.run(
            [cli, "--thrift-port", str(self._thrift)],
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        wrong = [line for line in done.stdout.splitlines() if "Error" in line or "Invalid" in line]
        if wrong or done.returncode:
            raise Bmv2Error(f"{CLI}: {wrong[:3]} {done.stderr[-500:]}")
        return done.stdout

    def add_to_value_set(self, name: str, value: bytes) -> None:
        """Add a member to a parser value set, which the CLI of this version of BMv2 cannot do."""
        thrift.call(self._thrift, "standard:bm_parse_vset_add", 0, name.encode(), value)

    def send(self, packets: Sequence[bytes], window: int | None = None) -> None:
        """Run packets, all or `window` at once, and return when none is on its way any more.

        Raises:
            Bmv2Error: the switch ended.
        """
        assert self._pipe is not None
        size = window or max(len(packets), 1)
        for start in range(0, len(packets), size):
            try:
                for packet in packets[start : start + size]:
                    self._pipe.write(_RECORD.pack(0, 0, len(packet), len(packet)) + packet)
                self._pipe.flush()
            except BrokenPipeError:
                self._process.wait()
                self._check_alive()
            self._wait_until_idle()

    def _wait_until_idle(self) -> None:
        """All threads sleep, and none has run since the look before."""
        end = time.monotonic() + RUN_TIMEOUT_S
        last = None
        while time.monotonic() < end:
            self._check_alive()
            now = _activity(self._process.pid)
            if now is not None and now == last:
                return
            last = now
            time.sleep(SAMPLE_S)
        raise Bmv2Error(f"{SWITCH} does not come to rest")

    def outputs(self) -> dict[int, list[bytes]]:
        """All that came out since the start, by port."""
        found = {number: _read(self._folder / f"p{number}_out.pcap") for number in PORTS}
        return {number: packets for number, packets in found.items() if packets}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _activity(pid: int) -> tuple[int, ...] | None:
    """How often the threads of a process have gone to sleep; None while one of them runs."""
    switches: list[int] = []
    for task in sorted(os.listdir(f"/proc/{pid}/task")):
        status = Path(f"/proc/{pid}/task/{task}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if not fields["State"].strip().startswith("S"):
            return None
        switches += [int(fields["voluntary_ctxt_switches"]), int(fields["nonvoluntary_ctxt_switches"])]
    return tuple(switches)


def _read(path: Path) -> list[bytes]:
    if not path.exists() or path.stat().st_size <= len(_HEADER):
        return []
    data = path.read_bytes()
    packets: list[bytes] = []
    at = len(_HEADER)
    while at + _RECORD.size <= len(data):
        _, _, length, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        packets.append(data[at : at + length])
        at += length
    return packets
