"""A whole program to one C file, and the shape that the control path needs."""

from __future__ import annotations

from dataclasses import dataclass

from switch.generate import (
    action,
    checksum,
    control,
    deparser,
    extern,
    header,
    layout,
    parser,
    prefetch,
    table,
    trace,
)
from switch.generate.action import Primitives
from switch.generate.layout import Layout
from switch.generate.shape import Shape, TableShape, prefix_field, shape
from switch.generate.trace import TraceField
from switch.generate.written import assigned
from switch.load.expression import FieldOf
from switch.load.primitive import Clone, MarkToDrop, Recirculate, Resubmit, SendDigest
from switch.load.program import Program

_KINDS = {"exact": "KIND_EXACT", "lpm": "KIND_LPM", "ternary": "KIND_TERNARY"}
MIN_ROOM = 64


@dataclass(frozen=True, slots=True)
class Generated:
    """C source, its shape, and the fields of its traces."""

    source: str
    shape: Shape
    fields: tuple[TraceField, ...]


def generate(program: Program) -> Generated:
    """Generate C for a program.

    Raises:
        LoadError: the program asks for something that is not generated; names it and its source line.
    """
    plan = layout.plan(program)
    primitives = Primitives(plan)
    statements = primitives.statements
    messages = extern.messages(program)
    shapes = shape(program, messages)
    body: list[str] = ['#include "platform.h"', ""]
    body += _wide_types(program)
    body += [f"static const uint8_t zeros[{_most_bytes(program)}];", *_helpers()]
    body += layout.declare(plan) + trace.declare(plan) + header.functions(plan)
    body += _standard(plan) + _marks() + _preserve(plan)
    for index in range(len(program.calculations)):
        body += checksum.function(statements, index)
    body += checksum.checksum_functions(statements)
    body += parser.function(plan)
    for index in range(len(program.actions)):
        body += action.function(plan, index)
    for pipe in (program.ingress, program.egress):
        for index in pipe.tables:
            body += table.function(plan, statements, pipe.name, index, shapes.tables[index])
        body += control.function(plan, pipe)
    body += prefetch.functions(plan, statements, shapes)
    body += deparser.function(plan) + extern.digest_function(plan, statements)
    body += _abilities(program)
    body += ['#include "v1model.h"', "", *_descriptor(plan, shapes)]
    return Generated("\n".join(body) + "\n", shapes, trace.fields(plan))


def _abilities(program: Program) -> list[str]:
    """What the program may do with a packet, as macros for v1model.h."""
    parts = [part for action in program.actions for part in action.primitives]
    group = program.standard_field("mcast_grp")
    grouping = (*(part for part in parts if not isinstance(part, MarkToDrop)), program.states)
    preserved = [field for fields in program.field_lists for field in fields.fields]
    able = {
        "CLONES_IN_INGRESS": any(isinstance(part, Clone) and not part.egress for part in parts),
        "CLONES_IN_EGRESS": any(isinstance(part, Clone) and part.egress for part in parts),
        "MULTICASTS": group in {*preserved, *(field for part in grouping for field in assigned(part))},
        "RESUBMITS": any(isinstance(part, Resubmit) for part in parts),
        "RECIRCULATES": any(isinstance(part, Recirculate) for part in parts),
        "DIGESTS": any(isinstance(part, SendDigest) for part in parts),
    }
    return [f"#define {name} {int(value)}" for name, value in able.items()]


