"""A program to explain packets on without a switch: loaded here, with entries from files."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from finsy.proto import p4i, p4r
from google.protobuf import text_format
from google.protobuf.message import Message

from switch.dataplane import Dataplane
from switch.inspect.explain import explain
from switch.inspect.ids import name_ids
from switch.inspect.options import Offline
from switch.p4rt import p4info, program
from switch.p4rt.errors import P4RuntimeError
from switch.p4rt.roles import Role
from switch.p4rt.state import State
from switch.p4rt.write import Writer
from switch.proto import inspect_pb2 as pb

M = TypeVar("M", bound=Message)


class Bench:
    """A program in memory, and what was written to it."""

    def __init__(self, dataplane: Dataplane, state: State | None) -> None:
        self._dataplane = dataplane
        self._state = state

    def explain(self, port: int, packet: bytes) -> pb.Explanation:
        """The way of a packet; see `switch.inspect.explain`."""
        explanation = explain(self._dataplane, port, packet)
        if self._state is not None:
            name_ids(explanation, self._dataplane.shape, self._state)
        return explanation


@contextmanager
def set_up(chosen: Offline) -> Generator[Bench]:
    """A program with its entries, for as long as the block runs.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is not what it should be; the message names it.
    """
    text = chosen.program.read_bytes()
    with _named(chosen.program):
        dataplane = Dataplane(text, cpu_port=chosen.cpu_port)
    try:
        yield Bench(dataplane, None if chosen.p4info is None else _state(dataplane, text, chosen))
    finally:
        dataplane.close()


def _state(dataplane: Dataplane, text: bytes, chosen: Offline) -> State:
    assert chosen.p4info is not None  # noqa: S101 (told by the caller)
    info = _read(chosen.p4info, p4i.P4Info())
    with _named(chosen.p4info):
        parsed = program.parse(text)
        state = State(p4info.build(info, parsed), parsed, dataplane)
    _write(state, chosen.entries)
    return state


def _write(state: State, files: Sequence[Path]) -> None:
    for path in files:
        request = _read(path, p4r.WriteRequest())
        with _named(path):
            for _ in Writer(state, Role(), request.atomicity).run(request.updates):
                pass


def _read(path: Path, message: M) -> M:
    text = path.read_text()
    with _named(path):
        return text_format.Parse(text, message)


@contextmanager
def _named(path: Path) -> Generator[None]:
    """Errors in the block name the file."""
    try:
        yield
    except (ValueError, text_format.ParseError, P4RuntimeError) as error:
        raise ValueError(f"{path}: {error}") from None
