"""Tables to C: the key, the lookup, what a hit counts, and the call of the action."""

from __future__ import annotations

from switch.generate import action as actions
from switch.generate import checksum
from switch.generate.header import Statements
from switch.generate.layout import Layout
from switch.generate.number import CType
from switch.generate.shape import (
    KeyShape,
    TableShape,
    action_shape,
    data_words,
    prefix_field,
    table_actions,
)
from switch.load.errors import LoadError
from switch.load.expression import FieldOf
from switch.load.program import Key, Table

MAX_RANGE_WORDS = 64  # 64-bit words of all range keys of a table
HIT = 1 << 31  # in what apply_N() returns, beside the action's number


def function(
    layout: Layout, statements: Statements, control: str, index: int, table_shape: TableShape
) -> list[str]:
    """apply_N(): look the table up and run the action; returns its number, with HIT."""
    table = layout.program.tables[index]
    lines = [
        f"INLINE uint32_t apply_{index}({layout.parameters(control)}) {{",
        "    (void)own;",
    ]
    constant = _constant_action(layout, index, table)
    if constant is not None:
        return [*lines, *constant, "}", ""]
    lines = [*_find(index, table_shape), *lines]
    lines.append(f"    const struct table *t = &c->state->tables[{index}];")
    lines.append("    const struct record *r;")
    lines += [f"    {line}" for line in _lookup(statements, index, table, table_shape)]
    lines += ["    uint32_t hit = 0;", "    if (r) {", f"        hit = {HIT}u;"]
    lines += [f"        {line}" for line in _on_hit(statements, table)]
    lines += ["    } else {", "        r = t->fallback;", "    }", f"    {_told(index, table, table_shape)}"]
    offset = f" + {2 * table_shape.range_words}" if table_shape.range_words else ""
    if table.keys:
        lines.append(f"    COUNT_LOOKUP(c, {index}, hit);")
    lines.append(f"    const uint64_t *a = r->data{offset};")
    if table.profile is not None:
        lines += [f"    {line}" for line in _indirect(layout, table)]
    numbers = table_actions(layout.program, table)
    words = str(data_words(tuple(action_shape(layout.program.actions[number]) for number in numbers)))
    if table.profile is not None:
        # A default is told from the table's own record, which may be shorter than a member's.
        words = f"r == t->fallback ? {table_shape.data_words - 2 * table_shape.range_words} : {words}"
    lines += ["    (void)a, (void)t;", f"    TRACE_ACTION({index}, r->action, r->entry, a, {words});"]
    lines += ["    switch (r->action) {"]
    for number, action in enumerate(numbers):
        lines.append(f"    case {number}: {actions.call(layout, action)}; break;")
    lines += ["    default: break;", "    }", "    TRACE_FIELDS(h);"]
    return [*lines, "    return hit | (r->action & 0x7fffffff);", "}", ""]


def _find(index: int, shape: TableShape) -> list[str]:
    """find_N() of an lpm table with several prefix lengths: called, to leave registers to its caller."""
    if shape.kind != "lpm":
        return []
    offset, width = prefix_field(shape)
    words = [f"k{i}" for i in range(shape.key_words)]
    parameters = ", ".join(f"uint64_t {word}" for word in words)
    head = f"static __attribute__((noinline)) const struct record *find_{index}"
    return [
        f"{head}(const struct table *t, {parameters}) {{",
        f"    const uint64_t key[] = {{{', '.join(words)}}};",
        f"    return table_lpm(t, key, {shape.key_words}, {offset}, {width}, {2 + shape.data_words});",
        "}",
        "",
    ]


def _told(index: int, table: Table, shape: TableShape) -> str:
    """The trace of a lookup: key, ranges and the record found."""
    key = f"key, {shape.key_words}" if table.keys else "NULL, 0"
    ranges = f"ranges, {shape.range_words}" if shape.range_words else "NULL, 0"
    return f"TRACE_LOOKUP({index}, t, {key}, {ranges}, r);"


