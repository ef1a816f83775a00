"""Table entries in a canonical form, so that what is wanted and what is read back compare as bytes.

A target may order match fields and the actions of a set as it likes, pad values with zeros and spell out a
wildcard (P4Runtime specification 1.4, §8.3, §9.1); none of that makes an entry another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import finsy as fy
from finsy.p4schema import P4Table, P4UpdateType
from finsy.proto import p4r

from control.tables import RANK


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be written to a target.

    Attributes:
        key: what identifies it, a serialised `p4.v1.Entity`.
        body: what it holds, the rest of that message.
        rank: entries of a lower rank must be there before this one.
        is_default: it is a table's default action, which can be changed only.
    """

    key: bytes
    body: bytes
    rank: int
    is_default: bool

    def update(self, kind: P4UpdateType) -> p4r.Update:
        """The P4Runtime update of this kind; a default action can only be modified."""
        message = self.key if kind == P4UpdateType.DELETE else self.key + self.body
        kind = P4UpdateType.MODIFY if self.is_default else kind
        return p4r.Update(type=kind.vt(), entity=p4r.Entity.FromString(message))

    def table_entry(self, schema: fy.P4Schema) -> fy.P4TableEntry | None:
        """Finsy's form of it; None for a digest's configuration."""
        entity = p4r.Entity.FromString(self.key + self.body)
        return fy.P4TableEntry.decode(entity, schema) if entity.HasField("table_entry") else None

    def describe(self, schema: fy.P4Schema) -> str:
        """One line for people: `table match → action`."""
        entry = self.table_entry(schema)
        if entry is None:
            digest = p4r.Entity.FromString(self.key + self.body).digest_entry
            name = schema.digests[digest.digest_id].alias
            config = digest.config
            return f"digest {name} → list {config.max_list_size} for {config.max_timeout_ns} ns"
        match = "default" if self.is_default else entry.match_str(schema)
        return f"{entry.table_id} {match} → {entry.action_str(schema)}"


def wanted(entities: Iterable[fy.P4TableEntry | fy.P4DigestEntry], schema: fy.P4Schema) -> list[Entry]:
    """Entries made from finsy's."""
    return [entry for entity in entities if (entry := from_proto(entity.encode(schema), schema)) is not None]


def from_proto(entity: p4r.Entity, schema: fy.P4Schema) -> Entry | None:
    """The entry of a message read from a target; None when there is nothing to change about it.

    That is so for the entries of const tables, initial default actions, and digests that are not configured.
    """
    if entity.HasField("digest_entry"):
        return _digest(entity.digest_entry, schema)
    entry = entity.table_entry
    table = schema.tables[entry.table_id]
    if table.is_const or (entry.is_default_action and _is_initial(entry, table)):
        return None
    key = p4r.TableEntry(
        table_id=entry.table_id,
        match=sorted(filter(None, (_match(field, table) for field in entry.match)), key=lambda m: m.field_id),
        priority=entry.priority,
        is_default_action=entry.is_default_action,
    )
    return Entry(
        key=_bytes(p4r.Entity(table_entry=key)),
        body=_bytes(p4r.Entity(table_entry=p4r.TableEntry(action=_table_action(entry.action)))),
        rank=RANK[table.alias],
        is_default=entry.is_default_action,
    )


def _digest(entry: p4r.DigestEntry, schema: fy.P4Schema) -> Entry | None:
    if not entry.HasField("config"):
        return None
    key = p4r.Entity(digest_entry=p4r.DigestEntry(digest_id=entry.digest_id))
    body = p4r.Entity(digest_entry=p4r.DigestEntry(config=entry.config))
    return Entry(_bytes(key), _bytes(body), RANK[schema.digests[entry.digest_id].alias], is_default=False)


def _is_initial(entry: p4r.TableEntry, table: P4Table) -> bool:
    initial = table.pbuf.initial_default_action.action_id
    return not entry.HasField("action") or entry.action.action.action_id == initial


def _match(field: p4r.FieldMatch, table: P4Table) -> p4r.FieldMatch | None:
    """The field with canonical byte strings, or None when it matches everything."""
    bits = table.match_fields[field.field_id].bitwidth
    plain = p4r.FieldMatch(field_id=field.field_id)
    match field.WhichOneof("field_match_type"):
        case "exact":
            plain.exact.value = _number(field.exact.value)
        case "lpm":
            if not field.lpm.prefix_len:
                return None
            plain.lpm.value, plain.lpm.prefix_len = _number(field.lpm.value), field.lpm.prefix_len
        case "ternary":
            plain.ternary.value, plain.ternary.mask = (
                _number(field.ternary.value),
                _number(field.ternary.mask),
            )
            if plain.ternary.mask == b"\0":
                return None
        case "range":
            plain.range.low, plain.range.high = _number(field.range.low), _number(field.range.high)
            if plain.range.low == b"\0" and int.from_bytes(plain.range.high) == 2**bits - 1:
                return None
        case other:
            raise ValueError(f"table {table.alias}: a match of kind {other} is not of this program")
    return plain


def _table_action(action: p4r.TableAction) -> p4r.TableAction:
    if action.HasField("action"):
        return p4r.TableAction(action=_action(action.action))
    if not action.HasField("action_profile_action_set"):
        return action
    weights: dict[bytes, int] = {}
    for one in action.action_profile_action_set.action_profile_actions:
        key = action_bytes(one.action)
        weights[key] = weights.get(key, 0) + one.weight
    return _action_set(weights)


def action_set_body(weights: Mapping[bytes, int]) -> bytes:
    """The body of an entry whose action is a set of weighted actions, each as `action_bytes` has it."""
    return _bytes(p4r.Entity(table_entry=p4r.TableEntry(action=_action_set(weights))))


def action_bytes(action: p4r.Action) -> bytes:
    """An action in canonical form."""
    return _bytes(_action(action))


def _action_set(weights: Mapping[bytes, int]) -> p4r.TableAction:
    actions = [
        p4r.ActionProfileAction(action=p4r.Action.FromString(key), weight=weights[key])
        for key in sorted(weights)
    ]
    return p4r.TableAction(
        action_profile_action_set=p4r.ActionProfileActionSet(action_profile_actions=actions)
    )


def _action(action: p4r.Action) -> p4r.Action:
    params = sorted(action.params, key=lambda param: param.param_id)
    return p4r.Action(
        action_id=action.action_id,
        params=[p4r.Action.Param(param_id=param.param_id, value=_number(param.value)) for param in params],
    )


def _number(value: bytes) -> bytes:
    """The shortest byte string of a number (P4Runtime specification §8.3)."""
    return value.lstrip(b"\0") or b"\0"


def _bytes(message: p4r.Entity | p4r.Action) -> bytes:
    return message.SerializeToString(deterministic=True)
