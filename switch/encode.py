"""Parameters and digests, to and from the words that C has (see `generate.shape`)."""

from __future__ import annotations

from collections.abc import Sequence

from switch.api import Action, Match
from switch.generate.shape import ActionShape, DigestShape, Shape, TableShape
from switch.load.primitive import MESSAGE_PART
from switch.load.program import Entry


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


def decode_params(shape: ActionShape, number: int) -> tuple[int, ...]:
    """An action's parameters from a number of words."""
    return tuple(
        [
            number >> (64 * offset) & ((1 << width) - 1)
            for width, offset in zip(shape.widths, shape.offsets, strict=True)
        ]
    )


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


def decode_message(shape: Shape, number: int, data: bytes) -> str:
    """The text of a message, with its values put in and its escaped braces as braces."""
    text, counts = shape.messages[number]
    values: list[str] = []
    at = 0
    for count in counts:
        values.append(str(int.from_bytes(data[8 * at : 8 * (at + count)], "little", signed=True)))
        at += count
    given = iter(values)
    return MESSAGE_PART.sub(lambda part: next(given, part[0]) if part["place"] else part[0][1:], text)


def entry_key(table: TableShape, entry: Entry) -> tuple[Match, ...]:
    """The match of an entry that the program declares."""
    found: list[Match] = []
    for shape, part in zip(table.keys, entry.key, strict=True):
        mask = 0 if shape.kind in {"exact", "range"} else part.mask
        found.append(Match(part.value, mask, part.high))
    return tuple(found)