def _constant_action(layout: Layout, index: int, table: Table) -> list[str] | None:
    """A table without keys whose default never changes is a plain call."""
    if table.keys or table.default is None or not table.default.const or table.profile is not None:
        return None
    number = table.actions.index(table.default.action)
    action = layout.program.actions[table.default.action]
    params, words = actions.words_of([p.width for p in action.params])
    values = [0] * max(words, 1)
    for value, param, at in zip(table.default.params, action.params, params.offsets, strict=True):
        for limb in range((param.width + 63) // 64):
            values[at + limb] = value >> (64 * limb) & (1 << 64) - 1
    listed = ", ".join(f"{value:#x}ull" for value in values)
    return [
        f"    static const uint64_t a[] = {{{listed}}};",
        f"    TRACE_ACTION({index}, {number}, 0, a, {len(values)});",
        f"    {actions.call(layout, table.default.action)};",
        "    TRACE_FIELDS(h);",
        f"    return {number};",
    ]


def key_words(
    statements: Statements, keys: tuple[Key, ...], shapes: tuple[KeyShape, ...], count: int
) -> list[str]:
    """C code of each word of the key."""
    words: list[list[str]] = [[] for _ in range(count)]
    for key, shape in zip(keys, shapes, strict=True):
        if shape.kind == "range" or not shape.width:
            continue
        for limb in range((shape.width + 63) // 64):
            code = key_limb(statements, key, limb)
            shift = shape.offset % 64
            words[shape.offset // 64 + limb].append(f"{code} << {shift}" if shift else code)
    return [" | ".join(terms) or "0" for terms in words]


def key_limb(statements: Statements, key: Key, limb: int) -> str:
    """64 bits of a key field as it is stored, under the key's own mask."""
    if isinstance(key.value, FieldOf):
        name = statements.field(key.value)
        if key.width > 128:
            code = f"{name}.w[{limb}]"
        else:
            code = f"(uint64_t)({name} >> {64 * limb})" if limb else f"(uint64_t){name}"
    else:
        code = statements.expressions.as_type(key.value, CType(64, signed=False))
    if isinstance(key.value, FieldOf) and _may_be_left(statements, key.value):
        # A key in an invalid header is 0 (MatchKeyBuilder in behavioral-model's match_units.cpp).
        code = f"({statements.expressions.place(key.value.header)}.valid ? {code} : 0)"
    mask = key.mask >> (64 * limb) & (1 << 64) - 1
    full = (1 << min(key.width - 64 * limb, 64)) - 1
    return code if mask == full else f"({code} & {mask:#x}ull)"


def _may_be_left(statements: Statements, field: FieldOf) -> bool:
    """Whether the header of a field may be invalid and still hold what it held."""
    if statements.layout.is_metadata(field.header):
        return False
    return statements.program.type_of(field.header) in statements.layout.left


def _lookup(statements: Statements, index: int, table: Table, shape: TableShape) -> list[str]:
    if not table.keys:
        return ["r = NULL;"]
    count = shape.key_words
    words = key_words(statements, table.keys, shape.keys, count)
    lines = [f"const uint64_t key[] = {{{', '.join(words)}}};"]
    if table.kind == "exact":
        width = count + 2 + shape.data_words
        return [*lines, f"r = table_exact(t, key, {count}, {width});"]
    if table.kind == "lpm":
        several = f"find_{index}(t, {', '.join(f'key[{i}]' for i in range(count))})"
        one = f"tuple_record(t, t->tuples, key, {count}, {2 + shape.data_words})"
        return [*lines, f"r = t->tuple_count == 1 ? {one} : {several};"]
    ranges: list[str] = []
    highest = 0  # the words that begin a bound, from above
    for key in table.keys:
        if key.kind == "range" and key.width:
            ranges += [key_limb(statements, key, limb) for limb in range((key.width + 63) // 64)]
            highest |= 1 << (len(ranges) - 1)
    if len(ranges) > MAX_RANGE_WORDS:
        raise LoadError(204, f"range keys of {64 * len(ranges)} bits in table {table.name}")
    if ranges:
        lines.append(f"const uint64_t ranges[] = {{{', '.join(ranges)}}};")
    bounds = f"{'ranges' if ranges else 'NULL'}, {len(ranges)}, {highest:#x}ull"
    return [*lines, f"r = table_ternary(t, key, {count}, {bounds});"]


def _on_hit(statements: Statements, table: Table) -> list[str]:
    lines: list[str] = []
    if table.counters:
        lines.append("count_packet(&t->counts[r->entry], h->arrived);")
    if table.timeout:
        lines += ["TRACE_KEEP(&t->hits[r->entry], sizeof *t->hits);", "t->hits[r->entry] = c->now;"]
    if table.meter is not None:
        meter = statements.program.meters[table.meter]
        colour = (
            f"meter_colour(&t->meters[r->entry], c->now, {'h->arrived' if meter.bytes else '1'}, h->arrived)"
        )
        if meter.target:
            lines.append(statements.store(meter.target, colour, CType(32, signed=False)))
    return lines


def _indirect(layout: Layout, table: Table) -> list[str]:
    assert table.profile is not None  # noqa: S101 (told by the caller)
    profile = layout.program.profiles[table.profile]
    where = f"&c->state->profiles[{table.profile}]"
    numbers = table_actions(layout.program, table)
    words = data_words(tuple(action_shape(layout.program.actions[number]) for number in numbers))
    lines: list[str] = []
    if profile.calculation is not None:
        drawn = f"{checksum.call(layout, profile.calculation)}, {words}, {profile.size}"
        lines += [
            "if (r->action == ACTION_GROUP) {",
            f"    const struct group *g = group_at({where}, a[0]);",
            "    r = group_only(g);",
            f"    if (!r) r = group_choose({where}, g, {drawn});",
            "    a = r->data;",
            "} else",
        ]
    return [
        *lines,
        "if (r->action == ACTION_MEMBER) {",
        f"    r = member_at({where}, a[0], {words});",
        "    a = r->data;",
        "}",
    ]
