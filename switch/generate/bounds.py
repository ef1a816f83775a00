"""The exact range of an expression's value, before any truncation."""

from __future__ import annotations

from switch.load.errors import LoadError
from switch.load.expression import (
    Binary,
    Complement,
    Const,
    Data,
    DataIf,
    FieldOf,
    Modulo,
    Param,
    RegisterCell,
    Saturate,
    StackCount,
    TruthToData,
)
from switch.load.program import Program

MAX_BITS = 1 << 15  # of an exact intermediate result

Range = tuple[int, int]


class Bounds:
    """Ranges of one program's expressions."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def of(self, node: Data) -> Range:
        """The exact range of a node's value."""
        low, high = self._bounds(node)
        if max(abs(low), abs(high)).bit_length() > MAX_BITS:
            raise LoadError(202, "an intermediate result that can grow beyond all bounds")
        return low, high

    def _bounds(self, node: Data) -> Range:  # noqa: PLR0911 (one a kind)
        match node:
            case Const(value):
                return value, value
            case FieldOf():
                field = self.program.field(node)
                return value_range(field.width, field.signed)
            case Param(width=width):
                return 0, (1 << width) - 1
            case RegisterCell(register=register):
                return 0, (1 << self.program.registers[register].width) - 1
            case Complement(operand):
                low, high = self.of(operand)
                return ~high, ~low
            case Modulo(width=width):
                return value_range(width, signed=True)
            case Saturate(operand, width, signed):
                least, most = value_range(width, signed)
                low, high = self.of(operand)
                return min(max(low, least), most), min(max(high, least), most)
            case TruthToData():
                return 0, 1
            case StackCount(stack, offset):
                return offset, len(self.program.stacks[stack].headers) + offset
            case DataIf(_, left, right):
                (a, b), (c, d) = self.of(left), self.of(right)
                return min(a, c), max(b, d)
            case Binary("&", left, right):
                return self._and_bounds(left, right)
            case Binary(op, left, right):
                return _combine(op, self.of(left), self.of(right))

    def _and_bounds(self, left: Data, right: Data) -> Range:
        """A mask that is not negative bounds even an operand that has no bounds."""
        masks = [high for low, high in map(self.of_or_none, (left, right)) if low is not None and low >= 0]
        known = [high for high in masks if high is not None]
        return (0, min(known)) if known else _combine("&", self.of(left), self.of(right))

    def of_or_none(self, node: Data) -> tuple[int | None, int | None]:
        """The range, or a pair of None for one without usable bounds."""
        try:
            return self.of(node)
        except LoadError:
            return None, None


def value_range(width: int, signed: bool) -> Range:
    """What a (signed) integer of `width` bits can be."""
    return (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)


def _combine(op: str, left: Range, right: Range) -> Range:  # noqa: PLR0911 (one a kind)
    (a, b), (c, d) = left, right
    match op:
        case "+":
            return a + c, b + d
        case "-":
            return a - d, b - c
        case "*":
            corners = (a * c, a * d, b * c, b * d)
            return min(corners), max(corners)
        case "/":
            return 0, max(b, 0)
        case "%":
            return 0, max(d, 0)
        case "<<":
            most = min(max(d, 0), MAX_BITS + 1)
            return min(a << most, a), max(b << most, b)
        case ">>":
            least = max(c, 0)
            return (a >> least if a < 0 else 0), (b >> min(least, MAX_BITS) if b > 0 else -1 if b < 0 else 0)
        case _:
            return _bitwise(left, right)


def _bitwise(left: Range, right: Range) -> Range:
    (a, b), (c, d) = left, right
    width = max(_signed_width(x) for x in (a, b, c, d))
    if a >= 0 and c >= 0:
        return 0, (1 << (width - 1)) - 1
    return value_range(width, signed=True)


def _signed_width(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length() + 1
