"""What a table's lookup found and the action that ran, from the records of a trace."""

from __future__ import annotations

from switch.dataplane import Dataplane
from switch.generate.shape import TableShape, table_actions
from switch.inspect.naming import match_text, parameters, range_text, source_of, value_field
from switch.load.read_control import FIRST_PRIORITY
from switch.native import ACTION_GROUP
from switch.proto import inspect_pb2 as pb

DECLARED = FIRST_PRIORITY // 2
"""Priorities from here on are those of entries that the program declares."""


class Lookups:
    """Reads the records of one program's tables."""

    def __init__(self, dataplane: Dataplane) -> None:
        self._dataplane = dataplane
        self._program = dataplane.program
        self._shape = dataplane.shape

    def introduce(self, told: pb.Table, index: int) -> None:
        """Say which table it is."""
        table = self._program.tables[index]
        told.name = table.name
        source = source_of(table.source)
        if source is not None:
            told.source.CopyFrom(source)

    def looked_up(self, told: pb.Table, index: int, words: list[int]) -> None:
        """A record of the kind `lookup`, see trace_lookup() in runtime/trace.c."""
        self.introduce(told, index)
        shape = self._shape.tables[index]
        count = shape.key_words if shape.keys else 0
        key, ranges, rest = _split(words, count, shape.range_words)
        (handle, priority, action), rest = rest[:3], rest[3:]
        for part in shape.keys:
            value = (
                _number(ranges) >> 64 * part.offset if part.kind == "range" else _number(key) >> part.offset
            )
            told.key.append(value_field(part.name, value & ((1 << part.width) - 1), part.width))
        if handle:
            stored, masks, rest = _split(rest, count, count)
            told.entry.handle = handle
            told.entry.priority = self._priority(shape, handle, priority)
            told.entry.match.extend(_match(shape, _number(stored), _number(masks), rest))
        if action == ACTION_GROUP:
            told.group_handle = rest[2 * shape.range_words]

    def ran(self, told: pb.Table, index: int, words: list[int]) -> None:
        """A record of the kind `action`: the action's number in the table, the member, the parameters."""
        (number, member), data = words[:2], words[2:]
        shape = self._shape.tables[index]
        if told.group_handle or (shape.profile is not None and told.HasField("entry")):
            told.member_handle = member
        if number >= len(shape.actions):
            return
        action = table_actions(self._program, self._program.tables[index])[number]
        declared = self._program.actions[action]
        told.action.CopyFrom(
            pb.Action(
                name=declared.name,
                source=source_of(declared.source),
                parameters=parameters(self._program, action, shape.actions[number], _number(data)),
            )
        )

    def _priority(self, shape: TableShape, handle: int, priority: int) -> int:
        """As P4Runtime has it: of N declared entries the first one has N (§ 9.1.4)."""
        if shape.kind != "ternary":
            return 0
        if priority < DECLARED:
            return priority
        declared = sorted(self._dataplane.initial_entries(shape.name), key=lambda entry: entry.priority)
        return 1 + [entry.handle for entry in declared].index(handle)


def _number(words: list[int]) -> int:
    return sum(word << (64 * i) for i, word in enumerate(words))


def _split(words: list[int], first: int, second: int) -> tuple[list[int], list[int], list[int]]:
    return words[:first], words[first : first + second], words[first + second :]


def _match(shape: TableShape, key: int, mask: int, data: list[int]) -> list[str]:
    found: list[str] = []
    low, high, _ = map(_number, _split(data, shape.range_words, shape.range_words))
    for part in shape.keys:
        full = (1 << part.width) - 1
        if part.kind == "range":
            at = 64 * part.offset
            found.append(range_text(part, low >> at & full, high >> at & full))
            continue
        found.append(match_text(part, key >> part.offset & full, mask >> part.offset & full))
    return found
