"""The reference as the far end of this suite: `simple_switch_grpc` without a program."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

SWITCH = "simple_switch_grpc"
START_S = 20
CPU_PORT = 510


@asynccontextmanager
async def running(device_id: int, folder: Path) -> AsyncGenerator[str]:
    """A switch with neither interfaces nor program; the address where it serves P4Runtime."""
    switch = shutil.which(SWITCH)
    assert switch, f"{SWITCH} is not installed"
    thrift, grpc = _free_ports(2)
    address = f"127.0.0.1:{grpc}"
    process = await asyncio.create_subprocess_exec(
        switch, "--no-p4", "--device-id", str(device_id), "--thrift-port", str(thrift), "--log-level", "off",
        "--notifications-addr", f"ipc://{folder}/notifications",  # otherwise a file in /tmp that stays
        "--", "--grpc-server-addr", address, "--cpu-port", str(CPU_PORT),
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await asyncio.wait_for(_listening(grpc, process), START_S)
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None, f"{SWITCH} ended with {process.returncode}"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
