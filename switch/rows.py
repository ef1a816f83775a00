"""Table entries as the rows of 64-bit words that C takes and gives (`runtime/api.h` has their order).

A row is one integer here, low word first: shifting integers is faster than filling arrays from Python.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from switch.api import Action, CounterValue, Group, Match, Member, Row, Target
from switch.encode import decode_params, encode_params
from switch.generate.shape import TableShape
from switch.native import ACTION_GROUP, ACTION_MEMBER

_WORD = (1 << 64) - 1
_HEAD = struct.Struct("=QQqQQ")  # what is in front of the key in a row that C gives


class Rows:
    """The rows of one table, or of a value set."""

    def __init__(self, shape: TableShape):
        """Work out once what every row needs."""
        self.shape = shape
        self.words = _HEAD.size // 8 + 2 * shape.key_words + shape.data_words
        self._actions = {action.name: (number, action) for number, action in enumerate(shape.actions)}
        self._mask_at = 64 * shape.key_words
        self._ranges_at = 2 * self._mask_at
        self._high_at = self._ranges_at + 64 * shape.range_words
        self._data_at = self._high_at + 64 * shape.range_words
        self._bytes = 8 * self.words - _HEAD.size
        self._fields = tuple(
            (key.kind, (1 << key.width) - 1, key.mask, key.offset * (64 if key.kind == "range" else 1))
            for key in shape.keys
        )
        self._all_exact = bool(self._fields) and all(field[0] == "exact" for field in self._fields)
        self._exact = tuple((full & mask, offset) for _, full, mask, offset in self._fields)
        self._exact_mask = sum(ones << offset for ones, offset in self._exact) << self._mask_at

    def key(self, key: Sequence[Match]) -> tuple[int, int]:
        """A match as the part of a row before the parameters, and the prefix length (0 where there is none).

        Raises:
            ValueError: the number of fields is wrong, a prefix mask has holes, or a range is empty.
        """
        if not key or len(key) != len(self._fields):
            raise ValueError(f"table {self.shape.name} has {len(self._fields)} key fields, not {len(key)}")
        if not self._all_exact:
            return self._any_key(key)
        number = self._exact_mask
        for (value, _, _), (ones, offset) in zip(key, self._exact, strict=True):
            number |= (value & ones) << offset
        return number, 0

    def _any_key(self, key: Sequence[Match]) -> tuple[int, int]:
        number = prefix = 0
        for at, ((kind, full, kept, offset), (value, mask, high)) in enumerate(
            zip(self._fields, key, strict=True)
        ):
            if kind == "range":
                if value > high:
                    raise ValueError(f"{self.shape.name}.{self.shape.keys[at].name}: empty range")
                number |= value << (self._ranges_at + offset) | min(high, full) << (self._high_at + offset)
                continue
            bits = full if kind == "exact" else mask & full
            if kind == "lpm":
                prefix = bits.bit_count()
                if bits != full ^ (full >> prefix):
                    name = f"{self.shape.name}.{self.shape.keys[at].name}"
                    raise ValueError(f"{name}: mask {bits:#x} is no prefix")
            bits &= kept
            number |= (value & bits) << offset | bits << (self._mask_at + offset)
        return number, prefix

    def rank(self, prefix: int, priority: int) -> int:
        """What C orders entries by."""
        return prefix if self.shape.kind == "lpm" else priority

    def key_words(self, number: int) -> tuple[bytes, bytes]:
        """The key words and the mask words in what `key` gave."""
        size = 8 * self.shape.key_words
        data = number.to_bytes(self._bytes, "little")
        return data[:size], data[size : 2 * size]

    def target(self, target: Target) -> tuple[int, int]:
        """A result as the number of an action and its parameters.

        Raises:
            KeyError: the table has no such action.
            ValueError: a parameter does not fit, or the table takes another kind of result.
        """
        shape = self.shape
        if isinstance(target, Action):
            if shape.profile is not None:
                raise ValueError(f"table {shape.name} takes members and groups, not actions")
            found = self._actions.get(target.name)
            if found is None:
                raise KeyError(f"table {shape.name} has no action {target.name}")
            number, action = found
            return number, encode_params(action, target.params)
        if shape.profile is None:
            raise ValueError(f"table {shape.name} has no action profile")
        return (ACTION_MEMBER if isinstance(target, Member) else ACTION_GROUP), target.handle

    def pack(self, number: int, data: int = 0) -> bytes:
        """A row for C, of what `key` and `target` gave."""
        return (number | data << self._data_at).to_bytes(self._bytes, "little")

    def parameters(self, data: int) -> bytes:
        """The words of a result alone."""
        return data.to_bytes(8 * (self.shape.data_words - 2 * self.shape.range_words), "little")

    def unpack(self, buffer: Any, count: int) -> list[Row]:
        """The rows that C wrote into a buffer of words."""
        ordered = self.shape.kind != "lpm"
        size = 8 * self.words
        found: list[Row] = []
        for at in range(0, count * size, size):
            row = buffer[at : at + size]
            handle, action, priority, packets, octets = _HEAD.unpack_from(row)
            rest = int.from_bytes(row[_HEAD.size :], "little")
            target = self._result(action, rest >> self._data_at)
            counter = CounterValue(packets, octets)
            found.append(Row(handle, self._match(rest), priority if ordered else 0, target, counter))
        return found

    def _result(self, action: int, parameters: int) -> Target:
        if action == ACTION_MEMBER:
            return Member(parameters & _WORD)
        if action == ACTION_GROUP:
            return Group(parameters & _WORD)
        shape = self.shape.actions[action]
        return Action(shape.name, decode_params(shape, parameters))

    def _match(self, rest: int) -> tuple[Match, ...]:
        if self._all_exact:
            return tuple([Match(rest >> offset & ones, ones) for ones, offset in self._exact])
        found: list[Match] = []
        for kind, full, _, offset in self._fields:
            if kind == "range":
                low = rest >> (self._ranges_at + offset) & full
                found.append(Match(low, 0, rest >> (self._high_at + offset) & full))
            else:
                found.append(Match(rest >> offset & full, rest >> (self._mask_at + offset) & full))
        return tuple(found)
