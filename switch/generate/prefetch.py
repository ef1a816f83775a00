"""prefetch(): asks, right after parsing, for the entries of large tables that a packet is likely to need.

It only guesses: a key may have changed, or the table may not be applied, by the time the packet gets there.
"""

from __future__ import annotations

from switch.generate.header import Statements
from switch.generate.layout import Layout
from switch.generate.shape import Shape
from switch.generate.table import key_words
from switch.generate.tree import walk
from switch.load.expression import FieldOf
from switch.load.program import Table

FAR = 1 << 12
"""Entries; as in table.h."""


def function(layout: Layout, statements: Statements, shapes: Shape) -> list[str]:
    """C code of prefetch()."""
    # Not inlined, it would be taken for a function without effect and go.
    lines = ["INLINE void prefetch(struct context *c, const struct phv *h) {", "    (void)c, (void)h;"]
    for index in layout.program.ingress.tables:
        table = layout.program.tables[index]
        if table.kind == "exact" and table.size >= FAR and table.keys and _known(layout, table):
            shape = shapes.tables[index]
            words = key_words(statements, table.keys, shape.keys, shape.key_words)
            width = shape.key_words + 2 + shape.data_words
            lines += [
                f"    if (c->state->tables[{index}].exact.mask >= FAR - 1) {{",
                f"        const uint64_t key[] = {{{', '.join(words)}}};",
                f"        table_prefetch(&c->state->tables[{index}], key, {shape.key_words}, {width});",
                "    }",
            ]
    return [*lines, "}", ""]


def _known(layout: Layout, table: Table) -> bool:
    """Whether a table's key is all in the packet's headers."""
    fields = [part for key in table.keys for part in walk(key.value) if isinstance(part, FieldOf)]
    return bool(fields) and not any(layout.is_metadata(field.header) for field in fields)
