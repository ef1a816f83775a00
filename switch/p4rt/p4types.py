"""P4 data types of registers and digests, and their values as `P4Data` (§ 8.4).

A value is the flat sequence of the unsigned integers (bit patterns) that its type holds, in order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from finsy.proto import p4d, p4t

from . import values
from .translation import Translations, Wire

T = TypeVar("T")


class DataType(ABC):
    """A type that can be laid out as integers."""

    @abstractmethod
    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """Take as many integers as the type needs and make `P4Data` of them."""

    @abstractmethod
    def decode(self, data: p4d.P4Data) -> list[int]:
        """The integers of a `P4Data`.

        Raises:
            ValueError: the data is of another type or out of range.
        """


@dataclass(frozen=True, slots=True)
class Bits(DataType):
    """`bit<width>` or `int<width>`."""

    width: int
    signed: bool = False

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """A canonical bit string."""
        value = next(cells)
        return p4d.P4Data(
            bitstring=values.encode_signed(value, self.width) if self.signed else values.encode(value)
        )

    def decode(self, data: p4d.P4Data) -> list[int]:
        """One integer."""
        _expect(data, "bitstring")
        return [(values.decode_signed if self.signed else values.decode)(data.bitstring, self.width)]


@dataclass(frozen=True, slots=True)
class Bool(DataType):
    """`bool`."""

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """A truth value."""
        return p4d.P4Data(bool=bool(next(cells)))

    def decode(self, data: p4d.P4Data) -> list[int]:
        """0 or 1."""
        _expect(data, "bool")
        return [int(data.bool)]


@dataclass(frozen=True, slots=True)
class SerializableEnum(DataType):
    """An enum with an underlying `bit<width>`."""

    width: int

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """The value of the underlying type."""
        return p4d.P4Data(enum_value=values.encode(next(cells)))

    def decode(self, data: p4d.P4Data) -> list[int]:
        """One integer."""
        _expect(data, "enum_value")
        return [values.decode(data.enum_value, self.width)]


@dataclass(frozen=True, slots=True)
class Aggregate(DataType):
    """A struct or tuple; `kind` is the field of `P4Data` that holds it."""

    kind: str
    members: tuple[DataType, ...]

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """The members in order."""
        like = p4d.P4StructLike(members=[member.encode(cells) for member in self.members])
        return p4d.P4Data(struct=like) if self.kind == "struct" else p4d.P4Data(tuple=like)

    def decode(self, data: p4d.P4Data) -> list[int]:
        """The members' integers one after the other."""
        _expect(data, self.kind)
        given = (data.struct if self.kind == "struct" else data.tuple).members
        if len(given) != len(self.members):
            raise ValueError(f"the {self.kind} has {len(self.members)} members, not {len(given)}")
        return [
            cell for member, value in zip(self.members, given, strict=True) for cell in member.decode(value)
        ]


@dataclass(frozen=True, slots=True)
class Symbolic(DataType):
    """An enum without underlying type, or `error`.

    `kind` is its field of `P4Data`, `members` are its names by value.
    """

    kind: str
    members: Mapping[int, str]

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """The member's name, empty for a value that has none."""
        name = self.members.get(next(cells), "")
        return p4d.P4Data(enum=name) if self.kind == "enum" else p4d.P4Data(error=name)

    def decode(self, data: p4d.P4Data) -> list[int]:
        """One integer."""
        _expect(data, self.kind)
        given = data.enum if self.kind == "enum" else data.error
        for value, name in self.members.items():
            if name == given:
                return [value]
        raise ValueError(f"the {self.kind} has no member {given!r}")


@dataclass(frozen=True, slots=True)
class Header(DataType):
    """A header; the data plane gives its fields only, so it is always valid."""

    fields: tuple[Bits, ...]

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """The fields in order."""
        strings = [field.encode(cells).bitstring for field in self.fields]
        return p4d.P4Data(header=p4d.P4Header(is_valid=True, bitstrings=strings))

    def decode(self, data: p4d.P4Data) -> list[int]:
        """An integer a field."""
        _expect(data, "header")
        strings = data.header.bitstrings
        if not data.header.is_valid or len(strings) != len(self.fields):
            raise ValueError(f"a valid header of {len(self.fields)} fields is wanted")
        return [
            cell
            for field, string in zip(self.fields, strings, strict=True)
            for cell in field.decode(p4d.P4Data(bitstring=string))
        ]


