"""Match keys and actions, from the wire to the program's values and back, checked against P4Info (§ 9.1).

Byte strings that § 8.3 has refused with OUT_OF_RANGE are INVALID_ARGUMENT here, as § 9.1.1 and 9.1.2 say.

A key is what the pipeline takes: a `Match` for each field in P4Info's order. What matches anything has one
representation only, so equal keys are equal matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from finsy.proto import p4i, p4r

from .. import api
from . import values
from .errors import denied, invalid_argument
from .fields import Field
from .p4info import ActionSpec, Schema, TableSpec

Key = tuple[api.Match, ...]
_Decode = Callable[[p4r.FieldMatch], api.Match]


def _exact(field: Field) -> _Decode:
    value_of, ones = field.wire.decode, field.ones
    return lambda match: api.Match(value_of(match.exact.value), ones)


def _lpm(field: Field) -> _Decode:
    value_of, bits = field.wire.decode, field.wire.bits

    def whole(match: p4r.FieldMatch) -> api.Match:
        if match.lpm.prefix_len != field.wire.sdn_bits:
            raise ValueError(f"a translated value has a prefix of {field.wire.sdn_bits} bits")
        return api.Match(value_of(match.lpm.value), field.ones)

    def decode(match: p4r.FieldMatch) -> api.Match:
        value, length = value_of(match.lpm.value), match.lpm.prefix_len
        if not 0 < length <= bits:
            raise ValueError(
                f"a prefix has 1 to {bits} bits, not {length} (leave the field out to match all)"
            )
        mask = values.prefix_mask(length, bits)
        if value & ~mask:
            raise ValueError(f"0x{value:x} has bits set beyond its prefix of {length}")
        return api.Match(value, mask)

    return whole if field.wire.whole else decode


def _ternary(field: Field) -> _Decode:
    value_of = field.wire.decode

    def whole(match: p4r.FieldMatch) -> api.Match:
        if values.decode(match.ternary.mask, field.wire.sdn_bits or 0) != _sdn_ones(field):
            raise ValueError(f"a translated value has the mask 0x{_sdn_ones(field):x}")
        return api.Match(value_of(match.ternary.value), field.ones)

    def decode(match: p4r.FieldMatch) -> api.Match:
        value, mask = value_of(match.ternary.value), value_of(match.ternary.mask)
        if not mask:
            raise ValueError("a mask of zero matches all: leave the field out")
        if value & ~mask:
            raise ValueError(f"0x{value:x} has bits set outside its mask 0x{mask:x}")
        return api.Match(value, mask)

    return whole if field.wire.whole else decode


def _range(field: Field) -> _Decode:
    value_of, ones, whole = field.wire.decode, field.ones, field.wire.whole

    def decode(match: p4r.FieldMatch) -> api.Match:
        low, high = value_of(match.range.low), value_of(match.range.high)
        if whole and low != high:
            raise ValueError("a range of translated values holds one")
        if low > high:
            raise ValueError(f"the low bound 0x{low:x} is above the high bound 0x{high:x}")
        if low == 0 and high == ones:
            raise ValueError("the range holds all values: leave the field out")
        return api.Match(low, 0, high)

    return decode


def _optional(field: Field) -> _Decode:
    value_of, ones = field.wire.decode, field.ones
    return lambda match: api.Match(value_of(match.optional.value), ones)


def _sdn_ones(field: Field) -> int:
    """The mask by which a client matches a whole value."""
    return (1 << (field.wire.sdn_bits or 0)) - 1


_DECODERS: Mapping[str, Callable[[Field], _Decode]] = {
    "exact": _exact,
    "lpm": _lpm,
    "ternary": _ternary,
    "range": _range,
    "optional": _optional,
}


def _any(field: Field) -> api.Match | None:
    """What a field that was left out matches; an exact one cannot be."""
    if field.kind == "exact":
        return None
    return api.Match(0, 0, field.ones) if field.kind == "range" else api.Match(0, 0)


class KeyCodec:
    """The keys of one table or value set; `place` names it in errors."""

    def __init__(self, place: str, fields: Sequence[Field]):
        self._place = place
        self._fields = tuple(fields)
        self._left_out = [_any(field) for field in fields]
        self._by_id = {
            field.id: (at, field.kind, _DECODERS[field.kind](field)) for at, field in enumerate(fields)
        }

    def decode(self, matches: Iterable[p4r.FieldMatch]) -> Key:
        """The key that a list of `FieldMatch` describes.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT for anything § 9.1.1 forbids.
        """
        left_out = self._left_out
        key = left_out.copy()
        for match in matches:
            found = self._by_id.get(match.field_id)
            if found is None:
                raise invalid_argument(f"{self._place} has no match field {match.field_id}")
            at, kind, decode = found
            if key[at] is not left_out[at]:
                raise invalid_argument(f"{self._place}: match field {self._fields[at].name} is given twice")
            given = match.WhichOneof("field_match_type")
            if given != kind:
                raise invalid_argument(
                    f"{self._place}: {self._fields[at].name} is matched {kind}, not {given or 'unset'}"
                )
            try:
                key[at] = decode(match)
            except ValueError as error:
                raise invalid_argument(f"{self._place}: {self._fields[at].name}: {error}") from None
        complete = tuple([part for part in key if part is not None])
        if len(complete) != len(key):
            name = self._fields[key.index(None)].name
            raise invalid_argument(f"{self._place}: the exact match field {name} is missing")
        return complete

    def encode(self, key: Key, into: p4r.TableEntry | p4r.ValueSetMember) -> None:
        """Give a message the canonical `FieldMatch` list of a key, without fields that match anything."""
        for field, (value, mask, high), left_out in zip(self._fields, key, self._left_out, strict=True):
            kind, written = field.kind, field.wire.encode
            if kind == "exact":
                into.match.add(field_id=field.id).exact.value = written(value)
            elif kind == "range":
                if (value, mask, high) != left_out:
                    bounds = into.match.add(field_id=field.id).range
                    bounds.low, bounds.high = written(value), written(high)
            elif not mask:
                continue
            elif kind == "lpm":
                prefix = into.match.add(field_id=field.id).lpm
                prefix.value = written(value)
                prefix.prefix_len = (_sdn_ones(field) if mask == field.ones else mask).bit_count()
            elif kind == "ternary":
                ternary = into.match.add(field_id=field.id).ternary
                ternary.value = written(value)
                ternary.mask = values.encode(_sdn_ones(field) if mask == field.ones else mask)
            else:
                into.match.add(field_id=field.id).optional.value = written(value)

    def canonical(self, matches: Sequence[api.Match]) -> Key:
        """The key of an entry that the program declares.

        Raises:
            ValueError: the program's key is not the one P4Info describes.
        """
        key: list[api.Match] = []
        for field, (value, mask, high) in zip(self._fields, matches, strict=True):
            if field.kind == "range":
                key.append(api.Match(value, 0, high))
            else:
                bits = field.ones if field.kind == "exact" else mask
                key.append(api.Match(value & bits, bits))
        return tuple(key)


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
                params.append(param.wire.decode(value))
            except ValueError as error:
                raise invalid_argument(f"{place}: action {spec.name}, {param.name}: {error}") from None
        if len(given) != len(params):
            unknown = min(given.keys() - {param.id for param in spec.params})
            raise invalid_argument(f"{place}: action {spec.name} has no parameter {unknown}")
        return api.Action(spec.name, tuple(params))

    def encode(self, action: api.Action, into: p4r.Action) -> None:
        """Make a message the canonical one of a call."""
        spec = self.spec(action)
        into.action_id = spec.id
        for param, value in zip(spec.params, action.params, strict=True):
            into.params.add(param_id=param.id, value=param.wire.encode(value))

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
