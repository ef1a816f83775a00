"""Where the parts of a packet live while it is processed: names in C, and which fields are needed at all.

A field that nothing in the program names stays in the packet's bytes and is never extracted. What a header
type's instances need is decided per type, so that headers can be copied as a whole.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from switch.generate.number import storage
from switch.load.expression import (
    CompareHeaders,
    FieldOf,
    HeaderPlace,
    HeaderRef,
    StackElement,
    StackLast,
    UnionStackMember,
)
from switch.load.extern import Checksum, Meter, WholeHeader
from switch.load.primitive import (
    Assign,
    AssignHeader,
    AssignVarbit,
    ExecuteMeter,
    Hash,
    MarkToDrop,
    Random,
    RegisterRead,
    SetInvalid,
)
from switch.load.program import Field, HeaderType, Program, SetFromLookahead

RUNTIME_FIELDS = ("egress_spec", "mcast_grp")  # what the architecture reads; the rest it only writes


def identifier(name: str) -> str:
    """A P4 name as part of a C identifier."""
    return re.sub(r"\W+", "_", name).strip("_") or "x"


def walk(value: Any) -> Iterator[Any]:
    """The parts of a tree of dataclasses and tuples, `value` first."""
    yield value
    if isinstance(value, tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from walk(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from walk(getattr(value, field.name))


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of headers and fields in C; `live` and `written` hold (type, field) pairs.

    `left` are the header types of which a header can become invalid and still hold what it held.
    """

    program: Program
    live: frozenset[tuple[int, int]]
    written: frozenset[tuple[int, int]]
    left: frozenset[int]
    homes: tuple[str, ...]
    union_of: dict[int, int]

    def type_name(self, type_index: int) -> str:
        """The C struct of a header type, without `struct`."""
        return f"t{type_index}_{identifier(self.program.types[type_index].name)}"

    def fields(self, type_index: int) -> list[tuple[int, Field]]:
        """The live fields of a type."""
        declared = self.program.types[type_index].fields
        return [(i, field) for i, field in enumerate(declared) if (type_index, i) in self.live]

    def field_name(self, type_index: int, field: int) -> str:
        """The C name of a field in its struct."""
        return f"f{field}_{identifier(self.program.types[type_index].fields[field].name)}"

    def header(self, place: HeaderPlace, index: str | None = None) -> str:
        """A header as an lvalue; `index` is C code for a run-time index where the place has one."""
        match place:
            case HeaderRef(header):
                return f"h->{self.homes[header]}"
            case StackElement(stack=stack):
                return f"h->s{stack}[element({index}, {len(self.program.stacks[stack].headers)})]"
            case StackLast(stack=stack):
                return (
                    f"h->s{stack}[element(h->s{stack}_next - 1u, {len(self.program.stacks[stack].headers)})]"
                )
            case UnionStackMember(stack=stack, member=member):
                size = len(self.program.union_stacks[stack].unions)
                at = index if index is not None else f"h->u{stack}_next - 1u"
                return f"h->u{stack}_{member}[element({at}, {size})]"

    def is_metadata(self, place: HeaderPlace) -> bool:
        """Whether a place is always there."""
        return isinstance(place, HeaderRef) and self.program.headers[place.header].metadata


def plan(program: Program) -> Layout:
    """Decide what is extracted and how everything is called."""
    live: set[tuple[int, int]] = set()
    for name in RUNTIME_FIELDS:
        field = program.standard_field(name)
        if field:
            live.add((program.type_of(field.header), field.field))
    for part in walk(dataclasses.replace(program, standard=())):
        if isinstance(part, FieldOf):
            live.add((program.type_of(part.header), part.field))
        elif isinstance(part, CompareHeaders):
            live |= _all_fields(program, program.type_of(part.left))
        elif isinstance(part, WholeHeader):
            live |= _all_fields(program, program.headers[part.header].type)
    return Layout(
        program, frozenset(live), _written(program), _left(program), _homes(program), _union_of(program)
    )


def _all_fields(program: Program, type_index: int) -> set[tuple[int, int]]:
    return {(type_index, i) for i in range(len(program.types[type_index].fields))}


