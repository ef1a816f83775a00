"""Choose: the groups of members that draws are made from, and how a rival of the member drawn is bound.

Members' addresses and slots hardly change, weights and expectations do with every advert: each part of an
action is encoded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import finsy as fy
from finsy import P4IndirectAction, P4TableAction, P4TableEntry
from finsy.proto import p4r

from control.decided import Expected, Group, Racer
from control.entries import Entry, action_bytes, action_set_body, number, wanted
from control.model import Member, Placement
from control.race import RIVALS
from control.stages.row import row
from control.tables import GROUP_OF_SITES, RANK

_KEPT = 65_536
_NOTHING = Expected(0, 0, 0)
_NAMES = tuple(f"{name}_1" for name in Expected._fields) + tuple(
    f"{name}_{rival}" for rival in range(2, RIVALS + 2) for name in ("slot", *Expected._fields)
)
"""Parameters of a race, of the member drawn and of its rivals, in the program's order."""


class GroupEntries:
    """Makes the rows of `draw` that hold a group."""

    def __init__(self, schema: fy.P4Schema):
        self._schema = schema
        self._empty = lru_cache(_KEPT)(self._make_empty)
        self._action = lru_cache(_KEPT)(self._make_action)
        self._params = {
            name: [schema.actions[name].params[param].id for param in _NAMES]
            for name in ("bind_instance", "bind_site")
        }

    def entries(self, number: int, group: Group, placements: Mapping[Member, Placement]) -> list[Entry]:
        """A group of one router, under its id."""
        races = {racer.member: racer for racer in group.races}
        weights: dict[bytes, int] = {}
        for member, weight in group.weights:
            bound = self._action(member, placements[member])
            weights[bound + self._race(member, races, placements)] = weight
        body = action_set_body(weights)
        rank = GROUP_OF_SITES if any(member.is_site for member, _ in group.weights) else RANK["draw"]
        return [replace(entry, body=body, rank=rank) for entry in self._empty(number)]

    def _race(
        self, member: Member, races: Mapping[Member, Racer], placements: Mapping[Member, Placement]
    ) -> bytes:
        params = self._params[_bound_by(member)]
        values = _race(member, races, placements)
        # Parameters in wire format: put behind an action they are more of it.
        return b"".join(map(_param, params, values))

    def _make_empty(self, number: int) -> list[Entry]:
        return wanted([row("draw", {"group": number}, P4IndirectAction([]))], self._schema)

    def _make_action(self, member: Member, place: Placement) -> bytes:
        whole = bind_action(member, {member: place}, {}).encode_action(self._schema)
        racing = self._params[_bound_by(member)]
        params = [param for param in whole.params if param.param_id not in racing]
        return action_bytes(p4r.Action(action_id=whole.action_id, params=params))


@lru_cache(_KEPT)
def _param(param_id: int, value: int) -> bytes:
    param = p4r.Action.Param(param_id=param_id, value=number(value))
    return p4r.Action(params=[param]).SerializeToString(deterministic=True)


def bind_action(
    member: Member, placements: Mapping[Member, Placement], races: Mapping[Member, Racer]
) -> P4TableAction:
    """Binding a request to a member, or to a rival of it."""
    race = dict(zip(_NAMES, _race(member, races, placements), strict=True))
    where = {"site": member.site} if member.is_site else member._asdict()
    return P4TableAction(_bound_by(member), **where, **placements[member]._asdict(), **race)


def rival(member: Member, place: Placement) -> P4TableEntry:
    """The row by which a member is bound to as a rival."""
    where = {"site": member.site} if member.is_site else member._asdict()
    action = P4TableAction(
        "to_site" if member.is_site else "to_instance", **where, ipv4=place.ipv4, ipv6=place.ipv6
    )
    return row("rival", {"slot": place.slot}, action)


def group(action: P4IndirectAction) -> Group:
    """What a row of `draw` holds."""
    drawn = {
        member: (weight, one.args)
        for weight, one in action.action_set or ()
        if isinstance(weight, int) and (member := _bound_member(one))
    }
    by_slot = {args["slot"]: member for member, (_, args) in drawn.items()}
    races: list[Racer] = []
    for member, (_, args) in sorted(drawn.items()):
        expected = Expected(*(args[name] for name in _NAMES[: len(_NOTHING)]))
        slots = {args[f"slot_{rival}"] for rival in range(2, RIVALS + 2)} - {args["slot"]}
        rivals = sorted(by_slot[slot] for slot in slots & by_slot.keys())
        if expected != _NOTHING:
            races.append(Racer(member, expected, tuple(rivals)))
    return Group(tuple(sorted((m, weight) for m, (weight, _) in drawn.items())), races=tuple(races))


def _race(member: Member, races: Mapping[Member, Racer], placements: Mapping[Member, Placement]) -> list[int]:
    """Values of the parameters of its race; a rival in a member's own slot is none."""
    racer = races.get(member)
    if racer is None:
        racer = Racer(member, _NOTHING, ())
    values = [*racer.expected]
    for one in racer.rivals:
        values += [placements[one].slot, *races[one].expected]
    for _ in range(RIVALS - len(racer.rivals)):
        values += [placements[member].slot, *_NOTHING]
    return values


def _bound_by(member: Member) -> str:
    return "bind_site" if member.is_site else "bind_instance"


def _bound_member(action: P4TableAction) -> Member | None:
    """The member that an action binds to, if it does."""
    match action.name:
        case "bind_site":
            return Member(action.args["site"])
        case "bind_instance":
            return Member(action.args["site"], action.args["instance"])
        case _:
            return None
