"""Expressions of a program, as typed trees.

Three kinds: `Data` (integers of unbounded precision, docs/JSON_format.md of behavioral-model), `Truth`
(booleans) and `HeaderPlace` (which header instance is meant). All references are resolved to indices of
`Program`.
"""

from __future__ import annotations

from dataclasses import dataclass

# Which header


@dataclass(frozen=True, slots=True)
class HeaderRef:
    """The header instance with this index."""

    header: int


@dataclass(frozen=True, slots=True)
class StackElement:
    """The element of a header stack at an index known only at run time."""

    stack: int
    index: Data


@dataclass(frozen=True, slots=True)
class StackLast:
    """The last extracted (or pushed) element of a header stack."""

    stack: int


@dataclass(frozen=True, slots=True)
class UnionStackMember:
    """Member `member` of the union at a run-time index of a union stack; index None is the last one."""

    stack: int
    index: Data | None
    member: int


HeaderPlace = HeaderRef | StackElement | StackLast | UnionStackMember

# Integers


@dataclass(frozen=True, slots=True)
class Const:
    """A constant."""

    value: int


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of a header."""

    header: HeaderPlace
    field: int


@dataclass(frozen=True, slots=True)
class Param:
    """An action parameter."""

    index: int
    width: int


@dataclass(frozen=True, slots=True)
class RegisterCell:
    """A register's cell, read inside an expression."""

    register: int
    index: Data


@dataclass(frozen=True, slots=True)
class Binary:
    """`op` is one of + - * / % << >> & | ^."""

    op: str
    left: Data
    right: Data


@dataclass(frozen=True, slots=True)
class Complement:
    """Bitwise not of the unbounded integer: −x − 1."""

    operand: Data


@dataclass(frozen=True, slots=True)
class Modulo:
    """Two's complement reduction to a signed integer of `width` bits."""

    operand: Data
    width: int


@dataclass(frozen=True, slots=True)
class Saturate:
    """Clamp to the range of a (signed) integer of `width` bits."""

    operand: Data
    width: int
    signed: bool


@dataclass(frozen=True, slots=True)
class TruthToData:
    """1 for true, 0 for false."""

    operand: Truth


@dataclass(frozen=True, slots=True)
class StackCount:
    """Number of elements of a stack in use, plus `offset` (−1 gives the last index)."""

    stack: int
    offset: int


@dataclass(frozen=True, slots=True)
class DataIf:
    """condition ? left : right, of integers."""

    condition: Truth
    left: Data
    right: Data


Data = (
    Const
    | FieldOf
    | Param
    | RegisterCell
    | Binary
    | Complement
    | Modulo
    | Saturate
    | TruthToData
    | StackCount
    | DataIf
)

# Truth values


@dataclass(frozen=True, slots=True)
class TruthConst:
    """true or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`op` is one of == != < <= > >=."""

    op: str
    left: Data
    right: Data


@dataclass(frozen=True, slots=True)
class CompareTruth:
    """Equality of two truth values, or its opposite."""

    equal: bool
    left: Truth
    right: Truth


@dataclass(frozen=True, slots=True)
class CompareHeaders:
    """Both valid and all fields equal, or the opposite of that."""

    equal: bool
    left: HeaderPlace
    right: HeaderPlace


@dataclass(frozen=True, slots=True)
class Logic:
    """`op` is and or or."""

    op: str
    left: Truth
    right: Truth


@dataclass(frozen=True, slots=True)
class Not:
    """Logical not."""

    operand: Truth


@dataclass(frozen=True, slots=True)
class DataToTruth:
    """Whether an integer is not 0."""

    operand: Data


@dataclass(frozen=True, slots=True)
class IsValid:
    """Whether a header is valid."""

    header: HeaderPlace


@dataclass(frozen=True, slots=True)
class UnionIsValid:
    """Whether a member of a header union is valid."""

    union: int


@dataclass(frozen=True, slots=True)
class TruthIf:
    """condition ? left : right, of truth values."""

    condition: Truth
    left: Truth
    right: Truth


Truth = (
    TruthConst
    | Compare
    | CompareTruth
    | CompareHeaders
    | Logic
    | Not
    | DataToTruth
    | IsValid
    | UnionIsValid
    | TruthIf
)
