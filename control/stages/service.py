"""Service: which group a request is drawn from, or why it is refused."""

from __future__ import annotations

from functools import lru_cache

import finsy as fy
from finsy import P4TableAction, P4TableEntry
from finsy.proto import p4r

from control.decided import ANY_SITE, DemandPart, Steered, Unmet
from control.entries import Entry, number, wanted
from control.stages.row import row
from control.tables import ANY_SITE_SERVICE, RANK

Answer = int | Unmet
"""What a row says: the id of a group, `NOBODY`, or what is unmet."""
NOBODY = 0
_KEPT = 65_536

RETRY_AFTER_MS = 500
"""What a client is told when nothing can serve it: by then the sites have advertised anew."""


class ServiceEntries:
    """Makes the rows: there are as many as services, and each is one of few actions."""

    def __init__(self, schema: fy.P4Schema):
        self._schema = schema
        self._key = lru_cache(_KEPT)(self._make_key)
        self._body = lru_cache(_KEPT)(self._make_body)
        self._like = wanted([no_capacity(Steered(0, 0, 4))], schema)[0]
        self._fields = {field.id: field.alias for field in schema.tables["service"].match_fields}

    def entry(self, steered: Steered, answer: Answer) -> Entry:
        """The row of requests for a function."""
        rank = ANY_SITE_SERVICE if steered.scope == ANY_SITE else RANK["service"]
        return Entry(self._key(steered), self._body(answer), rank, is_fixed=False)

    def _make_key(self, steered: Steered) -> bytes:
        # Filled in by hand: finsy takes ten times as long, which tells at a hundred thousand rows.
        entity = p4r.Entity.FromString(self._like.key)
        values = _values(steered)
        for field in entity.table_entry.match:
            name = self._fields[field.field_id]
            if name == "func_id":
                field.lpm.value, field.lpm.prefix_len = number(steered.func_id), steered.prefix_len
            else:
                field.exact.value = number(values[name])
        return entity.SerializeToString(deterministic=True)

    def _make_body(self, answer: Answer) -> bytes:
        steered = Steered(0, 0, 4)
        if isinstance(answer, Unmet):
            entity = unmet(steered, answer.part, self._schema)
        elif answer == NOBODY:
            entity = no_capacity(steered)
        else:
            entity = grouped(steered, answer)
        return wanted([entity], self._schema)[0].body


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


def _values(steered: Steered) -> dict[str, int]:
    return {"is_ipv6": int(steered.family == 6), "scope": steered.scope, "class_id": steered.class_id}


def _row(steered: Steered, action: P4TableAction) -> P4TableEntry:
    return row("service", {**_values(steered), "func_id": (steered.func_id, steered.prefix_len)}, action)