def _written(program: Program) -> frozenset[tuple[int, int]]:
    """Fields that some statement assigns; metadata, which is never deparsed from bytes, does not matter."""
    found: set[tuple[int, int]] = set()
    for part in walk(program):
        match part:
            case (
                Assign(dst=dst)
                | AssignVarbit(dst=dst)
                | RegisterRead(dst=dst)
                | ExecuteMeter(dst=dst)
                | Hash(dst=dst)
                | Random(dst=dst)
                | SetFromLookahead(dst=dst)
            ):
                found.add((program.type_of(dst.header), dst.field))
            case Checksum(target=target):
                found.add((program.type_of(target.header), target.field))
            case Meter(target=target) if target:
                found.add((program.type_of(target.header), target.field))
            case MarkToDrop(port=port, group=group):
                found.add((program.type_of(port.header), port.field))
                if group:
                    found.add((program.type_of(group.header), group.field))
            case _:
                pass
    for _, field in program.standard:
        found.add((program.type_of(field.header), field.field))
    return frozenset(found)


def _left(program: Program) -> frozenset[int]:
    found = {program.headers[header].type for union in program.unions for header in union.headers}
    for part in walk((program.actions, program.states)):
        match part:
            case SetInvalid(header=place) | AssignHeader(dst=place):
                found.add(program.type_of(place))
            case _:
                pass
    return frozenset(found)


def _homes(program: Program) -> tuple[str, ...]:
    """The lvalue (after `h->`) of each header instance: its own member, or an element of an array."""
    homes = [f"h{i}_{identifier(header.name)}" for i, header in enumerate(program.headers)]
    for s, stack in enumerate(program.stacks):
        for i, header in enumerate(stack.headers):
            homes[header] = f"s{s}[{i}]"
    for s, stack in enumerate(program.union_stacks):
        for i, union in enumerate(stack.unions):
            for member, header in enumerate(program.unions[union].headers):
                homes[header] = f"u{s}_{member}[{i}]"
    return tuple(homes)


def _union_of(program: Program) -> dict[int, int]:
    return {header: u for u, union in enumerate(program.unions) for header in union.headers}


def declare(layout: Layout) -> list[str]:
    """The structs of header types and `struct phv`, all a packet has."""
    program = layout.program
    lines: list[str] = []
    for t, header_type in enumerate(program.types):
        lines += _struct(layout, t, header_type)
    lines += ["struct phv {"]
    in_arrays = {h for stack in program.stacks for h in stack.headers}
    in_arrays |= {
        h for stack in program.union_stacks for u in stack.unions for h in program.unions[u].headers
    }
    for i, header in enumerate(program.headers):
        if i not in in_arrays:
            lines.append(f"    struct {layout.type_name(header.type)} {layout.homes[i]};")
    # One element more than the stack has: what is read or written beyond it goes there.
    for s, stack in enumerate(program.stacks):
        lines.append(f"    struct {layout.type_name(stack.type)} s{s}[{len(stack.headers) + 1}];")
        lines.append(f"    uint32_t s{s}_next;")
    for s, stack in enumerate(program.union_stacks):
        for member, header in enumerate(program.unions[stack.unions[0]].headers):
            name = layout.type_name(program.headers[header].type)
            lines.append(f"    struct {name} u{s}_{member}[{len(stack.unions) + 1}];")
        lines.append(f"    uint32_t u{s}_next;")
    lines += [
        "    const uint8_t *payload;",
        "    uint32_t payload_length, length, arrived, cut, error, checksum_error;",
        "    uint32_t clone_session, clone_list, digest, resubmit, recirculate;",
        "    uint8_t exit, failed;",
        "};",
        "",
    ]
    return lines


def _struct(layout: Layout, t: int, header_type: HeaderType) -> list[str]:
    lines = [f"struct {layout.type_name(t)} {{", "    const uint8_t *raw;"]
    if header_type.varbit is not None:
        lines += ["    const uint8_t *varbit, *tail;", "    uint32_t varbit_length;"]
    lines.append("    uint8_t valid;")
    for i, field in layout.fields(t):
        if not field.varbit and field.width:
            lines.append(f"    {storage(field.width)} {layout.field_name(t, i)};")
    return [*lines, "};", ""]
