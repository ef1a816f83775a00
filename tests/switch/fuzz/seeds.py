"""Inputs to start from: packets, and entries that these packets hit, with every action.

The bytes are those that `target.c` takes; a step's operands are there in the order in which it reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from switch.generate.shape import Shape, TableShape

DEFAULT, MEMBER, ADD, PACKET = 1, 2, 9, 15
ALL, SMALL = 1, 2  # how a word is given
ROUNDS = 9  # a packet that hits an entry asks further tables


def packet(data: bytes, port: int = 1) -> bytes:
    """The step that sends a packet."""
    return bytes([PACKET, 2, port]) + len(data).to_bytes(2, "big") + data


def _choice(number: int, limit: int) -> bytes:
    return number.to_bytes(4 if limit > 256 else 1, "big") if limit else b""


def _action(actions: int, words: int, number: int, value: int) -> bytes:
    return (_choice(number % actions, actions) + bytes([SMALL, value]) * words) if actions else b""


def add(shape: Shape, index: int, action: int, value: int) -> bytes:
    """The step that adds an entry for the key last asked for; each word of its parameters is `value`."""
    table = shape.tables[index]
    step = bytes([ADD]) + _choice(index, len(shape.tables)) + bytes([1, 1])
    if table.kind == "ternary":
        step += bytes([ALL]) * max(table.key_words, 1)
    lpm = next((key for key in table.keys if table.kind == "lpm" and key.kind == "lpm"), None)
    if lpm:
        step += _choice(lpm.width, lpm.width + 1)
    step += bytes(table.range_words) + bytes([ALL]) * table.range_words
    return step + _target(table, action, value)


def _target(table: TableShape, action: int, value: int) -> bytes:
    if table.profile is not None:
        return bytes([1, 0])  # member 1
    return _action(len(table.actions), table.data_words - 2 * table.range_words, action, value)


def default(shape: Shape, index: int, action: int, value: int) -> bytes:
    """The step that sets a table's default action."""
    step = bytes([DEFAULT]) + _choice(index, len(shape.tables)) + bytes([1])
    return step + _target(shape.tables[index], action, value)


def member(shape: Shape, index: int, action: int, value: int) -> bytes:
    """The step that adds a member to an action profile."""
    profile = shape.profiles[index]
    step = bytes([MEMBER]) + _choice(index, len(shape.profiles)) + bytes([0, 2])
    return step + _action(len(profile.actions), profile.data_words, action, value)


def seeds(shape: Shape, packets: Sequence[bytes]) -> Iterator[bytes]:
    """For every packet and number of an action: entries of this action wherever the packet asks.

    Tables without keys get it as their default.
    """
    writable = [i for i, table in enumerate(shape.tables) if table.keys and not table.immutable]
    keyless = [i for i, table in enumerate(shape.tables) if not table.keys and not table.const_default]
    most = max((len(t.actions) for t in (*shape.tables, *shape.profiles)), default=1)
    for data in packets:
        for action in range(most):
            first = b"".join(member(shape, i, action, 1) for i in range(len(shape.profiles)))
            first += b"".join(default(shape, i, action, 1) for i in keyless)
            entries = b"".join(add(shape, i, action, 1) for i in writable)
            yield first + (packet(data) + entries) * ROUNDS + packet(data)
