"""What a program's control calls may be given, as C for `target.c`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from switch.encode import encode_params, entry_key
from switch.generate.shape import ActionShape, ProfileShape, Shape, TableShape
from switch.rows import Rows

_WORD = (1 << 64) - 1


def declare(shape: Shape) -> str:
    """The definitions that `target.c` includes."""
    lines: list[str] = []
    for i, table in enumerate(shape.tables):
        lines += [
            _array(f"table_{i}_actions", _masks(table.actions, _record_words(table))),
            _array(f"table_{i}_key", _split(_key_mask(table), table.key_words)),
            _array(f"table_{i}_ranges", _range_masks(table)),
        ]
    for i, profile in enumerate(shape.profiles):
        lines.append(_array(f"profile_{i}", _masks(profile.actions, profile.data_words)))
    for i, value_set in enumerate(shape.value_sets):
        lines.append(_array(f"value_set_{i}", _split(_key_mask(value_set), value_set.key_words)))
    for i, (_, _, width) in enumerate(shape.registers):
        cell = ((1 << width) - 1).to_bytes(max(16, width // 8 + 8), "little")
        lines.append(_array(f"register_{i}", cell, "uint8_t"))
    entries = [
        (i, table, entry) for i, table in enumerate(shape.tables) for entry in range(len(table.entries))
    ]
    rows = [_entry(lines, i, table, number) for i, table, number in entries]
    lines += _list("struct known_table", "known_tables", [_table(i, t) for i, t in enumerate(shape.tables)])
    lines += _list("struct choices", "known_profiles", [_profile(i, p) for i, p in enumerate(shape.profiles)])
    sets = [f"value_set_{i}" for i in range(len(shape.value_sets))]
    lines += _list("uint64_t *const", "known_value_sets", sets, nothing="0")
    registers = [f"register_{i}" for i in range(len(shape.registers))]
    lines += _list("uint8_t *const", "known_registers", registers, nothing="0")
    lines += _list("struct known_entry", "known_entries", rows)
    return "\n".join(lines) + "\n"


def _array(name: str, values: Iterable[int], of: str = "uint64_t") -> str:
    """At least one element, as C wants."""
    listed = ", ".join(f"{value:#x}ull" for value in values) or "0"
    return f"static const {of} {name}[] = {{{listed}}};"


def _list(of: str, name: str, rows: Sequence[str], nothing: str = "{0}") -> list[str]:
    return [f"static const {of} {name}[] = {{", *(f"    {row}," for row in rows), f"    {nothing}", "};"]


def _split(value: int, words: int) -> list[int]:
    return [value >> (64 * i) & _WORD for i in range(max(words, 1))]


def _record_words(table: TableShape) -> int:
    return table.data_words - 2 * table.range_words


def _masks(actions: Sequence[ActionShape], words: int) -> list[int]:
    full = [encode_params(action, [(1 << width) - 1 for width in action.widths]) for action in actions]
    return [word for number in full for word in _split(number, words)]


def _key_mask(table: TableShape) -> int:
    return sum(key.mask << key.offset for key in table.keys if key.kind != "range")


def _range_masks(table: TableShape) -> list[int]:
    ranges = [key.width for key in table.keys if key.kind == "range"]
    return [word for width in ranges for word in _split((1 << width) - 1, (width + 63) // 64)]


def _table(index: int, table: TableShape) -> str:
    lpm = next((key for key in table.keys if table.kind == "lpm" and key.kind == "lpm"), None)
    offset, width = (lpm.offset, lpm.width) if lpm else (0, 0)
    choices = f"{{{len(table.actions)}, {_record_words(table)}, table_{index}_actions}}"
    writable = bool(table.keys) and not table.immutable
    flags = f"{int(writable)}, {int(table.const_default)}"
    return f"{{{choices}, table_{index}_key, table_{index}_ranges, {offset}, {width}, {flags}}}"


def _profile(index: int, profile: ProfileShape) -> str:
    return f"{{{len(profile.actions)}, {profile.data_words}, profile_{index}}}"


def _entry(lines: list[str], index: int, table: TableShape, number: int) -> str:
    """The row of an entry that the program declares; its words are added to the lines."""
    entry, action = table.entries[number], table.entry_actions[number]
    rows = Rows(table)
    key, prefix = rows.key(entry_key(table, entry))
    row = rows.pack(key, encode_params(table.actions[action], entry.params))
    name = f"entry_{index}_{number}"
    lines.append(_array(name, _split(int.from_bytes(row, "little"), len(row) // 8)))
    return f"{{{index}, {rows.rank(prefix, entry.priority)}, {action}, {name}}}"
