"""Where the parts of a packet live while it is processed: names in C, and which fields are needed at all.

A field that nothing in the program names stays in the packet's bytes and is never extracted. What a header
type's instances need is decided per type, so that headers can be copied as a whole.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from switch.generate.number import storage
from switch.generate.reach import Reach, reach
from switch.generate.tree import walk
from switch.generate.verified import as_it_came
from switch.generate.written import Written, written
from switch.load.expression import (
    CompareHeaders,
    FieldOf,
    HeaderPlace,
    HeaderRef,
    StackElement,
    StackLast,
    UnionStackMember,
)
from switch.load.extern import WholeHeader
from switch.load.primitive import AssignHeader, SetInvalid
from switch.load.program import Field, HeaderType, Program

RUNTIME_FIELDS = ("egress_spec", "mcast_grp")  # what the architecture reads; the rest it only writes
_FEW = 8  # headers to look at one by one when a packet is sent


def identifier(name: str) -> str:
    """A P4 name as part of a C identifier."""
    return re.sub(r"\W+", "_", name).strip("_") or "x"


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of headers and fields in C; `live` holds the (type, field) pairs that something names.

    `left` are the header types of which a header can become invalid and still hold what it held.
    """

    program: Program
    live: frozenset[tuple[int, int]]
    written: Written
    left: frozenset[int]
    homes: tuple[str, ...]
    union_of: dict[int, int]
    reach: Reach

    def type_name(self, type_index: int) -> str:
        """The C struct of a header type, without `struct`."""
        return f"t{type_index}_{identifier(self.program.types[type_index].name)}"

    def fields(self, type_index: int) -> list[tuple[int, Field]]:
        """The live fields of a type."""
        declared = self.program.types[type_index].fields
        return [(i, field) for i, field in enumerate(declared) if (type_index, i) in self.live]

    def own(self, place: FieldOf) -> str | None:
        """The C name of a field that only one control touches: a member of that control's `own`."""
        if isinstance(place.header, HeaderRef) and (place.header.header, place.field) in self.reach.fields:
            type_index = self.program.type_of(place.header)
            return f"h{place.header.header}_{self.field_name(type_index, place.field)}"
        return None

    def parameters(self, control: str | None) -> str:
        """The parameters of a C function that one control alone calls, or several."""
        own = f"struct {control}_own *own, " if control else ""
        return f"struct phv *h, {own}struct context *c"

    def arguments(self, control: str | None) -> str:
        """What is passed for `parameters()`."""
        return "h, own, c" if control else "h, c"

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

    def seen(self, place: HeaderPlace) -> int:
        """The bits in `h->seen` of the headers that a place can be."""
        program = self.program
        match place:
            case HeaderRef(header):
                return self.bits(header)
            case StackElement(stack=stack) | StackLast(stack=stack):
                return self.bits(*program.stacks[stack].headers)
            case UnionStackMember(stack=stack, member=member):
                unions = program.union_stacks[stack].unions
                return self.bits(*(program.unions[union].headers[member] for union in unions))

    def bits(self, *headers: int) -> int:
        """Those of headers: one each in the order of deparsing, the 64th for all beyond, none for others.

        A few are looked at as fast one by one, and have none.
        """
        order = self.program.deparse
        if len(order) <= _FEW:
            return 0
        return sum({1 << min(order.index(header), 63) for header in headers if header in order})

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
    calculations = tuple(c for i, c in enumerate(program.calculations) if not as_it_came(program, i))
    for part in walk(dataclasses.replace(program, standard=(), calculations=calculations)):
        if isinstance(part, FieldOf):
            live.add((program.type_of(part.header), part.field))
        elif isinstance(part, CompareHeaders):
            live |= _all_fields(program, program.type_of(part.left))
        elif isinstance(part, WholeHeader):
            live |= _all_fields(program, program.headers[part.header].type)
    return Layout(
        program=program,
        live=frozenset(live),
        written=written(program),
        left=_left(program),
        homes=_homes(program),
        union_of=_union_of(program),
        reach=reach(program),
    )


def _all_fields(program: Program, type_index: int) -> set[tuple[int, int]]:
    return {(type_index, i) for i in range(len(program.types[type_index].fields))}


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
    for control in (program.ingress, program.egress):
        lines += _own_struct(layout, control.name)
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
        *(f"    OWN_MEMBER({control.name})" for control in (program.ingress, program.egress)),
        "    const uint8_t *payload;",
        "    uint32_t payload_length, length, arrived, cut, error, checksum_error;",
        "    uint32_t clone_session, clone_list, digest, resubmit, recirculate;",
        "    uint64_t seen; /* a bit for each header that may be valid (Layout.bits) */",
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
    if t in layout.written.groups:
        lines.append("    uint32_t assigned; /* groups of `written.py` */")
    headers = [i for i, header in enumerate(layout.program.headers) if header.type == t]
    for i, field in layout.fields(t):
        own = all((header, i) in layout.reach.fields for header in headers)
        if not field.varbit and field.width and not own:
            lines.append(f"    {storage(field.width)} {layout.field_name(t, i)};")
    return [*lines, "};", ""]


def _own_struct(layout: Layout, control: str) -> list[str]:
    """Fields share no word: two that do would be compared at once in memory, and all then kept there."""
    lines = [f"struct {control}_own {{"]
    for (header, index), name in sorted(layout.reach.fields.items()):
        if name == control:
            place = FieldOf(HeaderRef(header), index)
            ctype = storage(layout.program.field(place).width)
            lines.append(f"    _Alignas(u128) {ctype} {layout.own(place)};")
    return [*lines, "};", ""]
