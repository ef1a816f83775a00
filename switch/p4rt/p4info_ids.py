"""What P4Info promises of its ids: none is 0, none is given twice (§ 6.3, 8.1.1)."""

from __future__ import annotations

from collections.abc import Iterable

from finsy.proto import p4i


def check(info: p4i.P4Info) -> None:
    """Check the ids of all objects, and within each those of its fields or parameters.

    Raises:
        ValueError: an id is 0 or given twice; the message names the object.
    """
    objects = (
        *info.tables,
        *info.actions,
        *info.action_profiles,
        *info.counters,
        *info.direct_counters,
        *info.meters,
        *info.direct_meters,
        *info.controller_packet_metadata,
        *info.value_sets,
        *info.registers,
        *info.digests,
    )
    _unique("P4Info", ((item.preamble.id, item.preamble.name) for item in objects))
    for table in info.tables:
        _unique(f"table {table.preamble.name}", ((field.id, field.name) for field in table.match_fields))
    for action in info.actions:
        _unique(f"action {action.preamble.name}", ((param.id, param.name) for param in action.params))
    for value_set in info.value_sets:
        _unique(f"value set {value_set.preamble.name}", ((field.id, field.name) for field in value_set.match))
    for header in info.controller_packet_metadata:
        _unique(f"header {header.preamble.name}", ((item.id, item.name) for item in header.metadata))


def _unique(place: str, items: Iterable[tuple[int, str]]) -> None:
    names: dict[int, str] = {}
    for number, name in items:
        if not number:
            raise ValueError(f"{place}: {name} has the id 0")
        if number in names:
            raise ValueError(f"{place}: {names[number]} and {name} have the same id 0x{number:x}")
        names[number] = name
