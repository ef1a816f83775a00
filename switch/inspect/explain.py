"""Explain: what a trace tells (records of runtime/trace_kind.h, in order) as steps in its program's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from switch.courier import messages
from switch.dataplane import ENDED, Dataplane
from switch.encode import decode_digest, decode_message
from switch.inspect.lookup import Lookups
from switch.inspect.naming import (
    field_name,
    hexadecimal,
    key_part_name,
    place_name,
    source_of,
    state_name,
    transition_text,
    value_field,
)
from switch.load.program import State
from switch.native import ffi
from switch.proto import inspect_pb2 as pb

_KINDS: dict[int, str] = {
    number: name.removeprefix("TRACE_").lower()
    for number, name in ffi.typeof("enum trace_kind").elements.items()
}
_RESUBMITTED, _RECIRCULATED = 6, 4  # instance types of simple_switch
_REASONS = {_RESUBMITTED: pb.Arrival.RESUBMITTED, _RECIRCULATED: pb.Arrival.RECIRCULATED}
_WORD = 8


def explain(dataplane: Dataplane, port: int, packet: bytes) -> pb.Explanation:
    """The way that a packet would take if it came in on `port` now; without effect.

    Raises:
        BuildError: the C compiler failed.
        OSError: the packet is too long.
    """
    return _Reader(dataplane, port).read(dataplane.trace(port, packet))


def _words(body: bytes) -> list[int]:
    return [int.from_bytes(body[at : at + _WORD], "little") for at in range(0, len(body), _WORD)]


class _Reader:
    """Reads one trace; each kind of record has the method `_on_KIND(id, body)`."""

    def __init__(self, dataplane: Dataplane, port: int) -> None:
        self.program = dataplane.program
        self.shape = dataplane.shape
        self.fields = dataplane.generated.fields
        self.lookups = Lookups(dataplane)
        self.dataplane = dataplane
        self.port = port
        self.explanation = pb.Explanation()
        self.branches: list[Any] = [self.explanation.steps]
        self.packet = b""
        self.state: State | None = None
        self.told = pb.State()
        self.extracted: dict[tuple[int, int | None], str] = {}
        self.table = pb.Table()
        self.deparsed = pb.Deparsed()

    def read(self, data: bytes) -> pb.Explanation:
        readers: dict[str, Callable[[int, bytes], None]] = {
            kind: getattr(self, f"_on_{kind}") for kind in _KINDS.values()
        }
        for kind, number, body in messages(data):
            readers[_KINDS[kind]](number, body)
        return self.explanation

    def _step(self) -> pb.Step:
        return self.branches[-1].add()

    # Parser

    def _on_ingress(self, kind: int, body: bytes) -> None:
        self.packet = body
        reason = _REASONS.get(kind, pb.Arrival.RECEIVED)
        self._step().arrival.CopyFrom(pb.Arrival(reason=reason, port=self.port, packet=body.hex()))

    def _on_state(self, number: int, body: bytes) -> None:
        self._enter(number)
        self.state = self.program.states[number]
        self.extracted = {}
        self.told = self._step().state
        self.told.name = self.state.name

    def _enter(self, number: int | None) -> None:
        """Tell the state that was before where it led to."""
        if self.state is None:
            return
        if self.state.key and not self.told.matched:
            self.told.matched = "default"
        self.told.next = state_name(self.program, number)

    def _on_extract(self, first: int, body: bytes) -> None:
        element, offset, length = _words(body)
        header = self._header(first, element)
        data = self.packet[offset : offset + length]
        told = self.told.extracted.add(name=self.program.headers[header].name, offset=offset, length=length)
        header_type = self.program.types[self.program.headers[header].type]
        bits, left = int.from_bytes(data), 8 * length
        self.extracted[header, None] = ""
        for index, field in enumerate(header_type.fields):
            width = 8 * length - header_type.fixed_bits if field.varbit else field.width
            left -= width
            value = bits >> left & ((1 << width) - 1)
            text = value.to_bytes(width // 8).hex() if field.varbit else hexadecimal(value, width)
            told.fields.add(name=field.name, width=field.width, value=text)
            self.extracted[header, index] = text

    def _header(self, first: int, element: int) -> int:
        """The header `element` places after the first one of its stack."""
        if not element:
            return first
        for stack in self.program.stacks:
            if stack.headers[0] == first:
                return stack.headers[element]
        for stack in self.program.union_stacks:
            members = self.program.unions[stack.unions[0]].headers
            if first in members:
                return self.program.unions[stack.unions[element]].headers[members.index(first)]
        raise LookupError(f"header {first} is in no stack")

    def _on_select(self, index: int, body: bytes) -> None:
        assert self.state is not None  # noqa: S101 (only states select)
        part = self.state.key[index]
        value = int.from_bytes(body, "little") & ((1 << part.width) - 1)
        self.told.select.append(value_field(key_part_name(self.program, part), value, part.width))

    def _on_transition(self, index: int, body: bytes) -> None:
        assert self.state is not None  # noqa: S101 (only states have transitions)
        self.told.matched = transition_text(self.program, self.state, self.state.transitions[index])

    def _on_parsed(self, error: int, body: bytes) -> None:
        checksum_error, payload_length = _words(body)
        name = next((name for name, number in self.program.errors if number == error), str(error))
        if not error:
            self._enter(None)
        self.state, self.extracted = None, {}
        parsed = pb.Parsed(error=name, checksum_error=bool(checksum_error), payload_length=payload_length)
        self._step().parsed.CopyFrom(parsed)

    # Controls

    def _on_condition(self, number: int, body: bytes) -> None:
        program = self.program
        node = (*program.ingress.conditionals, *program.egress.conditionals)[number]
        (outcome,) = _words(body)
        condition = pb.Condition(name=node.name, source=source_of(node.source), outcome=bool(outcome))
        self._step().condition.CopyFrom(condition)

    def _on_lookup(self, number: int, body: bytes) -> None:
        self.table = self._step().table
        self.lookups.looked_up(self.table, number, _words(body))

    def _on_action(self, number: int, body: bytes) -> None:
        if self.program.tables[number].name != self.table.name:
            self.table = self._step().table
            self.lookups.introduce(self.table, number)
        self.lookups.ran(self.table, number, _words(body))
        self.table = pb.Table()

    def _on_exit(self, number: int, body: bytes) -> None:
        self._step().exit.SetInParent()

    def _on_field(self, number: int, body: bytes) -> None:
        header, field = self.fields[number]
        half = len(body) // 2
        before, after = (int.from_bytes(part, "little") for part in (body[:half], body[half:]))
        if field is None:
            if (header, None) not in self.extracted:
                changes = self._changes()
                (changes.added if after else changes.removed).append(self.program.headers[header].name)
            return
        width = self.program.types[self.program.headers[header].type].fields[field].width
        if self.extracted.get((header, field)) == hexadecimal(after, width):
            return
        self._changes().fields.add(
            name=field_name(self.program, header, field),
            width=width,
            before=hexadecimal(before, width),
            after=hexadecimal(after, width),
        )

    def _changes(self) -> pb.Changes:
        """The step that tells of changes, which a run of them shares."""
        steps = self.branches[-1]
        if not steps or steps[-1].WhichOneof("step") != "changes":
            return self._step().changes
        return steps[-1].changes

    # Externs

    def _access(self, kind: pb.Access.Kind, name: str, body: bytes, width: int = 0) -> None:
        access = pb.Access(kind=kind, name=name, index=int.from_bytes(body[:_WORD], "little"))
        if width:
            value = int.from_bytes(body[_WORD:], "little") & ((1 << width) - 1)
            access.value = hexadecimal(value, width)
        self._step().access.CopyFrom(access)

    def _on_count(self, number: int, body: bytes) -> None:
        self._access(pb.Access.COUNT, self.program.counters[number].name, body)

    def _on_meter(self, number: int, body: bytes) -> None:
        self._access(pb.Access.METER, self.program.meters[number].name, body)

    def _on_read(self, number: int, body: bytes) -> None:
        register = self.program.registers[number]
        self._access(pb.Access.READ, register.name, body, register.width)

    def _on_write(self, number: int, body: bytes) -> None:
        register = self.program.registers[number]
        self._access(pb.Access.WRITE, register.name, body, register.width)

    def _on_log(self, number: int, body: bytes) -> None:
        self._step().log.text = decode_message(self.shape, number, body)

    def _on_digest(self, number: int, body: bytes) -> None:
        digest = self.program.digests[number]
        told = pb.Digest(name=digest.name)
        values = decode_digest(self.shape.digests[number], body)
        for place, value in zip(digest.fields, values, strict=True):
            width = self.program.field(place).width
            told.fields.append(value_field(place_name(self.program, place), value, width))
        self._step().digest.CopyFrom(told)

    # Architecture

    def _clone(self, session: int, body: bytes, from_egress: bool) -> None:
        copies, truncate = _words(body)
        clone = pb.Clone(from_egress=from_egress, session=session, copies=copies, truncate=truncate)
        self._step().clone.CopyFrom(clone)

    def _on_clone_ingress(self, session: int, body: bytes) -> None:
        self._clone(session, body, from_egress=False)

    def _on_clone_egress(self, session: int, body: bytes) -> None:
        self._clone(session, body, from_egress=True)

    def _on_multicast(self, group: int, body: bytes) -> None:
        (copies,) = _words(body)
        self._step().multicast.CopyFrom(pb.Multicast(group=group, copies=copies))

    def _on_copy(self, port: int, body: bytes) -> None:
        (instance,) = _words(body)
        step = self._step()
        step.copy.CopyFrom(pb.Copy(port=port, instance=instance))
        self.branches.append(step.copy.steps)

    def _on_copied(self, number: int, body: bytes) -> None:
        self.branches.pop()

    def _on_egress(self, port: int, body: bytes) -> None:
        self._step().egress.CopyFrom(pb.Egress(port=port))

    def _on_deparse(self, number: int, body: bytes) -> None:
        step = self._step()
        step.deparsed.SetInParent()
        self.deparsed = step.deparsed

    def _on_emit(self, header: int, body: bytes) -> None:
        self.deparsed.headers.append(self.program.headers[header].name)

    def _on_deparsed(self, number: int, body: bytes) -> None:
        self.deparsed.header_length, self.deparsed.payload_length = _words(body)

    def _on_sent(self, port: int, body: bytes) -> None:
        interface = self.dataplane.port_name(port)
        self._step().sent.CopyFrom(pb.Sent(port=port, interface=interface, packet=body.hex()))

    def _on_ended(self, reason: int, body: bytes) -> None:
        self._step().ended.reason = ENDED[reason]

    def _on_cut(self, number: int, body: bytes) -> None:
        self.explanation.cut = True
