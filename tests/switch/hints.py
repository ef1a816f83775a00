"""Values with which a packet gets far: those that entries match and that the program compares with."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping

from switch.api import Match
from switch.generate.layout import walk
from switch.load.expression import Compare, Const, FieldOf
from switch.load.program import Program
from tests.switch.state import Entry, State

FieldName = tuple[int, int]
"""A header type and one of its fields."""
_Key = tuple[tuple[FieldName, str, int, Match], ...]
_FOLLOWED = (1, 0.97, 0.8, 0.4)  # how often entries and constants are aimed at: one of these for a packet
_EXACTLY = 0.8  # and how often the constant itself, not a neighbour


class Hints:
    """Draws values for fields, those of one entry together."""

    def __init__(
        self, program: Program, constants: Mapping[FieldName, list[int]], state: State, chance: random.Random
    ) -> None:
        """`constants` are what `compared` tells of the program."""
        self.chance = chance
        self.constants = list(constants.items())
        found: dict[str, list[_Key]] = defaultdict(list)
        given: dict[str, list[tuple[Match, ...]]] = defaultdict(list)
        for item in state.items:
            if isinstance(item, Entry):
                given[item.table].append(item.key)
        for table in program.tables:
            for entry in table.entries:
                given[table.name].append(tuple(Match(k.value, k.mask, k.high) for k in entry.key))
            for matches in given[table.name]:
                found[table.name].append(
                    tuple(
                        ((program.type_of(key.value.header), key.value.field), key.kind, key.width, match)
                        for key, match in zip(table.keys, matches, strict=True)
                        if isinstance(key.value, FieldOf)
                    )
                )

        self.entries = list(found.values())

    def draw(self) -> dict[FieldName, int]:
        """Values for one packet."""
        found: dict[FieldName, int] = {}
        draw = self.chance.random
        followed = _FOLLOWED[int(draw() * len(_FOLLOWED))]
        for name, values in self.constants:
            if draw() < followed:
                value = values[int(draw() * len(values))]
                found[name] = value if draw() < _EXACTLY else max(value + (1 if draw() < 0.5 else -1), 0)
        for keys in self.entries:
            if draw() < followed:
                for name, kind, width, match in keys[int(draw() * len(keys))]:
                    found[name] = self._matching(kind, width, match)
        return found

    def _matching(self, kind: str, width: int, match: Match) -> int:
        match kind:
            case "exact":
                return match.value
            case "range":
                return self.chance.choice(
                    (match.value, match.high, self.chance.randint(match.value, match.high))
                )
            case _:
                free = (1 << width) - 1 & ~match.mask
                return match.value | (self.chance.getrandbits(width) & free if width else 0)


def compared(program: Program) -> dict[FieldName, list[int]]:
    """The constants that each field is compared with."""
    found: dict[FieldName, set[int]] = defaultdict(set)
    for node in walk((program.ingress, program.egress, program.actions, program.states, program.checksums)):
        match node:
            case Compare(_, FieldOf() as field, Const(value)) | Compare(_, Const(value), FieldOf() as field):
                found[program.type_of(field.header), field.field].add(value)
            case _:
                pass
    return {name: sorted(values) for name, values in found.items()}
