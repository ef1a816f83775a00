"""Values to draw from: few enough that entries and packets meet, and those that the program itself names."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from switch.load.program import Program

_RANDOM = 6  # values of each width beside the edges and the program's own
_NAMED = 24
PORT_WIDTH, PORTS = 9, (0, 1, 2, 3, 4, 5, 7, 8, 510, 511)


class Pools:
    """Values by width for one program; the same seed gives the same values."""

    def __init__(self, named: Sequence[int], chance: random.Random) -> None:
        """`named` are the constants that `constants` tells of the program."""
        self.named = named
        self.chance = chance
        self._pools: dict[int, list[int]] = {}

    def pool(self, width: int) -> list[int]:
        """The values of a width."""
        if width not in self._pools:
            top = (1 << width) - 1
            values = {0, 1, top, top >> 1, (top >> 1) + 1}
            values |= {self.chance.getrandbits(width) for _ in range(_RANDOM if width else 0)}
            fitting = [value for value in self.named if value <= top]
            values |= set(self.chance.sample(fitting, min(len(fitting), _NAMED)))
            self._pools[width] = sorted(value & top for value in values)
        return self._pools[width]

    def value(self, width: int) -> int:
        """A value of a width: mostly one of the pool."""
        if width == 0:
            return 0
        draw = self.chance.random
        if width == PORT_WIDTH and draw() < 0.8:
            return PORTS[int(draw() * len(PORTS))]
        if draw() < 0.75:
            pool = self.pool(width)
            return pool[int(draw() * len(pool))]
        return self.chance.getrandbits(width)


def constants(program_json: bytes, program: Program) -> list[int]:
    """Constants of a program's expressions and selects."""
    found: set[int] = set()
    _constants(json.loads(program_json), found)
    for state in program.states:
        for transition in state.transitions:
            found.update(transition.values)
    return sorted(found)


def _constants(node: Any, found: set[int]) -> None:
    if isinstance(node, dict):
        if node.get("type") == "hexstr" and isinstance(node.get("value"), str):
            found.add(abs(int(node["value"], 16)))
        for value in node.values():
            _constants(value, found)
    elif isinstance(node, list):
        for value in node:
            _constants(value, found)