@dataclass(frozen=True, slots=True)
class Translated(DataType):
    """A type that clients write otherwise than the data plane has it."""

    wire: Wire

    def encode(self, cells: Iterator[int]) -> p4d.P4Data:
        """What stands for the value."""
        return p4d.P4Data(bitstring=self.wire.encode(next(cells)))

    def decode(self, data: p4d.P4Data) -> list[int]:
        """One integer."""
        _expect(data, "bitstring")
        return [self.wire.decode(data.bitstring)]


def _expect(data: p4d.P4Data, kind: str) -> None:
    given = data.WhichOneof("data")
    if given != kind:
        raise ValueError(f"a {kind} is wanted, not {given or 'nothing'}")


class Types:
    """The types of a P4Info, with what the program says of their values.

    `widths` are those that the program gives the integers of a type, in order (None: not known).
    """

    def __init__(
        self, info: p4t.P4TypeInfo, enums: Mapping[str, Mapping[int, str]], translations: Translations
    ):
        self._info = info
        self._enums = enums
        self._translations = translations

    def make(self, spec: p4t.P4DataTypeSpec, widths: Iterator[int | None]) -> DataType:
        """The type that a P4Info type specification describes.

        Raises:
            ValueError: the specification names an unknown type, or one that has no value as integers.
        """
        info = self._info
        match spec.WhichOneof("type_spec"):
            case "tuple":
                return Aggregate("tuple", tuple(self.make(member, widths) for member in spec.tuple.members))
            case "struct":
                members = _known(info.structs, "struct", spec.struct.name).members
                return Aggregate("struct", tuple(self.make(member.type_spec, widths) for member in members))
            case "header":
                fields = _known(info.headers, "header", spec.header.name).members
                return Header(tuple(self._header_field(field.type_spec, widths) for field in fields))
            case "new_type":
                return self._new_type(spec.new_type.name, widths)
            case _:
                next(widths, None)
                return self._leaf(spec)

    @staticmethod
    def _header_field(spec: p4t.P4BitstringLikeTypeSpec, widths: Iterator[int | None]) -> Bits:
        next(widths, None)
        return _bits(spec)

    def _leaf(self, spec: p4t.P4DataTypeSpec) -> DataType:
        match spec.WhichOneof("type_spec"):
            case "bitstring":
                return _bits(spec.bitstring)
            case "bool":
                return Bool()
            case "enum":
                return Symbolic("enum", _known(self._enums, "enum", spec.enum.name))
            case "error":
                return Symbolic("error", _known(self._enums, "type", "error"))
            case "serializable_enum":
                enum = _known(self._info.serializable_enums, "enum", spec.serializable_enum.name)
                return SerializableEnum(enum.underlying_type.bitwidth)
            case kind:
                raise ValueError(f"data of type {kind or 'unset'} has no value here")

    def _new_type(self, name: str, widths: Iterator[int | None]) -> DataType:
        new_type = _known(self._info.new_types, "type", name)
        if new_type.WhichOneof("representation") == "original_type":
            return self.make(new_type.original_type, widths)
        wire = self._translations.wire(name, 0, next(widths, None))
        return Translated(wire)


def _known(types: Mapping[str, T], what: str, name: str) -> T:
    found = types.get(name)
    if found is None:
        raise ValueError(f"there is no {what} {name}")
    return found


def _bits(spec: p4t.P4BitstringLikeTypeSpec) -> Bits:
    match spec.WhichOneof("type_spec"):
        case "bit":
            return Bits(spec.bit.bitwidth)
        case "int":
            return Bits(spec.int.bitwidth, signed=True)
        case kind:
            raise ValueError(f"data of type {kind or 'unset'} has no value here")
