"""Extern instances, calculations, and lists of fields."""

from __future__ import annotations

from dataclasses import dataclass

from switch.load.expression import FieldOf, Truth


@dataclass(frozen=True, slots=True)
class Counter:
    """An indirect counter."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Meter:
    """A trTCM meter (RFC 2698); a direct one writes its colour to `target`."""

    name: str
    size: int
    bytes: bool
    direct: bool
    target: FieldOf | None


@dataclass(frozen=True, slots=True)
class Register:
    """A register array."""

    name: str
    size: int
    width: int


@dataclass(frozen=True, slots=True)
class Payload:
    """What follows the parsed headers, as a calculation's input."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant of `width` bits, as a calculation's input."""

    value: int
    width: int


@dataclass(frozen=True, slots=True)
class WholeHeader:
    """All fields of a header, as a calculation's input."""

    header: int


@dataclass(frozen=True, slots=True)
class Calculation:
    """A hash over a list of inputs; those in invalid headers are left out."""

    name: str
    algorithm: str
    inputs: tuple[FieldOf | Literal | WholeHeader | Payload, ...]


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum to verify after parsing and/or to update before deparsing."""

    name: str
    target: FieldOf
    calculation: int
    condition: Truth | None
    verify: bool
    update: bool


@dataclass(frozen=True, slots=True)
class FieldList:
    """Fields that a clone, resubmit or recirculate preserves."""

    id: int
    fields: tuple[FieldOf, ...]


@dataclass(frozen=True, slots=True)
class DigestType:
    """A digest's fields."""

    id: int
    name: str
    fields: tuple[FieldOf, ...]
