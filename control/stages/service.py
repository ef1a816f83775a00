"""Service: which group a request is drawn from, or why it is refused."""

from __future__ import annotations

import finsy as fy
from finsy import P4TableAction, P4TableEntry

from control.decided import DemandPart, Steered
from control.stages.row import row

RETRY_AFTER_MS = 500
"""What a client is told when nothing can serve it: by then the sites have advertised anew."""


def grouped(steered: Steered, group: int) -> P4TableEntry:
    """Requests that are drawn from a group."""
    return _row(steered, P4TableAction("set_group", group=group))


def no_capacity(steered: Steered) -> P4TableEntry:
    """Requests that nobody can serve now."""
    return _row(steered, P4TableAction("no_capacity", retry_after_ms=RETRY_AFTER_MS))


def unmet(steered: Steered, part: DemandPart, schema: fy.P4Schema) -> P4TableEntry:
    """Requests of which nobody can ever meet a part."""
    number = schema.type_info.serializable_enums["DemandPart"].members[part]
    return _row(steered, P4TableAction("unmet", part=number))


def part_of(number: int, schema: fy.P4Schema) -> DemandPart | None:
    """The part of a demand with this number in the program."""
    members = schema.type_info.serializable_enums["DemandPart"].members
    parts: tuple[DemandPart, ...] = ("TYPE", "GRADE", "LATENCY", "COST")
    return next((part for part in parts if members[part] == number), None)


def _row(steered: Steered, action: P4TableAction) -> P4TableEntry:
    match = {
        "is_ipv6": int(steered.family == 6),
        "scope": steered.scope,
        "class_id": steered.class_id,
        "func_id": (steered.func_id, steered.prefix_len),
    }
    return row("service", match, action)
