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

from control.tables import CLONE_SESSION_RANK, RANK, rank

Entity = fy.P4TableEntry | fy.P4DigestEntry | fy.P4MeterEntry | fy.P4CloneSessionEntry
"""Finsy's forms of what a router is given."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be written to a target.

    Attributes:
        key: what identifies it, a serialised `p4.v1.Entity`.
        body: what it holds, the rest of that message.
        rank: entries of a lower rank must be there before this one.
        is_fixed: it is always there and can be changed only: a table's default action, a cell of a meter.
    """

    key: bytes
    body: bytes
    rank: int
    is_fixed: bool

    def update(self, kind: P4UpdateType) -> p4r.Update:
        """The P4Runtime update of this kind; what is fixed can only be modified."""
        message = self.key if kind == P4UpdateType.DELETE else self.key + self.body
        kind = P4UpdateType.MODIFY if self.is_fixed else kind
        return p4r.Update(type=kind.vt(), entity=p4r.Entity.FromString(message))

    def table_entry(self, schema: fy.P4Schema) -> fy.P4TableEntry | None:
        """Finsy's form of it; None for what is no table entry."""
        entity = p4r.Entity.FromString(self.key + self.body)
        return fy.P4TableEntry.decode(entity, schema) if entity.HasField("table_entry") else None

    def describe(self, schema: fy.P4Schema) -> str:
        """One line for people: `table match → action`."""
        entity = p4r.Entity.FromString(self.key + self.body)
        match entity.WhichOneof("entity"):
            case "digest_entry":
                name, config = schema.digests[entity.digest_entry.digest_id].alias, entity.digest_entry.config
                return f"digest {name} → list {config.max_list_size} for {config.max_timeout_ns} ns"
            case "meter_entry":
                name = schema.meters[entity.meter_entry.meter_id].alias
                return f"meter {name} {entity.meter_entry.index.index} → {_rates(entity.meter_entry.config)}"
            case "packet_replication_engine_entry":
                session = fy.P4CloneSessionEntry.decode(entity, schema)
                return f"clone session {session.session_id} → {session.replicas_str()}"
            case _:
                entry = fy.P4TableEntry.decode(entity, schema)
        match = "default" if entry.is_default_action else entry.match_str(schema)
        rates = entity.table_entry.meter_config
        metered = f", {_rates(rates)}" if entity.table_entry.HasField("meter_config") else ""
        return f"{entry.table_id} {match} → {entry.action_str(schema)}{metered}"


def wanted(entities: Iterable[Entity], schema: fy.P4Schema) -> list[Entry]:
    """Entries made from finsy's."""
    return [entry for entity in entities if (entry := from_proto(entity.encode(schema), schema)) is not None]


def from_proto(entity: p4r.Entity, schema: fy.P4Schema) -> Entry | None:
    """The entry of a message read from a target; None when there is nothing to change about it.

    That is so for the entries of const tables, initial default actions, and digests and meters that are not
    configured.
    """
    match entity.WhichOneof("entity"):
        case "digest_entry":
            return _digest(entity.digest_entry, schema)
        case "meter_entry":
            return _meter(entity.meter_entry, schema)
        case "packet_replication_engine_entry":
            return _clone_session(entity, schema)
        case _:
            return _table_entry(entity.table_entry, schema)


def _table_entry(entry: p4r.TableEntry, schema: fy.P4Schema) -> Entry | None:
    table = schema.tables[entry.table_id]
    if table.is_const or (entry.is_default_action and _is_initial(entry, table)):
        return None
    match = sorted(filter(None, (_match(field, table) for field in entry.match)), key=lambda m: m.field_id)
    key = p4r.TableEntry(
        table_id=entry.table_id,
        match=match,
        priority=entry.priority,
        is_default_action=entry.is_default_action,
    )
    body = p4r.TableEntry(action=_table_action(entry.action))
    if entry.HasField("meter_config"):
        body.meter_config.CopyFrom(entry.meter_config)
    return Entry(
        key=_bytes(p4r.Entity(table_entry=key)),
        body=_bytes(p4r.Entity(table_entry=body)),
        rank=rank(p4r.TableEntry(match=match, action=body.action), table),
        is_fixed=entry.is_default_action,
    )


def _digest(entry: p4r.DigestEntry, schema: fy.P4Schema) -> Entry | None:
    if not entry.HasField("config"):
        return None
    key = p4r.Entity(digest_entry=p4r.DigestEntry(digest_id=entry.digest_id))
    body = p4r.Entity(digest_entry=p4r.DigestEntry(config=entry.config))
    return Entry(_bytes(key), _bytes(body), RANK[schema.digests[entry.digest_id].alias], is_fixed=False)


def _meter(entry: p4r.MeterEntry, schema: fy.P4Schema) -> Entry | None:
    if not entry.HasField("config"):
        return None
    key = p4r.Entity(meter_entry=p4r.MeterEntry(meter_id=entry.meter_id, index=entry.index))
    body = p4r.Entity(meter_entry=p4r.MeterEntry(config=entry.config))
    return Entry(_bytes(key), _bytes(body), RANK[schema.meters[entry.meter_id].alias], is_fixed=True)


def _clone_session(entity: p4r.Entity, schema: fy.P4Schema) -> Entry:
    # Decoded and encoded again, so that a replica's port is written in one of its two forms.
    session = fy.P4CloneSessionEntry.decode(entity, schema)
    key = fy.P4CloneSessionEntry(session.session_id).encode(schema)
    session.session_id = 0
    return Entry(_bytes(key), _bytes(session.encode(schema)), CLONE_SESSION_RANK, is_fixed=False)


def _rates(config: p4r.MeterConfig) -> str:
    return f"{config.cir}/s by {config.cburst}, {config.pir}/s by {config.pburst}"


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


def number(value: int) -> bytes:
    """A number as a target tells it, in as few bytes as it takes (P4Runtime specification §8.3)."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))


def _number(value: bytes) -> bytes:
    """The shortest byte string of a number (P4Runtime specification §8.3)."""
    return value.lstrip(b"\0") or b"\0"


def _bytes(message: p4r.Entity | p4r.Action) -> bytes:
    return message.SerializeToString(deterministic=True)
