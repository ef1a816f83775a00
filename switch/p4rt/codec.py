"""Match keys and actions, from the wire to the program's values and back, checked against P4Info (§ 9.1).

A `Key` is flat and hashable: one integer for an exact field, two for any other (value and prefix length,
value and mask, low and high, value and presence), in P4Info's order. A field that matches anything has one
representation only, so equal keys are equal matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from finsy.proto import p4i, p4r

from .. import api
from . import values
from .errors import denied, invalid_argument
from .p4info import ActionSpec, Field, Schema, TableSpec

Key = tuple[int, ...]


def _exact(bits: int, match: p4r.FieldMatch) -> Key:
    return (values.decode(match.exact.value, bits),)


def _lpm(bits: int, match: p4r.FieldMatch) -> Key:
    value, length = values.decode(match.lpm.value, bits), match.lpm.prefix_len
    if not 0 < length <= bits:
        raise ValueError(f"a prefix has 1 to {bits} bits, not {length} (leave the field out to match all)")
    if value & ~values.prefix_mask(length, bits):
        raise ValueError(f"0x{value:x} has bits set beyond its prefix of {length}")
    return (value, length)


def _ternary(bits: int, match: p4r.FieldMatch) -> Key:
    value, mask = values.decode(match.ternary.value, bits), values.decode(match.ternary.mask, bits)
    if not mask:
        raise ValueError("a mask of zero matches all: leave the field out")
    if value & ~mask:
        raise ValueError(f"0x{value:x} has bits set outside its mask 0x{mask:x}")
    return (value, mask)


def _range(bits: int, match: p4r.FieldMatch) -> Key:
    low, high = values.decode(match.range.low, bits), values.decode(match.range.high, bits)
    if low > high:
        raise ValueError(f"the low bound 0x{low:x} is above the high bound 0x{high:x}")
    if low == 0 and high == (1 << bits) - 1:
        raise ValueError("the range holds all values: leave the field out")
    return (low, high)


def _optional(bits: int, match: p4r.FieldMatch) -> Key:
    return (values.decode(match.optional.value, bits), 1)


_DECODE: Mapping[str, Callable[[int, p4r.FieldMatch], Key]] = {
    "exact": _exact,
    "lpm": _lpm,
    "ternary": _ternary,
    "range": _range,
    "optional": _optional,
}


def _any(field: Field) -> Key:
    """The key part of a field that was left out."""
    return (0, (1 << field.bits) - 1) if field.kind == "range" else (0, 0)


class KeyCodec:
    """The keys of one table or value set; `place` names it in errors."""

    def __init__(self, place: str, fields: Sequence[Field]):
        self._place = place
        self._fields = tuple(fields)
        self._by_id = {field.id: field for field in fields}
        self._left_out = {field.id: _any(field) for field in fields if field.kind != "exact"}

    def decode(self, matches: Iterable[p4r.FieldMatch]) -> Key:
        """The key that a list of `FieldMatch` describes.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT for anything § 9.1.1 forbids.
        """
        place = self._place
        parts: dict[int, Key] = {}
        for match in matches:
            field = self._by_id.get(match.field_id)
            if field is None:
                raise invalid_argument(f"{place} has no match field {match.field_id}")
            if field.id in parts:
                raise invalid_argument(f"{place}: match field {field.name} is given twice")
            kind = match.WhichOneof("field_match_type")
            if kind is None or kind != field.kind:
                raise invalid_argument(
                    f"{place}: {field.name} is matched {field.kind}, not {kind or 'unset'}"
                )
            try:
                parts[field.id] = _DECODE[kind](field.bits, match)
            except ValueError as error:
                raise invalid_argument(f"{place}: {field.name}: {error}") from None
        key: list[int] = []
        for field in self._fields:
            part = parts.get(field.id) or self._left_out.get(field.id)
            if part is None:
                raise invalid_argument(f"{place}: the exact match field {field.name} is missing")
            key += part
        return tuple(key)

    def encode(self, key: Key) -> list[p4r.FieldMatch]:
        """The canonical `FieldMatch` list of a key: fields that match anything are left out."""
        matches: list[p4r.FieldMatch] = []
        for field, value, other in self._parts(key):
            match = p4r.FieldMatch(field_id=field.id)
            match field.kind:
                case "exact":
                    match.exact.value = values.encode(value)
                case "lpm" if other:
                    match.lpm.value = values.encode(value)
                    match.lpm.prefix_len = other
                case "ternary" if other:
                    match.ternary.value = values.encode(value)
                    match.ternary.mask = values.encode(other)
                case "range" if (value, other) != self._left_out[field.id]:
                    match.range.low = values.encode(value)
                    match.range.high = values.encode(other)
                case "optional" if other:
                    match.optional.value = values.encode(value)
                case _:
                    continue
            matches.append(match)
        return matches

    def to_program(self, key: Key) -> list[api.Match]:
        """A key as the pipeline wants it."""
        matches: list[api.Match] = []
        for field, value, other in self._parts(key):
            ones = (1 << field.bits) - 1
            match field.kind:
                case "exact":
                    matches.append(api.Match(value, ones))
                case "lpm":
                    matches.append(api.Match(value, values.prefix_mask(other, field.bits)))
                case "ternary":
                    matches.append(api.Match(value, other))
                case "range":
                    matches.append(api.Match(value, 0, other))
                case _:
                    matches.append(api.Match(value, ones if other else 0))
        return matches

    def from_program(self, matches: Sequence[api.Match]) -> Key:
        """The key of an entry that the program declares.

        Raises:
            ValueError: the program's key is not the one P4Info describes.
        """
        key: list[int] = []
        for field, match in zip(self._fields, matches, strict=True):
            match field.kind:
                case "exact":
                    key.append(match.value)
                case "lpm":
                    key += (match.value & match.mask, match.mask.bit_count())
                case "ternary":
                    key += (match.value & match.mask, match.mask)
                case "range":
                    key += (match.value, match.high)
                case _:
                    key += (match.value, 1) if match.mask else (0, 0)
        return tuple(key)

    def _parts(self, key: Key) -> Iterable[tuple[Field, int, int]]:
        at = 0
        for field in self._fields:
            if field.kind == "exact":
                yield field, key[at], 0
                at += 1
            else:
                yield field, key[at], key[at + 1]
                at += 2


class ActionCodec:
    """Actions by id on the wire and by name in the program."""

    def __init__(self, schema: Schema):
        self._by_id = schema.actions
        self._by_name = {action.name: action for action in schema.actions.values()}

    def decode(self, place: str, message: p4r.Action) -> api.Action:
        """A call of an action with every parameter given once.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT for anything § 9.1.2 forbids.
        """
        spec = self._by_id.get(message.action_id)
        if spec is None:
            raise invalid_argument(f"{place}: P4Info has no action with id 0x{message.action_id:08x}")
        given = {param.param_id: param.value for param in message.params}
        if len(given) != len(message.params):
            raise invalid_argument(f"{place}: action {spec.name} has a parameter given twice")
        params: list[int] = []
        for param in spec.params:
            value = given.get(param.id)
            if value is None:
                raise invalid_argument(f"{place}: action {spec.name} lacks parameter {param.name}")
            try:
                params.append(values.decode(value, param.bits))
            except ValueError as error:
                raise invalid_argument(f"{place}: action {spec.name}, {param.name}: {error}") from None
        if len(given) != len(params):
            unknown = min(given.keys() - {param.id for param in spec.params})
            raise invalid_argument(f"{place}: action {spec.name} has no parameter {unknown}")
        return api.Action(spec.name, tuple(params))

    def encode(self, action: api.Action) -> p4r.Action:
        """The canonical message of a call."""
        spec = self.spec(action)
        return p4r.Action(
            action_id=spec.id,
            params=[
                p4r.Action.Param(param_id=param.id, value=values.encode(value))
                for param, value in zip(spec.params, action.params, strict=True)
            ],
        )

    def spec(self, action: api.Action) -> ActionSpec:
        """The action that is called."""
        return self._by_name[action.name]

    def knows(self, action: api.Action) -> bool:
        """Whether P4Info has the action (it has none for those p4c makes up)."""
        return action.name in self._by_name


def check_scope(table: TableSpec, action_id: int, *, default: bool) -> None:
    """Whether a table may call an action, as its default or in an entry (§ 9.1.2).

    Raises:
        P4RuntimeError: INVALID_ARGUMENT or PERMISSION_DENIED.
    """
    scope = table.actions.get(action_id)
    if scope is None:
        raise invalid_argument(f"table {table.name} has no action with id 0x{action_id:08x}")
    if default and scope == p4i.ActionRef.TABLE_ONLY:
        raise denied(f"table {table.name}: a @tableonly action cannot be the default")
    if not default and scope == p4i.ActionRef.DEFAULT_ONLY:
        raise denied(f"table {table.name}: a @defaultonly action cannot be in an entry")
