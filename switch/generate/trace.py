"""What a packet's trace says of its fields: the list by which changes are found, and told by number."""

from __future__ import annotations

from switch.generate.layout import Layout
from switch.load.expression import FieldOf, HeaderRef

TraceField = tuple[int, int | None]
"""A header instance and its field; None stands for the header's validity."""


def fields(layout: Layout) -> tuple[TraceField, ...]:
    """All that a trace tells changes of, by number. Varbit fields are told when they are extracted only."""
    found: list[TraceField] = []
    for index, header in enumerate(layout.program.headers):
        if not header.metadata:
            found.append((index, None))
        live = layout.fields(header.type)
        found += [(index, i) for i, field in live if field.width and not field.varbit]
    return tuple(found)


def declare(layout: Layout) -> list[str]:
    """`phv_fields`, for tracing programs only."""
    lines = ["#ifdef TRACING", "static const struct trace_field phv_fields[] = {"]
    for index, field in fields(layout):
        header, home = layout.program.headers[index], layout.homes[index]
        member = f"{home}.valid" if field is None else _member(layout, index, field)
        there = "NO_VALIDITY" if header.metadata or field is None else f"offsetof(struct phv, {home}.valid)"
        lines.append(f"    {{offsetof(struct phv, {member}), sizeof ((struct phv *)0)->{member}, {there}}},")
    return [*lines, "};", "#endif", ""]


def _member(layout: Layout, header: int, field: int) -> str:
    place = FieldOf(HeaderRef(header), field)
    own = layout.own(place)
    if own:
        return f"{layout.reach.fields[header, field]}_own.{own}"
    return f"{layout.homes[header]}.{layout.field_name(layout.program.type_of(place.header), field)}"
