"""Service: which group a request is drawn from, or why it is refused."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import finsy as fy
from finsy import P4TableAction, P4TableEntry

from cfn.names import FUNC_ID_BITS
from control.decided import ANY_SITE, DemandPart, Steered, Unmet
from control.entries import Entry, wanted
from control.stages.row import row
from control.tables import ANY_SITE_SERVICE, RANK

Answer = int | Unmet
"""What a row says: the id of a group, `NOBODY`, or what is unmet."""
Asked = tuple[int, int, int]
"""What requests are about besides their function: demand class, family and scope."""
NOBODY = 0
_KEPT = 65_536
_LENGTH = FUNC_ID_BITS // 8
_LONG = 1 << (FUNC_ID_BITS - 8)
"""From here on a FuncID takes all of its bytes (`entries`)."""
_SOME = 0xF5A7_C3E1_9B6D_82F4
"""A FuncID that no other part of a key looks like."""

RETRY_AFTER_MS = 500
"""What a client is told when nothing can serve it: by then the sites have advertised anew."""


class ServiceEntries:
    """Makes the rows: there are as many as services, and each is one of few actions.

    Keys of functions that are asked for alike differ in the FuncID alone, so all but that is encoded once.
    """

    def __init__(self, schema: fy.P4Schema):
        self._schema = schema
        self._around = lru_cache(_KEPT)(self._make_around)
        self._body = lru_cache(_KEPT)(self._make_body)

    def rows(self, functions: Iterable[int], asked: Asked, answer: Answer) -> dict[bytes, Entry]:
        """The rows of requests for functions (FuncIDs) that are answered alike, by key."""
        body = self._body(answer)
        rank = ANY_SITE_SERVICE if asked[-1] == ANY_SITE else RANK["service"]
        return {key: Entry(key, body, rank, is_fixed=False) for key in self.keys(functions, asked)}

    def keys(self, functions: Iterable[int], asked: Asked) -> list[bytes]:
        """The keys of these rows."""
        before, after = self._around(*asked)
        return [
            before + func_id.to_bytes(_LENGTH) + after if func_id >= _LONG else self._key(func_id, asked)
            for func_id in functions
        ]

    def _make_around(self, *asked: int) -> tuple[bytes, bytes]:
        """What stands before and after a FuncID of full length."""
        class_id, family, scope = asked
        before, after = self._key(_SOME, (class_id, family, scope)).split(_SOME.to_bytes(_LENGTH))
        return before, after

    def _key(self, func_id: int, asked: Asked) -> bytes:
        class_id, family, scope = asked
        steered = Steered(func_id, class_id, family, scope=scope)
        return wanted([no_capacity(steered)], self._schema)[0].key

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
