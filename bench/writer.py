"""One P4Runtime client that writes entries of one exact table as fast as it is answered."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc
from finsy.proto import U128, p4i, p4r, p4r_grpc
from google.protobuf import text_format

from bench.command import BenchError
from bench.programs import Program

_ELECTION_ID = 1 << 64
"""Higher than that of who pushed the pipeline."""
_ANSWER_SECONDS = 60.0


class WriteError(BenchError):
    """A target refused an entry or did not answer."""


@dataclass(frozen=True)
class Entries:
    """Entries of a program's only table with a key: each key's number, from 0, is its action's parameter."""

    table: p4i.Table
    action: p4i.Action
    keys: Sequence[int]

    @classmethod
    def of(cls, program: Program, keys: Sequence[int]) -> Entries:
        """Name the table and its action as the program's P4Info does."""
        info = text_format.Parse(program.p4info.read_text(), p4i.P4Info())
        [table] = info.tables
        [action] = [action for action in info.actions if action.params]
        return cls(table, action, keys)

    def __getitem__(self, number: int) -> p4r.Entity:
        """Return the entry with this number."""
        param = p4r.Action.Param(param_id=self.action.params[0].id, value=_minimal(number))
        action = p4r.Action(action_id=self.action.preamble.id, params=[param])
        entity = self.asked(number)
        entity.table_entry.action.action.CopyFrom(action)
        return entity

    def inserted(self, device_id: int, numbers: Iterable[int]) -> bytes:
        """Return one Write request of a `Writer` that inserts the entries of these numbers, encoded."""
        updates = [p4r.Update(type=p4r.Update.INSERT, entity=self[number]) for number in numbers]
        request = p4r.WriteRequest(
            device_id=device_id, election_id=U128.encode(_ELECTION_ID), updates=updates
        )
        return request.SerializeToString()

    def asked(self, number: int) -> p4r.Entity:
        """Return the same entry without its action, as a read asks for it."""
        exact = p4r.FieldMatch.Exact(value=_minimal(self.keys[number]))
        match = p4r.FieldMatch(field_id=self.table.match_fields[0].id, exact=exact)
        return p4r.Entity(table_entry=p4r.TableEntry(table_id=self.table.preamble.id, match=[match]))


class Writer:
    """A primary client of a target that has its pipeline already."""

    def __init__(self, address: str, device_id: int, entries: Entries) -> None:
        self._device_id = device_id
        self._entries = entries
        self._channel = grpc.insecure_channel(address)
        self._stub = p4r_grpc.P4RuntimeStub(self._channel)
        # Requests are bytes already: encoding them is not the target's work.
        self._write = self._channel.unary_unary("/p4.v1.P4Runtime/Write")
        self._said: queue.SimpleQueue[p4r.StreamMessageRequest | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Become primary.

        Raises:
            WriteError: the target does not let it.
        """
        asked = p4r.MasterArbitrationUpdate(device_id=self._device_id, election_id=U128.encode(_ELECTION_ID))
        self._said.put(p4r.StreamMessageRequest(arbitration=asked))
        try:
            # The target takes the client for gone when nothing holds the stream.
            self._stream = self._stub.StreamChannel(iter(self._said.get, None))
            answer = next(self._stream)
        except grpc.RpcError as error:
            raise WriteError(f"arbitration: {_told(error)}") from error
        if answer.arbitration.status.code:
            raise WriteError(f"not primary: {answer.arbitration.status.message}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._said.put(None)
        self._channel.close()

    def send(self, request: bytes) -> None:
        """Send a request and wait for the answer.

        Raises:
            WriteError: the target refused it, or did not answer in time.
        """
        try:
            self._write(request, timeout=_ANSWER_SECONDS)
        except grpc.RpcError as error:
            raise WriteError(f"Write: {_told(error)}") from error

    def missing(self, numbers: Sequence[int]) -> list[int]:
        """Return the numbers of those of some entries that the target does not hold as they were written.

        Raises:
            WriteError: it refused to read.
        """
        asked = [self._entries.asked(number) for number in numbers]
        try:
            answers = self._stub.Read(p4r.ReadRequest(device_id=self._device_id, entities=asked))
            held = {_content(entity) for answer in answers for entity in answer.entities}
        except grpc.RpcError as error:
            raise WriteError(f"Read: {_told(error)}") from error
        return [number for number in numbers if _content(self._entries[number]) not in held]


def _content(entity: p4r.Entity) -> tuple[bytes, bytes]:
    entry = entity.table_entry
    return entry.match[0].exact.value, entry.action.action.params[0].value


def _minimal(value: int) -> bytes:
    """Return a value in as few bytes as it takes (P4Runtime specification 1.4, section 8.3)."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def _told(error: Any) -> str:
    return f"{error.code().name}: {error.details()}"
