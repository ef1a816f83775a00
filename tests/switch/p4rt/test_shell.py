"""p4runtime-shell against the embedded switch; needs its environment (`make ptf` makes `.venv-ptf`)."""

import asyncio
import os
from pathlib import Path

import pytest

from switch.p4rt.server import serve

from .messages import PROGRAMS
from .test_native import DEVICE_ID, Inspected, device, ipv4

__all__ = ["device"]

SCRIPT = Path(__file__).parent / "shell_session.py"
PYTHON = os.environ.get("PTF_PYTHON") or str(Path(__file__).parents[3] / ".venv-ptf/bin/python")
TIMEOUT_S = 60


@pytest.mark.skipif(not Path(PYTHON).exists(), reason="no environment for p4runtime-shell: set PTF_PYTHON")
async def test_an_operators_session(device: Inspected) -> None:
    files = (str(PROGRAMS / "everything.p4info.txtpb"), str(PROGRAMS / "everything.json"))
    async with serve(device, DEVICE_ID, "127.0.0.1:0") as address:
        session = await asyncio.create_subprocess_exec(
            PYTHON, str(SCRIPT), address, *files,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert session.stdout
        first = await asyncio.wait_for(session.stdout.readline(), TIMEOUT_S)
        if first:
            await asyncio.to_thread(device.pipeline.inject, 5, ipv4(1))
        _, errors = await asyncio.wait_for(session.communicate(), TIMEOUT_S)
    assert (session.returncode, first) == (0, b"listening\n"), errors.decode()
