"""What of a header a program assigns: all else is sent as it came.

Fields that share bytes with their neighbours are written together: a piece. Pieces that the same actions
assign are written when a header is sent, if a bit in the header says that they were assigned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from switch.generate.tree import walk
from switch.load.expression import FieldOf
from switch.load.extern import Checksum, Meter
from switch.load.primitive import Assign, ExecuteMeter, Hash, MarkToDrop, Random, RegisterRead
from switch.load.program import HeaderType, Program, SetFromLookahead

Piece = tuple[int, ...]
"""Indexes of neighbouring fields that together are whole bytes."""
BITS = 32
"""Most groups of pieces of a header; what is beyond shares the last."""


@dataclass(frozen=True, slots=True)
class Written:
    """The assigned pieces of each header type, in groups; a group's position is its bit."""

    groups: Mapping[int, tuple[tuple[Piece, ...], ...]]

    def mask(self, type_index: int, field: int) -> int:
        """The bit that assigning to a field sets; 0 for metadata."""
        for bit, group in enumerate(self.groups.get(type_index, ())):
            if any(field in piece for piece in group):
                return 1 << bit
        return 0


def pieces(header_type: HeaderType) -> list[Piece]:
    """All fields of a type, but for the varbit field and those without bits."""
    found: list[Piece] = []
    pending: Piece = ()
    width = 0
    for i, field in enumerate(header_type.fields):
        if field.width:
            pending += (i,)
            width += field.width
        if pending and width % 8 == 0:
            found.append(pending)
            pending = ()
    return [*found, pending] if pending else found


def written(program: Program) -> Written:
    """Find what is assigned, and by whom."""
    types = {header.type for header in program.headers if not header.metadata}
    writers: dict[tuple[int, int], set[int]] = {}
    others = dataclasses.replace(program, actions=())
    for writer, part in enumerate((others, *program.actions)):
        for field in assigned(part):
            writers.setdefault((program.type_of(field.header), field.field), set()).add(writer)
    return Written({t: _groups(pieces(program.types[t]), t, writers) for t in types})


def _groups(
    every: list[Piece], t: int, writers: dict[tuple[int, int], set[int]]
) -> tuple[tuple[Piece, ...], ...]:
    together: dict[frozenset[int], list[Piece]] = {}
    for piece in every:
        by = frozenset[int]().union(*(writers.get((t, field), set[int]()) for field in piece))
        if by:
            together.setdefault(by, []).append(piece)
    groups = [tuple(group) for group in together.values()]
    rest = tuple(piece for group in groups[BITS - 1 :] for piece in group)
    return (*groups[: BITS - 1], rest) if rest else tuple(groups)


def assigned(tree: Any) -> Iterator[FieldOf]:
    """The fields that statements in a tree assign, and what the architecture and field lists do."""
    for part in walk(tree):
        match part:
            case (
                Assign(dst=dst)
                | RegisterRead(dst=dst)
                | ExecuteMeter(dst=dst)
                | Hash(dst=dst)
                | Random(dst=dst)
                | SetFromLookahead(dst=dst)
            ):
                yield dst
            case Checksum(target=target):
                yield target
            case Meter(target=target) if target:
                yield target
            case MarkToDrop(port=port, group=group):
                yield from (field for field in (port, group) if field)
            case _:
                pass
    if isinstance(tree, Program):
        yield from (field for _, field in tree.standard)
        yield from (field for fields in tree.field_lists for field in fields.fields)
