"""One-shot action sets: an entry, its group and its members as one message (§ 9.2.3)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from finsy.proto import p4r

from .. import api
from .errors import invalid_argument
from .profiles import Profile, watch_port
from .undo import UndoLog


@dataclass(slots=True, eq=False)
class Member:
    """A member made for one action of one set."""

    action: api.Action
    handle: int = 0


@dataclass(frozen=True, slots=True)
class ActionSet:
    """A checked action set: the message as it is read back, and its actions in order."""

    message: p4r.ActionProfileActionSet
    actions: tuple[api.Action, ...]


@dataclass(slots=True, eq=False)
class OneShot:
    """An action set in force: the members that realise it and, by its handle, their group."""

    profile: Profile
    wanted: ActionSet
    members: list[Member] = field(default_factory=list[Member])
    handle: int = 0

    def buckets(self) -> list[api.Bucket]:
        """The group's buckets, in the set's order."""
        return [
            api.Bucket(member.handle, item.weight, watch_port("action set", item))
            for member, item in zip(self.members, self.wanted.message.action_profile_actions, strict=True)
        ]


def check(profile: Profile, message: p4r.ActionProfileActionSet) -> ActionSet:
    """Check an action set and make it canonical.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT for anything § 9.2.3 forbids.
    """
    place = f"{profile.name}, action set"
    if not profile.spec.selector:
        raise invalid_argument(f"{profile.name} is not a selector and takes no action sets")
    if profile.members.by_id or profile.groups.by_id:
        raise invalid_argument(f"{profile.name} has members or groups: it takes no action sets beside them")
    items = message.action_profile_actions
    actions = tuple(profile.action(item.action) for item in items)
    size = profile.weigh(place, [item.weight for item in items])
    if profile.spec.max_group_size and size > profile.spec.max_group_size:
        raise invalid_argument(f"{place}: size {size} is more than {profile.spec.max_group_size}")
    kept = p4r.ActionProfileActionSet()
    kept.CopyFrom(message)
    for item, action in zip(kept.action_profile_actions, actions, strict=True):
        item.action.Clear()
        profile.actions.encode(action, item.action)
        watch_port(place, item)
    return ActionSet(kept, actions)


def add(profile: Profile, wanted: ActionSet, undo: UndoLog) -> OneShot:
    """Make the members and the group of an action set."""
    shot = OneShot(profile, wanted)
    for action in wanted.actions:
        member = Member(action)
        _add_member(shot, member, undo)
        shot.members.append(member)
    _add_group(shot)
    undo.add(_delete_group, shot)
    return shot


def swap(shot: OneShot, wanted: ActionSet, undo: UndoLog) -> None:
    """Turn an action set into another at one instant.

    Members whose action stays keep their handle, so that a selector which keeps flows with their member can.
    """
    spare: defaultdict[api.Action, list[Member]] = defaultdict(list)
    for member in shot.members:
        spare[member.action].append(member)
    members: list[Member] = []
    for action in wanted.actions:
        if spare[action]:
            members.append(spare[action].pop(0))
        else:
            member = Member(action)
            _add_member(shot, member, undo)
            members.append(member)
    before = (shot.wanted, shot.members)
    _set(shot, wanted, members)
    undo.add(_set, shot, *before)
    for unused in spare.values():
        for member in unused:
            _delete_member(shot, member, undo)


def delete(shot: OneShot, undo: UndoLog) -> None:
    """Remove an action set that its entry no longer uses."""
    _delete_group(shot)
    undo.add(_add_group, shot)
    for member in shot.members:
        _delete_member(shot, member, undo)


def _set(shot: OneShot, wanted: ActionSet, members: list[Member]) -> None:
    shot.wanted, shot.members = wanted, members
    shot.profile.pipeline.group_modify(shot.profile.spec.name, shot.handle, shot.buckets())


def _add_group(shot: OneShot) -> None:
    shot.handle = shot.profile.pipeline.group_add(shot.profile.spec.name, shot.buckets())
    shot.profile.shots[shot.handle] = shot


def _delete_group(shot: OneShot) -> None:
    shot.profile.pipeline.group_delete(shot.profile.spec.name, shot.handle)
    del shot.profile.shots[shot.handle]


def _add_member(shot: OneShot, member: Member, undo: UndoLog) -> None:
    _make(shot.profile, member)
    undo.add(_unmake, shot.profile, member)


def _delete_member(shot: OneShot, member: Member, undo: UndoLog) -> None:
    _unmake(shot.profile, member)
    undo.add(_make, shot.profile, member)


def _make(profile: Profile, member: Member) -> None:
    member.handle = profile.pipeline.member_add(profile.spec.name, member.action)


def _unmake(profile: Profile, member: Member) -> None:
    profile.pipeline.member_delete(profile.spec.name, member.handle)
