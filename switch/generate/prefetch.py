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
from switch.load.primitive import Check, Count, ExecuteMeter, Log, Random, RegisterWrite
from switch.load.program import Table

FAR = 1 << 12
"""Entries; as in table.h."""
MOST = 64
"""Tables; any others are found when a packet gets there."""
_TELLING = (Check, Count, ExecuteMeter, Log, Random, RegisterWrite)
"""What may not happen twice: with these in the parser, packets are parsed only once."""


def functions(layout: Layout, statements: Statements, shapes: Shape) -> list[str]:
    """C code of far_tables(), a bit for each such table that is far now, and of prefetch().

    Not always inlined, prefetch() would be taken for a function without effect, and go.
    """
    far: list[str] = []
    lines = ["INLINE void prefetch(struct context *c, const struct phv *h, uint64_t far) {"]
    lines.append("    (void)c, (void)h, (void)far;")
    for index in layout.program.ingress.tables:
        table = layout.program.tables[index]
        if len(far) == MOST or table.kind != "exact" or table.size < FAR or not _known(layout, table):
            continue
        shape = shapes.tables[index]
        words = key_words(statements, table.keys, shape.keys, shape.key_words)
        width = shape.key_words + 2 + shape.data_words
        bit = f"1ull << {len(far)}"
        far.append(f"(table_is_far(&c->state->tables[{index}]) ? {bit} : 0)")
        lines += [
            f"    if (far & {bit}) {{",
            f"        const uint64_t key[] = {{{', '.join(words)}}};",
            f"        table_prefetch(&c->state->tables[{index}], key, {shape.key_words}, {width});",
            "    }",
        ]
    if any(isinstance(op, _TELLING) for state in layout.program.states for op in state.ops):
        far = []
    any_far = " | ".join(far) or "0"
    return [
        f"INLINE uint64_t far_tables(const struct context *c) {{ return (void)c, {any_far}; }}",
        *lines,
        "}",
        "",
    ]


def _known(layout: Layout, table: Table) -> bool:
    """Whether a table's key is all in the packet's headers."""
    fields = [part for key in table.keys for part in walk(key.value) if isinstance(part, FieldOf)]
    return bool(fields) and not any(layout.is_metadata(field.header) for field in fields)