def _most_bytes(program: Program) -> int:
    return max(
        [MIN_ROOM, *(t.max_bytes for t in program.types), *(t.fixed_bits // 8 + 1 for t in program.types)]
    )


def _wide_types(program: Program) -> list[str]:
    """Limb types: for every size up to twice the widest field, what products need."""
    widths = [field.width for header_type in program.types for field in header_type.fields]
    widths += [register.width for register in program.registers]
    widths += [param.width for a in program.actions for param in a.params]
    widest = max(widths, default=0)
    limbs = range(3, 2 * ((widest + 63) // 64) + 3) if widest > 32 else range(0)
    return [*(f"WIDE({n})" for n in limbs), ""]


def _helpers() -> list[str]:
    return [
        "INLINE uint64_t element(uint64_t index, uint64_t size) { return index < size ? index : size; }",
        "INLINE uint32_t shorter(uint32_t cut, uint32_t length) "
        "{ return cut && cut <= length ? cut : length + 1; }",
        "",
    ]


def _standard(plan: Layout) -> list[str]:
    """GET_ and SET_ of the standard metadata; those that the program never names cost nothing."""
    lines: list[str] = []
    present = dict(plan.program.standard)
    names = [
        "ingress_port",
        "egress_port",
        "egress_spec",
        "instance_type",
        "packet_length",
        "parser_error",
        "checksum_error",
        "mcast_grp",
        "egress_rid",
        "ingress_global_timestamp",
        "egress_global_timestamp",
        "enq_timestamp",
        "enq_qdepth",
        "deq_timedelta",
        "deq_qdepth",
    ]
    for name in names:
        place = present.get(name)
        code = _live_name(plan, place) if place else None
        if place and code:
            width = plan.program.field(place).width
            lines.append(f"#define SET_{name}(x, v) ((x)->{code} = (v) & {(1 << width) - 1:#x}ull)")
            lines.append(f"#define GET_{name}(x) ((x)->{code})")
        else:
            lines.append(f"#define SET_{name}(x, v) ((void)0)")
            lines.append(f"#define GET_{name}(x) 0")
    return [*lines, ""]


def _live_name(plan: Layout, place: FieldOf) -> str | None:
    type_index = plan.program.type_of(place.header)
    if (type_index, place.field) not in plan.live:
        return None
    return f"{_member(plan, place)}.{plan.field_name(type_index, place.field)}"


def _member(plan: Layout, place: FieldOf) -> str:
    """A field's header in `struct phv`."""
    return plan.header(place.header).removeprefix("h->")


def _marks() -> list[str]:
    return [
        "static inline void clear_marks(struct phv *h) {",
        "    h->clone_session = h->clone_list = h->digest = h->resubmit = h->recirculate = 0;",
        "}",
        "",
    ]


def _preserve(plan: Layout) -> list[str]:
    """preserve(): copy the fields of a field list from one packet to its copy."""
    lines = [
        "static inline void preserve(uint32_t list, struct phv *to, const struct phv *from) {",
        "    (void)to, (void)from;",
        "    switch (list) {",
    ]
    for fields in plan.program.field_lists:
        lines.append(f"    case {fields.id}:")
        for field in fields.fields:
            name = _live_name(plan, field)
            if name and plan.program.field(field).width:
                lines.append(f"        to->{name} = from->{name};")
            mask = plan.written.mask(plan.program.type_of(field.header), field.field)
            if mask:
                lines.append(f"        to->{_member(plan, field)}.assigned |= {mask}u;")
        lines.append("        break;")
    return [*lines, "    default: break;", "    }", "}", ""]


def _descriptor(plan: Layout, shapes: Shape) -> list[str]:
    program = plan.program
    lines: list[str] = []
    for i, table_shape in enumerate(shapes.tables):
        lines += _fallback_data(i, table_shape)
    lines.append("static const struct table_shape tables[] = {")
    lines += [f"    {_table_row(i, t)}," for i, t in enumerate(shapes.tables)]
    lines += ["    {0}", "};", "static const struct table_shape value_sets[] = {"]
    lines += [f"    {_value_set_row(t)}," for t in shapes.value_sets]
    lines += ["    {0}", "};", "static const struct profile_shape profiles[] = {"]
    lines += [f"    {{{p.data_words}, {p.size}}}," for p in shapes.profiles]
    lines += ["    {0, 0}", "};", "static const struct register_shape registers[] = {"]
    lines += [f"    {{{size}, {extern.cell_bytes(width)}}}," for _, size, width in shapes.registers]
    counters = ", ".join([*(str(size) for _, size in shapes.counters), "0"])
    meters = ", ".join([*(str(size) for _, size, _ in shapes.meters), "0"])
    lines += ["    {0, 0}", "};"]
    lines += [
        f"static const uint32_t counters[] = {{{counters}}};",
        f"static const uint32_t meters[] = {{{meters}}};",
    ]
    counts = [
        shapes.tables,
        shapes.value_sets,
        shapes.profiles,
        shapes.registers,
        shapes.counters,
        shapes.meters,
    ]
    numbers = ", ".join(str(len(group)) for group in counts)
    room = deparser.room(plan) + MIN_ROOM
    lines += [
        "const struct program program = {",
        f"    tables, value_sets, profiles, registers, counters, meters, {numbers}, {room}, receive,",
        "};",
    ]
    del program
    return lines


def _fallback_data(index: int, table_shape: TableShape) -> list[str]:
    words = [0] * table_shape.data_words
    if table_shape.fallback < len(table_shape.actions):
        action_shape = table_shape.actions[table_shape.fallback]
        for value, width, at in zip(
            table_shape.fallback_params, action_shape.widths, action_shape.offsets, strict=True
        ):
            for limb in range((width + 63) // 64):
                words[2 * table_shape.range_words + at + limb] = value >> (64 * limb) & (1 << 64) - 1
    listed = ", ".join(f"{word:#x}ull" for word in words)
    return [f"static const uint64_t fallback_{index}[] = {{{listed}}};"]


def _table_row(index: int, t: TableShape) -> str:
    flags = f"{int(t.counters)}, {int(t.timeout)}, {int(t.meter)}"
    profile = -1 if t.profile is None else t.profile
    words = f"{t.key_words}, {t.range_words}, {t.data_words}"
    offset, width = prefix_field(t)
    key = f"{_KINDS[t.kind]}, {words}, {t.size}, {offset}, {width}"
    return f"{{{key}, {flags}, {profile}, {t.fallback}u, fallback_{index}}}"


def _value_set_row(t: TableShape) -> str:
    key = f"KIND_TERNARY, {t.key_words}, 0, {t.data_words}, {t.size}, 0, 0"
    return f"{{{key}, 0, 0, 0, -1, {t.fallback}u, NULL}}"
