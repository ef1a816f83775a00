"""Choose: the groups of members that both draws are made from.

Members' addresses and slots hardly change, weights do with every advert: each action is encoded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import finsy as fy
from finsy import P4IndirectAction, P4TableAction

from control.decided import Group
from control.entries import Entry, action_bytes, action_set_body, wanted
from control.model import Member, Placement
from control.stages.row import row
from control.tables import GROUP_OF_SITES, RANK

TABLES = ("first", "second")
_KEPT = 65_536


class GroupEntries:
    """Makes the rows of `first` and `second` that hold a group."""

    def __init__(self, schema: fy.P4Schema):
        self._schema = schema
        self._empty = lru_cache(_KEPT)(self._make_empty)
        self._action = lru_cache(_KEPT)(self._make_action)

    def entries(self, number: int, group: Group, placements: Mapping[Member, Placement]) -> list[Entry]:
        """A group of one router, under its id."""
        weights = {self._action(member, placements[member]): weight for member, weight in group.weights}
        body = action_set_body(weights)
        rank = GROUP_OF_SITES if any(member.is_site for member, _ in group.weights) else RANK["first"]
        return [replace(entry, body=body, rank=rank) for entry in self._empty(number)]

    def _make_empty(self, number: int) -> list[Entry]:
        nobody = P4IndirectAction([])
        return wanted([row(table, {"group": number}, nobody) for table in TABLES], self._schema)

    def _make_action(self, member: Member, place: Placement) -> bytes:
        return action_bytes(bind_action(member, place).encode_action(self._schema))


def bind_action(member: Member, place: Placement) -> P4TableAction:
    """Binding a request to a member."""
    if member.is_site:
        return P4TableAction("bind_site", site=member.site, **place._asdict())
    return P4TableAction("bind_instance", **member._asdict(), **place._asdict())


def bound_member(action: P4TableAction) -> Member | None:
    """The member that an action binds to, if it does."""
    match action.name:
        case "bind_site":
            return Member(action.args["site"])
        case "bind_instance":
            return Member(action.args["site"], action.args["instance"])
        case _:
            return None
