"""The deparser to C: checksums, then every valid header in order into the room for headers.

Headers at the end that are as they came, right before the payload, stay there and count as payload.
"""

from __future__ import annotations

from collections.abc import Sequence

from switch.generate.action import Primitives
from switch.generate.header import most_bytes
from switch.generate.layout import Layout
from switch.load.expression import HeaderRef


def function(layout: Layout) -> list[str]:
    """deparse(), which returns the bytes that it wrote."""
    primitives = Primitives(layout)
    lines = ["INLINE uint32_t deparse(struct phv *h, struct context *c, uint8_t *room) {", "    (void)c;"]
    lines += ["    uint8_t *p = room;", "    TRACE(DEPARSE, 0);", "    update_checksums(h, c);"]
    lines += [f"    {line}" for line in primitives.block(layout.program.deparse_ops)]
    lines.append("    TRACE_FIELDS(h);")
    places = [HeaderRef(header) for header in layout.program.deparse]
    lines.append(f"    uint32_t moved = {len(places)};")
    stays = [(place, _stay(layout, place, number)) for number, place in enumerate(places)]
    lines += [f"    {line}" for line in _look(layout, stays[::-1])]
    lines.append("written: __attribute__((unused));")
    emits = [(place, _emit(layout, place, number)) for number, place in enumerate(places)]
    lines += [f"    {line}" for line in _look(layout, emits)]
    return [*lines, "    return (uint32_t)(p - room);", "}", ""]


def _look(layout: Layout, at: Sequence[tuple[HeaderRef, list[str]]]) -> list[str]:
    """What to do for each header; any half, and half of a half, where none may be valid is passed over."""
    bits = layout.bits(*(place.header for place, _ in at))
    if len(at) <= 1 or not bits:
        return [line for _, lines in at for line in lines]
    half = len(at) // 2
    parts = [*_look(layout, at[:half]), *_look(layout, at[half:])]
    return [f"if (h->seen & {bits:#x}ull) {{", *(f"    {line}" for line in parts), "}"]


def _emit(layout: Layout, place: HeaderRef, number: int) -> list[str]:
    """Write a header, unless it is part of the payload."""
    name = layout.header(place)
    emit = f"emit_{layout.type_name(layout.program.type_of(place))}(&{name}, p)"
    return [f"if ({name}.valid) {{ TRACE(EMIT, {place.header}); if (moved > {number}) p = {emit}; }}"]


def _stay(layout: Layout, place: HeaderRef, number: int) -> list[str]:
    """Take a header into the payload, or end that with it."""
    name = layout.header(place)
    header_type = layout.program.types[layout.program.type_of(place)]
    if header_type.varbit is not None:  # may be another's
        return [f"if ({name}.valid) goto written;"]
    size = header_type.fixed_bits // 8
    changed = f"{name}.assigned || " if layout.written.groups.get(layout.program.type_of(place)) else ""
    return [
        f"if ({name}.valid) {{",
        f"    if ({changed}{name}.raw + {size} != h->payload) goto written;",
        f"    h->payload = {name}.raw;",
        f"    h->payload_length += {size};",
        f"    moved = {number};",
        "}",
    ]


def room(layout: Layout) -> int:
    """Bytes that all headers together can take."""
    program = layout.program
    return sum(most_bytes(program, program.headers[header].type) for header in program.deparse)
