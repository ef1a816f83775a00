"""P4 data types of registers and digests, and their values as `P4Data` (§ 8.4).

A value is the flat sequence of the unsigned integers (bit patterns) that its type holds, in order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from finsy.proto import p4d, p4t

from . import values


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


def _expect(data: p4d.P4Data, kind: str) -> None:
    given = data.WhichOneof("data")
    if given != kind:
        raise ValueError(f"a {kind} is wanted, not {given or 'nothing'}")


def from_spec(spec: p4t.P4DataTypeSpec, info: p4t.P4TypeInfo) -> DataType:
    """The type that a P4Info type specification describes.

    Raises:
        ValueError: the specification names an unknown type, or one that has no value as integers.
    """
    kind = spec.WhichOneof("type_spec")
    match kind:
        case "bitstring":
            return _bits(spec.bitstring)
        case "bool":
            return Bool()
        case "tuple":
            return Aggregate("tuple", tuple(from_spec(member, info) for member in spec.tuple.members))
        case "struct":
            if spec.struct.name not in info.structs:
                raise ValueError(f"struct {spec.struct.name} is not in P4Info's type_info")
            members = info.structs[spec.struct.name].members
            return Aggregate("struct", tuple(from_spec(member.type_spec, info) for member in members))
        case "serializable_enum":
            name = spec.serializable_enum.name
            if name not in info.serializable_enums:
                raise ValueError(f"enum {name} is not in P4Info's type_info")
            return SerializableEnum(info.serializable_enums[name].underlying_type.bitwidth)
        case "new_type":
            return _new_type(spec.new_type.name, info)
        case _:
            raise ValueError(f"data of type {kind or 'unset'} has no value here")


def _bits(spec: p4t.P4BitstringLikeTypeSpec) -> DataType:
    match spec.WhichOneof("type_spec"):
        case "bit":
            return Bits(spec.bit.bitwidth)
        case "int":
            return Bits(spec.int.bitwidth, signed=True)
        case kind:
            raise ValueError(f"data of type {kind or 'unset'} has no value here")


def _new_type(name: str, info: p4t.P4TypeInfo) -> DataType:
    if name not in info.new_types:
        raise ValueError(f"type {name} is not in P4Info's type_info")
    new_type = info.new_types[name]
    if new_type.WhichOneof("representation") == "original_type":
        return from_spec(new_type.original_type, info)
    if new_type.translated_type.WhichOneof("sdn_type") == "sdn_string":
        raise ValueError(f"type {name} is translated to strings, which is not supported")
    return Bits(new_type.translated_type.sdn_bitwidth)
