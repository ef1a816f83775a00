"""P4Runtime messages of `programs/everything.p4` by the names in its P4Info, and as short strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from finsy.proto import p4i, p4r
from google.protobuf import text_format

PROGRAMS = Path(__file__).parent / "programs"
DEVICE_CONFIG = (PROGRAMS / "everything.json").read_bytes()
P4INFO = text_format.Parse((PROGRAMS / "everything.p4info.txtpb").read_text(), p4i.P4Info())

INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE

_SORTS = (
    "tables",
    "actions",
    "action_profiles",
    "counters",
    "meters",
    "value_sets",
    "registers",
    "digests",
)
IDS = {item.preamble.alias: item.preamble.id for sort in _SORTS for item in getattr(P4INFO, sort)}
NAMES = {number: name for name, number in IDS.items()}
_FIELDS = {
    table.preamble.alias: {item.name.split(".")[-1]: item for item in table.match_fields}
    for table in P4INFO.tables
}
_PARAMS = {action.preamble.alias: {item.name: item.id for item in action.params} for action in P4INFO.actions}

Values = int | tuple[int, int] | bytes


def canonical(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))


def action(name: str, **params: Values) -> p4r.Action:
    return p4r.Action(
        action_id=IDS[name],
        params=[
            p4r.Action.Param(param_id=_PARAMS[name][key], value=_bytes(value))
            for key, value in params.items()
        ],
    )


def _bytes(value: Values) -> bytes:
    assert not isinstance(value, tuple)
    return value if isinstance(value, bytes) else canonical(value)


def match(table: str, **key: Values) -> list[p4r.FieldMatch]:
    """The kind of each match follows P4Info; two-valued kinds take a tuple."""
    found: list[p4r.FieldMatch] = []
    for name, value in key.items():
        field = _FIELDS[table][name]
        message = p4r.FieldMatch(field_id=field.id)
        match field.match_type, value:
            case p4i.MatchField.EXACT, _:
                message.exact.value = _bytes(value)
            case p4i.MatchField.OPTIONAL, _:
                message.optional.value = _bytes(value)
            case p4i.MatchField.LPM, (first, second):
                message.lpm.value, message.lpm.prefix_len = canonical(first), second
            case p4i.MatchField.TERNARY, (first, second):
                message.ternary.value, message.ternary.mask = canonical(first), canonical(second)
            case p4i.MatchField.RANGE, (first, second):
                message.range.low, message.range.high = canonical(first), canonical(second)
            case _:
                raise AssertionError(name)
        found.append(message)
    return found


def entry(
    table: str, key: Mapping[str, Values], result: p4r.Action | p4r.TableAction | None = None, **other: object
) -> p4r.Entity:
    message = p4r.TableEntry(table_id=IDS[table], match=match(table, **key), **other)
    if isinstance(result, p4r.Action):
        message.action.action.CopyFrom(result)
    elif result is not None:
        message.action.CopyFrom(result)
    return p4r.Entity(table_entry=message)


def route(prefix: int, length: int, port: int, **other: object) -> p4r.Entity:
    return entry("route", {"dst_addr": (prefix, length)}, action("forward", port=port), **other)


def default(table: str, call: p4r.Action | None = None, **other: object) -> p4r.Entity:
    return entry(table, {}, call, is_default_action=True, **other)


def member(profile: str, member_id: int, call: p4r.Action | None = None) -> p4r.Entity:
    message = p4r.ActionProfileMember(action_profile_id=IDS[profile], member_id=member_id, action=call)
    return p4r.Entity(action_profile_member=message)


def group(profile: str, group_id: int, weights: Mapping[int, int], max_size: int = 0) -> p4r.Entity:
    message = p4r.ActionProfileGroup(
        action_profile_id=IDS[profile],
        group_id=group_id,
        members=[
            p4r.ActionProfileGroup.Member(member_id=number, weight=weight)
            for number, weight in weights.items()
        ],
        max_size=max_size,
    )
    return p4r.Entity(action_profile_group=message)


def action_set(*items: tuple[p4r.Action, int] | tuple[p4r.Action, int, int]) -> p4r.TableAction:
    """One-shot actions as (action, weight) or (action, weight, watch port)."""
    actions = p4r.ActionProfileActionSet()
    for call, weight, *watch in items:
        added = actions.action_profile_actions.add(action=call, weight=weight)
        if watch:
            added.watch_port = canonical(watch[0])
    return p4r.TableAction(action_profile_action_set=actions)


def shown(entity: p4r.Entity) -> str:
    """An entity on one line, ids as names, everything else as protobuf's text format has it."""
    text = text_format.MessageToString(entity, as_one_line=True)
    for number, name in NAMES.items():
        text = text.replace(f" {number} ", f" {name} ")
    return text


def shown_all(entities: Iterable[p4r.Entity]) -> set[str]:
    return {shown(entity) for entity in entities}


def counter_of(index: int | None, packets: int | None = None) -> p4r.Entity:
    """A cell of `per_port`, which counts packets and bytes; without an index all of them."""
    return p4r.Entity(
        counter_entry=p4r.CounterEntry(
            counter_id=IDS["per_port"],
            index=None if index is None else p4r.Index(index=index),
            data=None if packets is None else p4r.CounterData(packet_count=packets),
        )
    )


def multicast_of(number: int, *ports: int) -> p4r.Entity:
    group = p4r.MulticastGroupEntry(
        multicast_group_id=number, replicas=[p4r.Replica(port=canonical(port)) for port in ports]
    )
    return p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(multicast_group_entry=group)
    )
