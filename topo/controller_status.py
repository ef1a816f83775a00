"""Asks the lab's controller for its status, at the Unix socket where it answers (`control.status_socket`)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

_LONGEST = 1 << 22
"""Bytes of an answer at most."""


async def status(socket: Path) -> dict[str, Any]:
    """Return what the controller knows and does (`control.status`).

    Raises:
        OSError: no controller listens there.
        ValueError: it has no answer; the text says why.
    """
    reader, writer = await asyncio.open_unix_connection(socket, limit=_LONGEST)
    try:
        writer.write(b'{"ask": "status"}\n')
        answer = json.loads(await reader.readline() or b'{"error": "the controller hung up"}')
    finally:
        writer.close()
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["answer"]
