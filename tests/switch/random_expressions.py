"""Random P4-16 expressions over fields: bit<W> and int<W> of any width, and conditions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LEAF = 0.25  # how often an expression ends early
_WIDE = 64  # no intermediate value gets wider than its operands by more bits


@dataclass(frozen=True)
class Field:
    """A field as P4 names it; `header` must be valid for it to be read, unless it is empty."""

    text: str
    width: int
    header: str = ""


class Expressions:
    """Draws expressions; `used` collects the headers that those since the last `clear` read."""

    def __init__(self, fields: Sequence[Field], chance: random.Random) -> None:
        self.fields = fields
        self.chance = chance
        self.used: set[str] = set()
        self._kinds: list[Callable[[int, int], str]] = [
            self._arithmetic, self._arithmetic, self._bitwise, self._shift, self._choice, self._slice,
            self._concatenation, self._from_signed,
        ]  # fmt: skip

    def clear(self) -> None:
        """Forget which headers were read."""
        self.used = set()

    def constant(self, width: int) -> str:
        """A constant, often at an edge."""
        top = (1 << width) - 1
        some = (0, 1, top, top >> 1, (top >> 1) + 1, self.chance.getrandbits(width))
        return f"{width}w{self.chance.choice(some) & top}"

    def bits(self, width: int, depth: int = 3) -> str:
        """An expression of type bit<width>."""
        if depth <= 0 or self.chance.random() < _LEAF:
            return self._leaf(width)
        return self.chance.choice(self._kinds)(width, depth - 1)

    def signed(self, width: int, depth: int) -> str:
        """An expression of type int<width>, of two bits or more."""
        kind = self.chance.randrange(6) if depth > 0 else 0
        match kind:
            case 1:
                operator = self.chance.choice(("+", "-", "*", "|+|", "|-|"))
                return f"({self.signed(width, depth - 1)} {operator} {self.signed(width, depth - 1)})"
            case 2:
                return f"(-{self.signed(width, depth - 1)})"
            case 3:
                operator = self.chance.choice(("<<", ">>"))
                return f"({self.signed(width, depth - 1)} {operator} {self.bits(5, 0)})"
            case 4:
                other = self.chance.randrange(2, width + 9)
                return f"((int<{width}>){self.signed(other, depth - 1)})"
            case _:
                return f"((int<{width}>){self.bits(width, depth - 1)})"

    def truth(self, depth: int = 2) -> str:
        """A condition."""
        kind = self.chance.randrange(6) if depth > 0 else 0
        width = self._width()
        match kind:
            case 1:
                operator = self.chance.choice(("&&", "||"))
                return f"({self.truth(depth - 1)} {operator} {self.truth(depth - 1)})"
            case 2:
                return f"(!{self.truth(depth - 1)})"
            case 3 if width > 1:
                operator = self.chance.choice(("<", "<=", ">", ">=", "==", "!="))
                return f"({self.signed(width, depth - 1)} {operator} {self.signed(width, depth - 1)})"
            case _:
                operator = self.chance.choice(("<", "<=", ">", ">=", "==", "!="))
                return f"({self.bits(width, depth - 1)} {operator} {self.bits(width, depth - 1)})"

    def read(self, field: Field) -> str:
        """A field, noted as read."""
        if field.header:
            self.used.add(field.header)
        return field.text

    def _width(self) -> int:
        return self.chance.choice(self.fields).width

    def _leaf(self, width: int) -> str:
        if self.chance.random() < 0.2:
            return self.constant(width)
        same = [field for field in self.fields if field.width == width]
        if same and self.chance.random() < 0.7:
            return self.read(self.chance.choice(same))
        return f"((bit<{width}>){self.read(self.chance.choice(self.fields))})"

    def _arithmetic(self, width: int, depth: int) -> str:
        if self.chance.random() < 0.1:
            return f"(-{self.bits(width, depth)})"
        operator = self.chance.choice(("+", "-", "*", "|+|", "|-|"))
        return f"({self.bits(width, depth)} {operator} {self.bits(width, depth)})"

    def _bitwise(self, width: int, depth: int) -> str:
        if self.chance.random() < 0.2:
            return f"(~{self.bits(width, depth)})"
        operator = self.chance.choice(("&", "|", "^"))
        return f"({self.bits(width, depth)} {operator} {self.bits(width, depth)})"

    def _shift(self, width: int, depth: int) -> str:
        operator = self.chance.choice(("<<", ">>"))
        by = str(self.chance.randrange(width + 2)) if self.chance.random() < 0.5 else self.bits(7, depth)
        return f"({self.bits(width, depth)} {operator} {by})"

    def _choice(self, width: int, depth: int) -> str:
        return f"({self.truth(depth)} ? {self.bits(width, depth)} : {self.bits(width, depth)})"

    def _slice(self, width: int, depth: int) -> str:
        low = self.chance.randrange(_WIDE)
        whole = low + width + self.chance.randrange(9)
        return f"({self.bits(whole, depth)})[{low + width - 1}:{low}]"

    def _concatenation(self, width: int, depth: int) -> str:
        if width < 2:
            return self.bits(width, depth)
        left = self.chance.randrange(1, width)
        return f"({self.bits(left, depth)} ++ {self.bits(width - left, depth)})"

    def _from_signed(self, width: int, depth: int) -> str:
        return f"((bit<{width}>){self.signed(width, depth)})" if width > 1 else self.bits(width, depth)
