"""The controller's status socket: one JSON object in a line asks, one JSON object in a line answers.

Questions are `{"ask": "status"}`, `{"ask": "explain", "function": …, "router": …}`, `{"ask": "usage"}` and
`{"ask": "rotate-keys"}`; the answer holds `answer`, or `error` when there is none.
"""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

from control.controller import Controller
from control.status import Status

_LONGEST = 65_536
_TIMEOUT_S = 10.0


async def serve(path: Path, controller: Controller) -> asyncio.Server:
    """Listen at a Unix socket that only its owner may use.

    Raises:
        OSError: cannot listen there.
    """
    status = Status(controller)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await _answer(line, status, controller)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return
        finally:
            writer.close()

    _clear(path)
    server = await asyncio.start_unix_server(talk, path, limit=_LONGEST)
    path.chmod(0o600)
    return server


def ask(path: Path, question: dict[str, Any]) -> Any:
    """Ask a running controller, waiting for the answer.

    Raises:
        OSError: no controller listens there, or it does not answer.
        ValueError: it says why it has no answer.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_TIMEOUT_S)
        connection.connect(str(path))
        connection.sendall(json.dumps(question).encode() + b"\n")
        with connection.makefile("rb") as lines:
            answer = json.loads(lines.readline() or b'{"error": "the controller hung up"}')
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["answer"]


async def _answer(line: bytes, status: Status, controller: Controller) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_TIMEOUT_S / 2):
            return {"answer": await _find(json.loads(line), status, controller)}
    except (ValueError, RuntimeError) as error:
        return {"error": str(error)}
    except TimeoutError:
        return {"error": "the routers did not answer in time"}


async def _find(question: object, status: Status, controller: Controller) -> Any:
    match question:
        case {"ask": "status"}:
            return await status.tree()
        case {"ask": "explain", "function": str(function), **rest}:
            return status.explain(function, rest.get("router"))
        case {"ask": "usage"}:
            return await status.usage()
        case {"ask": "rotate-keys"}:
            return await controller.rotate_keys()
        case _:
            raise ValueError("the question is none of status, explain, usage, rotate-keys")


def _clear(path: Path) -> None:
    """Remove the socket of a controller that was killed; never one that somebody listens at."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
        else:
            raise OSError(f"{path}: another controller listens there")
