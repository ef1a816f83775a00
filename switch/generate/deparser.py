"""The deparser to C: checksums, then every valid header in order into the room for headers."""

from __future__ import annotations

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
    for header in layout.program.deparse:
        name = layout.header(HeaderRef(header))
        emit = f"emit_{layout.type_name(layout.program.headers[header].type)}"
        lines.append(f"    if ({name}.valid) {{ TRACE(EMIT, {header}); p = {emit}(&{name}, p); }}")
    return [*lines, "    return (uint32_t)(p - room);", "}", ""]


def room(layout: Layout) -> int:
    """Bytes that all headers together can take."""
    program = layout.program
    return sum(most_bytes(program, program.headers[header].type) for header in program.deparse)
