"""The status socket: nonsense is answered or hung up on, and never stops the controller."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from control import status_socket
from control.controller import Controller
from control.events import EventLog
from tests.control.example import catalogue


async def ask(path: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "line", [b"", b"x\n", b"[]\n", b"{}\n", b'{"ask": 7}\n', b'{"ask": "explain"}\n', b"\xff\n"]
)
async def test_nonsense_gets_an_error_and_the_next_question_an_answer(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "s.sock"
    async with await status_socket.serve(path, Controller(catalogue(), EventLog())):
        told = await ask(path, line)
        assert not told or "error" in json.loads(told)
        answer = json.loads(await ask(path, b'{"ask": "status"}\n'))["answer"]
        assert answer["routers"]["r1"]["up"] is False
        assert answer["sites"]["near"]["advert"] is None
        assert json.loads(await ask(path, b'{"ask": "rotate-keys"}\n')) == {
            "error": "not connected to r1, r2"
        }


async def test_an_endless_line_is_hung_up_on(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    async with await status_socket.serve(path, Controller(catalogue(), EventLog())):
        assert await ask(path, b"x" * 200_000) == b""
        assert b"answer" in await ask(path, b'{"ask": "status"}\n')


async def test_the_socket_of_a_killed_controller_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    controller = Controller(catalogue(), EventLog())
    async with await status_socket.serve(path, controller):
        assert path.stat().st_mode & 0o077 == 0
        with pytest.raises(OSError, match="another controller"):
            await status_socket.serve(path, controller)


async def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(OSError, match="in use"):
        await status_socket.serve(path, Controller(catalogue(), EventLog()))
    assert path.read_text() == "data"
