"""How keys and parameters are laid out in memory: what the control path needs of a generated program."""

from __future__ import annotations

from dataclasses import dataclass

from switch.load.program import Action, Entry, Program, Table

NO_ACTION = 0xFFFFFFFD  # a record that runs nothing


@dataclass(frozen=True, slots=True)
class KeyShape:
    """One key field: `offset` bits into the key words, or for a range the first of its range words."""

    name: str
    kind: str
    width: int
    mask: int
    offset: int


@dataclass(frozen=True, slots=True)
class ActionShape:
    """An action's parameters: widths in bits and word offsets in a record's data."""

    name: str
    widths: tuple[int, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table; the position in `actions` is the number that records hold."""

    name: str
    kind: str
    keys: tuple[KeyShape, ...]
    key_words: int
    range_words: int
    data_words: int
    size: int
    actions: tuple[ActionShape, ...]
    profile: int | None
    fallback: int
    fallback_params: tuple[int, ...]
    const_default: bool
    immutable: bool
    counters: bool
    meter: bool
    timeout: bool
    entries: tuple[Entry, ...]
    entry_actions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProfileShape:
    """An action profile or selector."""

    name: str
    size: int
    data_words: int
    actions: tuple[ActionShape, ...]
    selector: bool


@dataclass(frozen=True, slots=True)
class DigestShape:
    """A digest: widths of its fields."""

    name: str
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A program as the control path sees it; positions are the numbers that C uses."""

    tables: tuple[TableShape, ...]
    profiles: tuple[ProfileShape, ...]
    counters: tuple[tuple[str, int], ...]
    meters: tuple[tuple[str, int, bool], ...]
    registers: tuple[tuple[str, int, int], ...]
    value_sets: tuple[TableShape, ...]
    digests: tuple[DigestShape, ...]
    messages: tuple[tuple[str, tuple[int, ...]], ...]


def action_shape(action: Action) -> ActionShape:
    """Where an action's parameters go: each starts a word."""
    widths = tuple(param.width for param in action.params)
    offsets, _ = lay_out(widths)
    return ActionShape(action.name, widths, offsets)


def lay_out(widths: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Word offsets of parameters, and how many words they take together."""
    offsets: list[int] = []
    at = 0
    for width in widths:
        offsets.append(at)
        at += max((width + 63) // 64, 1)
    return tuple(offsets), at


def data_words(actions: tuple[ActionShape, ...]) -> int:
    """Words that the parameters of any of these actions take at most (1 for a member's or group's handle)."""
    return max([1, *(lay_out(action.widths)[1] for action in actions)])


def key_shapes(fields: list[tuple[str, str, int, int]]) -> tuple[tuple[KeyShape, ...], int, int]:
    """Key fields (name, kind, width, mask) laid out; also the numbers of key words and range words.

    A field of up to 64 bits never crosses a word, so that it is one shift in generated code. A key of no bits
    at all still has a word, so that all tables look alike.
    """
    shapes: list[KeyShape] = []
    at = ranges = 0
    for name, kind, width, mask in fields:
        if kind == "range":
            shapes.append(KeyShape(name, kind, width, mask, ranges))
            ranges += (width + 63) // 64
            continue
        if at % 64 + width > 64:
            at = (at + 63) // 64 * 64
        shapes.append(KeyShape(name, kind, width, mask, at))
        at += width
    return tuple(shapes), max((at + 63) // 64, 1), ranges


def prefix_field(table: TableShape) -> tuple[int, int]:
    """Offset and width in the key, in bits, of the field that is matched by prefix; (0, 0) without one."""
    keys = table.keys if table.kind == "lpm" else ()
    return next(((key.offset, key.width) for key in keys if key.kind == "lpm"), (0, 0))


def table_actions(program: Program, table: Table) -> tuple[int, ...]:
    """The program's actions that a table's records number: its own, or its profile's."""
    return table.actions if table.profile is None else program.profiles[table.profile].actions


def table_shape(program: Program, table: Table) -> TableShape:
    """The shape of a table."""
    keys, key_words, range_words = key_shapes([(k.name, k.kind, k.width, k.mask) for k in table.keys])
    numbers = table_actions(program, table)
    actions = tuple(action_shape(program.actions[a]) for a in numbers)
    fallback, params = NO_ACTION, ()
    if table.default:
        fallback, params = numbers.index(table.default.action), table.default.params
    # Records of a table with a profile hold a handle; only the default can be an action.
    held = actions if table.profile is None else actions[fallback : fallback + 1]
    return TableShape(
        name=table.name,
        kind=table.kind,
        keys=keys,
        key_words=key_words,
        range_words=range_words,
        data_words=2 * range_words + data_words(held),
        size=table.size,
        actions=actions,
        profile=table.profile,
        fallback=fallback,
        fallback_params=params,
        const_default=table.default is not None and table.default.const,
        immutable=table.immutable,
        counters=table.counters,
        meter=table.meter is not None,
        timeout=table.timeout,
        entries=table.entries,
        entry_actions=tuple(numbers.index(entry.action) for entry in table.entries),
    )


def shape(program: Program, messages: list[tuple[str, tuple[int, ...]]]) -> Shape:
    """The shape of a program."""
    profiles: list[ProfileShape] = []
    for profile in program.profiles:
        actions = tuple(action_shape(program.actions[a]) for a in profile.actions)
        selector = profile.calculation is not None
        profiles.append(ProfileShape(profile.name, profile.size, data_words(actions), actions, selector))
    return Shape(
        tables=tuple(table_shape(program, table) for table in program.tables),
        profiles=tuple(profiles),
        counters=tuple((counter.name, counter.size) for counter in program.counters),
        meters=tuple((meter.name, meter.size, meter.bytes) for meter in program.meters),
        registers=tuple((register.name, register.size, register.width) for register in program.registers),
        value_sets=tuple(_value_set(value_set.name, value_set.widths) for value_set in program.value_sets),
        digests=tuple(
            DigestShape(digest.name, tuple(program.field(f).width for f in digest.fields))
            for digest in program.digests
        ),
        messages=tuple(messages),
    )


MAX_VALUE_SET = 1024  # members; P4Info's size, which the JSON lacks, bounds them further


def _value_set(name: str, widths: tuple[int, ...]) -> TableShape:
    """A value set is a ternary table without actions; each part starts a word."""
    keys: list[KeyShape] = []
    at = 0
    for i, width in enumerate(widths):
        keys.append(KeyShape(str(i), "ternary", width, (1 << width) - 1, at))
        at += (width + 63) // 64 * 64
    return TableShape(
        name, "ternary", tuple(keys), max(at // 64, 1), 0, 1, MAX_VALUE_SET, (), None, NO_ACTION, (),
        False, False, False, False, False, (), (),
    )  # fmt: skip
