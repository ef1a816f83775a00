"""Messages of `programs/translated.p4` by the names in its P4Info."""

from __future__ import annotations

from finsy.proto import p4d, p4i, p4r
from google.protobuf import text_format

from .messages import PROGRAMS, canonical

P4INFO = text_format.Parse((PROGRAMS / "translated.p4info.txtpb").read_text(), p4i.P4Info())
CONFIG = p4r.ForwardingPipelineConfig(
    p4info=P4INFO, p4_device_config=(PROGRAMS / "translated.json").read_bytes()
)
IDS = {
    item.preamble.alias: item.preamble.id
    for sort in (P4INFO.tables, P4INFO.actions, P4INFO.registers, P4INFO.digests)
    for item in sort
}


def action(name: str, *values: int | bytes) -> p4r.Action:
    return p4r.Action(
        action_id=IDS[name],
        params=[p4r.Action.Param(param_id=at, value=_bytes(value)) for at, value in enumerate(values, 1)],
    )


def entry(table: str, result: p4r.Action, *key: p4r.FieldMatch, priority: int = 0) -> p4r.Entity:
    """The matches are those of the first fields."""
    message = p4r.TableEntry(table_id=IDS[table], match=key, priority=priority)
    for at, part in enumerate(message.match, 1):
        part.field_id = at
    message.action.action.CopyFrom(result)
    return p4r.Entity(table_entry=message)


def exact(value: int | bytes) -> p4r.FieldMatch:
    return p4r.FieldMatch(exact=p4r.FieldMatch.Exact(value=_bytes(value)))


def optional(value: int | bytes) -> p4r.FieldMatch:
    return p4r.FieldMatch(optional=p4r.FieldMatch.Optional(value=_bytes(value)))


def ternary(value: int, mask: int = 0xFFFFFFFF) -> p4r.FieldMatch:
    return p4r.FieldMatch(ternary=p4r.FieldMatch.Ternary(value=canonical(value), mask=canonical(mask)))


def prefix(value: int, length: int = 32) -> p4r.FieldMatch:
    return p4r.FieldMatch(lpm=p4r.FieldMatch.LPM(value=canonical(value), prefix_len=length))


def between(low: int, high: int) -> p4r.FieldMatch:
    return p4r.FieldMatch(range=p4r.FieldMatch.Range(low=canonical(low), high=canonical(high)))


def register(name: str, index: int, value: int | bytes | None = None) -> p4r.Entity:
    data = None if value is None else p4d.P4Data(bitstring=_bytes(value))
    return p4r.Entity(
        register_entry=p4r.RegisterEntry(register_id=IDS[name], index=p4r.Index(index=index), data=data)
    )


def metadata(*values: int | bytes) -> list[p4r.PacketMetadata]:
    """p4c counts the hidden field in front of them, too."""
    return [p4r.PacketMetadata(metadata_id=at, value=_bytes(value)) for at, value in enumerate(values, 2)]


def seen(*, source: int, port: int, label: bytes, colour: str, failed: str) -> p4d.P4Data:
    strings = [canonical(value) for value in (1, source, 0x9000)]
    members = [
        p4d.P4Data(header=p4d.P4Header(is_valid=True, bitstrings=strings)),
        p4d.P4Data(bitstring=canonical(port)),
        p4d.P4Data(bitstring=label),
        p4d.P4Data(enum=colour),
        p4d.P4Data(enum_value=b"\7"),
        p4d.P4Data(bool=True),
        p4d.P4Data(error=failed),
    ]
    return p4d.P4Data(struct=p4d.P4StructLike(members=members))


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else canonical(value)
