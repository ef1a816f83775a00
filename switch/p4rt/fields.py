"""Match fields, parameters and fields of controller headers: their widths in P4Info and in the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from finsy.proto import p4i, p4t

from .program import HeaderFields, Program
from .translation import Translations, Wire, plain

_MATCH_KINDS = {
    p4i.MatchField.EXACT: "exact",
    p4i.MatchField.LPM: "lpm",
    p4i.MatchField.TERNARY: "ternary",
    p4i.MatchField.RANGE: "range",
    p4i.MatchField.OPTIONAL: "optional",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A match field; `kind` is the name of its alternative in `p4.v1.FieldMatch`."""

    id: int
    name: str
    wire: Wire
    kind: str

    @property
    def ones(self) -> int:
        """The largest value in the data plane."""
        return (1 << self.wire.bits) - 1


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an action, or a field of a controller header (with id 0 one that clients do not see)."""

    id: int
    name: str
    wire: Wire


class _Typed(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def bitwidth(self) -> int: ...
    @property
    def type_name(self) -> p4t.P4NamedType: ...


def _wire(place: str, item: _Typed, bits: int | None, translations: Translations) -> Wire:
    try:
        return translations.wire(item.type_name.name, item.bitwidth, bits)
    except ValueError as error:
        raise ValueError(f"{place}: {item.name}: {error}") from None


def params(
    place: str, items: Sequence[_Typed], widths: Sequence[int | None], translations: Translations
) -> tuple[Param, ...]:
    """Parameters, or fields of a header, with their widths in the program."""
    return tuple(
        Param(item.id, item.name, _wire(place, item, bits, translations))
        for item, bits in zip(items, widths, strict=True)
    )


def match_fields(
    place: str, items: Sequence[p4i.MatchField], widths: Sequence[int | None], translations: Translations
) -> tuple[Field, ...]:
    """Match fields with their widths in the program, as far as it gives any.

    Raises:
        ValueError: a kind of match is unknown, or means nothing for strings.
    """
    fields: list[Field] = []
    if len(widths) != len(items):
        widths = (None,) * len(items)
    for item, bits in zip(items, widths, strict=True):
        kind = _MATCH_KINDS.get(item.match_type)
        if kind is None:
            raise ValueError(f"{place}: field {item.name} has an unknown match type {item.other_match_type}")
        wire = _wire(place, item, bits, translations)
        if wire.sdn_bits is None and kind not in ("exact", "optional"):
            raise ValueError(f"{place}: {item.name} is a string, for which {kind} matches mean nothing")
        fields.append(Field(item.id, item.name, wire, kind))
    return tuple(fields)


def controller_header(
    info: p4i.P4Info, name: str, program: Program, translations: Translations
) -> tuple[Param, ...]:
    """The fields of the controller header with a name, none where P4Info has none.

    Raises:
        ValueError: it has translated fields and which header of the program it is cannot be told.
    """
    for header in info.controller_packet_metadata:
        if header.preamble.name == name:
            return _laid_out(f"controller header {name}", header.metadata, program, translations)
    return ()


def _laid_out(
    place: str,
    items: Sequence[p4i.ControllerPacketMetadata.Metadata],
    program: Program,
    translations: Translations,
) -> tuple[Param, ...]:
    """The fields of a controller header as they are in a packet, with those that P4Info hides.

    The program does not say which header it is: it is known by the names of its fields. Where it is not (p4c
    gives other names to fields of nested structs), the header is taken to be what P4Info has.
    """
    names = [item.name for item in items]
    layouts = {fields for fields in program.headers if [field for field, _ in fields] == names} or {
        fields for fields in program.headers if names and _in_order(names, fields)
    }
    if len(layouts) != 1:
        found = params(place, items, (None,) * len(items), translations)
        if any(translations.translates(item.type_name.name) for item in items):
            raise ValueError(f"{place}: which header of the program it is cannot be told")
        return found
    (fields,) = layouts
    seen = {item.name: item for item in items}
    return tuple(
        Param(seen[field].id, field, _wire(place, seen[field], bits, translations))
        if field in seen
        else Param(0, field, plain(bits))
        for field, bits in fields
    )


def _in_order(names: Sequence[str], fields: HeaderFields) -> bool:
    found = iter(field for field, _ in fields)
    return all(name in found for name in names)
