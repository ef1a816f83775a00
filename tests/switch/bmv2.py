"""The reference: run packets through BMv2's simple_switch, for comparison byte by byte.

Packets go in through a named pipe in pcap format at a pace that BMv2's queues can follow, and come out in
pcap files, so that neither interfaces nor rights are needed. Entries are given through simple_switch_CLI.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SWITCH = "simple_switch"
CLI = "simple_switch_CLI"
PORTS = range(9)
START_TIMEOUT_S = 30
PACES = (24, 6, 1)  # packets at once: an egress queue holds 64, and a busy machine empties it slowly
PAUSE_S = 0.02
QUIET_S = 0.6  # without output, after the last packet, means that all is out

_HEADER = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, 1)
_RECORD = struct.Struct("<IIII")


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


@dataclass(frozen=True)
class Reference:
    """What came out of each port."""

    outputs: dict[int, list[bytes]]


def run(
    program_json: bytes,
    commands: Sequence[str],
    packets: Iterable[bytes],
    port: int = 1,
    pace: int = PACES[0],
) -> Reference:
    """Run packets that come in on `port`, `pace` at once, after giving these CLI commands."""
    with tempfile.TemporaryDirectory(prefix="bmv2-") as scratch:
        return _run(Path(scratch), program_json, commands, packets, port, pace)


def _run(  # noqa: PLR0917 (the same as run())
    folder: Path, program_json: bytes, commands: Sequence[str], packets: Iterable[bytes], port: int, pace: int
) -> Reference:
    switch, cli = find(SWITCH), find(CLI)
    assert switch
    assert cli
    (folder / "program.json").write_bytes(program_json)
    for number in PORTS:
        path = folder / f"p{number}_in.pcap"
        if number == port:
            os.mkfifo(path)
        else:
            path.write_bytes(_HEADER)
    thrift = _free_port()
    interfaces = [argument for number in PORTS for argument in ("-i", f"{number}@p{number}")]
    command = [switch, "--use-files", "0", "--thrift-port", str(thrift), "--device-id", str(thrift)]
    process = subprocess.Popen(
        [*command, *interfaces, "program.json"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with open(folder / f"p{port}_in.pcap", "wb") as pipe:
            pipe.write(_HEADER)
            pipe.flush()
            _wait_for(thrift, process)
            _configure(cli, thrift, commands)
            _feed(pipe, packets, pace)
        _wait_quiet(folder, process)
    finally:
        process.terminate()
        process.wait()
    return Reference({n: _read(folder / f"p{n}_out.pcap") for n in PORTS})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{SWITCH} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{SWITCH} did not start")


def _configure(cli: str, port: int, commands: Sequence[str]) -> None:
    if not commands:
        return
    text = "\n".join(commands) + "\n"
    done = subprocess.run(
        [cli, "--thrift-port", str(port)],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "Error" in done.stdout or "Invalid" in done.stdout or done.returncode:
        raise RuntimeError(f"{CLI}: {done.stdout[-2000:]}{done.stderr[-500:]}")


def _feed(pipe: BinaryIO, packets: Iterable[bytes], pace: int) -> None:
    for number, packet in enumerate(packets):
        pipe.write(_RECORD.pack(number, 0, len(packet), len(packet)) + packet)
        if number % pace == pace - 1:
            pipe.flush()
            time.sleep(PAUSE_S)


def _wait_quiet(folder: Path, process: subprocess.Popen[bytes]) -> None:
    last, since = -1, time.monotonic()
    while process.poll() is None and time.monotonic() - since < QUIET_S:
        size = sum(path.stat().st_size for path in folder.glob("*_out.pcap"))
        if size != last:
            last, since = size, time.monotonic()
        time.sleep(0.05)


def _read(path: Path) -> list[bytes]:
    data = path.read_bytes() if path.exists() else b""
    packets: list[bytes] = []
    at = len(_HEADER)
    while at + _RECORD.size <= len(data):
        _, _, length, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        packets.append(data[at : at + length])
        at += length
    return packets
