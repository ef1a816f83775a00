"""Keys, parameters and digests, to and from the words that C has (see `generate.shape`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switch.api import Action, Match
from switch.generate.shape import ActionShape, DigestShape, TableShape
from switch.load.program import Entry


@dataclass(frozen=True, slots=True)
class EncodedKey:
    """A match as numbers: value and mask of the key, bounds of the ranges, for lpm the prefix length."""

    value: int
    mask: int
    ranges: int
    prefix: int


def encode_key(table: TableShape, key: Sequence[Match]) -> EncodedKey:
    """An entry's match as C has it.

    Raises:
        ValueError: the number of fields is wrong, a prefix mask has holes, or a range is empty.
    """
    if len(key) != len(table.keys) or not table.keys:
        raise ValueError(f"table {table.name} has {len(table.keys)} key fields, not {len(key)}")
    value = mask = low = high = prefix = 0
    for shape, match in zip(table.keys, key, strict=True):
        full = (1 << shape.width) - 1
        if shape.kind == "range":
            if match.value > match.high:
                raise ValueError(f"{table.name}.{shape.name}: empty range")
            low |= match.value << (64 * shape.offset)
            high |= min(match.high, full) << (64 * shape.offset)
            continue
        bits = full if shape.kind == "exact" else match.mask & full
        if shape.kind == "lpm":
            prefix = bits.bit_count()
            if bits != full ^ (full >> prefix):
                raise ValueError(f"{table.name}.{shape.name}: mask {bits:#x} is no prefix")
        bits &= shape.mask
        value |= (match.value & bits) << shape.offset
        mask |= bits << shape.offset
    return EncodedKey(value, mask, low | high << (64 * table.range_words), prefix)


def encode_params(shape: ActionShape, params: Sequence[int]) -> int:
    """An action's parameters as a number of words.

    Raises:
        ValueError: their number is wrong or one does not fit.
    """
    if len(params) != len(shape.widths):
        raise ValueError(f"action {shape.name} takes {len(shape.widths)} parameters, not {len(params)}")
    number = 0
    for param, width, offset in zip(params, shape.widths, shape.offsets, strict=True):
        if not 0 <= param < 1 << width:
            raise ValueError(f"action {shape.name}: {param} does not fit {width} bits")
        number |= param << (64 * offset)
    return number


def find_action(actions: Sequence[ActionShape], action: Action, where: str) -> tuple[int, int]:
    """The number of an action among these, and its parameters as a number of words."""
    for number, shape in enumerate(actions):
        if shape.name == action.name:
            return number, encode_params(shape, action.params)
    raise KeyError(f"{where} has no action {action.name}")


def decode_digest(shape: DigestShape, data: bytes) -> tuple[int, ...]:
    """The field values of a digest's words."""
    number = int.from_bytes(data, "little")
    values: list[int] = []
    at = 0
    for width in shape.widths:
        values.append(number >> at & ((1 << width) - 1))
        at += (width + 63) // 64 * 64
    return tuple(values)


def entry_key(table: TableShape, entry: Entry) -> tuple[Match, ...]:
    """The match of an entry that the program declares."""
    found: list[Match] = []
    for shape, part in zip(table.keys, entry.key, strict=True):
        mask = 0 if shape.kind in {"exact", "range"} else part.mask
        found.append(Match(part.value, mask, part.high))
    return tuple(found)
