"""Action profiles and selectors, programmed by members and groups (§ 9.2.1, 9.2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finsy.proto import p4r

from .. import api
from . import values
from .context import Context
from .errors import already_exists, denied, exhausted, failed_precondition, invalid_argument, not_found
from .p4info import ProfileSpec
from .undo import UndoLog

if TYPE_CHECKING:
    from .one_shots import OneShot

MAX_WEIGHTS = 1 << 16
"""The largest sum of weights of one group; the selector's draw has to fit memory."""


@dataclass(slots=True, eq=False)
class MemberState:
    """A member a client inserted; `uses` counts the groups and entries that refer to it."""

    id: int
    action: api.Action
    handle: int = 0
    uses: int = 0


@dataclass(slots=True, eq=False)
class GroupState:
    """A group a client inserted, as it is read back; `uses` counts the entries that refer to it."""

    message: p4r.ActionProfileGroup
    handle: int = 0
    uses: int = 0


def watch_port(place: str, item: p4r.ActionProfileAction | p4r.ActionProfileGroup.Member) -> int | None:
    """The port whose state a member depends on, or None; makes the port's byte string canonical in place."""
    kind = item.WhichOneof("watch_kind")
    if kind is None or (kind == "watch_port" and not item.watch_port):
        return None
    # Deprecated in 1.4, still to be served.
    by_number = kind == "watch"
    port = item.watch if by_number else int.from_bytes(item.watch_port)  # pyright: ignore[reportDeprecated]
    if not 0 <= port <= api.PORT_MASK:
        raise invalid_argument(f"{place}: {port} is not a port")
    if not by_number:
        item.watch_port = values.encode(port)
    return port


class Profile:
    """The state of one action profile or selector."""

    def __init__(self, spec: ProfileSpec, context: Context):
        self.spec = spec
        self.name = f"{'selector' if spec.selector else 'action profile'} {spec.name}"
        self.actions = context.actions
        self.pipeline = context.pipeline
        self.shots: dict[int, OneShot] = {}  # by the handle of their group
        self.members = Members(self)
        self.groups = Groups(self)

    def action(self, message: p4r.Action) -> api.Action:
        """Decode an action and check that entries of the profile's tables may call it (§ 9.1.2)."""
        if message.action_id not in self.spec.actions:
            raise invalid_argument(f"{self.name} has no action with id 0x{message.action_id:08x}")
        if message.action_id in self.spec.default_only:
            raise denied(f"{self.name}: a @defaultonly action cannot be in a member")
        return self.actions.decode(self.name, message)

    def weigh(self, place: str, weights: Sequence[int]) -> int:
        """The size of a group by the profile's semantics, after checking its weights (§ 6.4.3)."""
        limit = self.spec.max_member_weight
        for weight in weights:
            if weight <= 0 or 0 < limit < weight:
                raise invalid_argument(f"{place}: weight {weight} is not in 1..{limit or ''}")
        if sum(weights) > MAX_WEIGHTS:
            raise exhausted(f"{place}: the sum of weights is more than {MAX_WEIGHTS}")
        return len(weights) if self.spec.count_members else sum(weights)

    def require_manual(self) -> None:
        """Members and groups do not go together with one-shot action sets (§ 9.2.3)."""
        if self.shots:
            raise invalid_argument(
                f"{self.name} is programmed by action sets: it takes no members or groups beside them"
            )


class Members:
    """The members of a profile by id (§ 9.2.1)."""

    def __init__(self, profile: Profile):
        self.by_id: dict[int, MemberState] = {}
        self.by_handle: dict[int, MemberState] = {}
        self._profile = profile

    def insert(self, message: p4r.ActionProfileMember, undo: UndoLog) -> None:
        """Add a member."""
        profile, member_id = self._profile, message.member_id
        profile.require_manual()
        if not member_id:
            raise invalid_argument(f"{profile.name}: 0 is not a member id")
        if member_id in self.by_id:
            raise already_exists(f"{profile.name} has a member {member_id} already")
        action = self._action(message)
        if not profile.spec.selector and len(self.by_id) >= profile.spec.size:
            raise exhausted(f"{profile.name} is full ({profile.spec.size} members)")
        self._add(MemberState(member_id, action))
        undo.add(self._remove, member_id)

    def modify(self, message: p4r.ActionProfileMember, undo: UndoLog) -> None:
        """Change the action of a member, wherever it is used."""
        member = self.find(message.member_id)
        action, before = self._action(message), member.action
        self._set(member, action)
        undo.add(self._set, member, before)

    def delete(self, message: p4r.ActionProfileMember, undo: UndoLog) -> None:
        """Remove a member that nothing uses."""
        member = self.find(message.member_id)
        if member.uses:
            raise failed_precondition(f"{self._profile.name}: member {message.member_id} is in use")
        self._remove(message.member_id)
        undo.add(self._add, member)

    def find(self, member_id: int) -> MemberState:
        """A member by id.

        Raises:
            P4RuntimeError: NOT_FOUND.
        """
        member = self.by_id.get(member_id)
        if member is None:
            raise not_found(f"{self._profile.name} has no member {member_id}")
        return member

    def read(self, member_id: int) -> Iterator[p4r.ActionProfileMember]:
        """The member with an id, if there is one, or with 0 all of them."""
        wanted = self.by_id if not member_id else self.by_id.keys() & {member_id}
        for each_id in wanted:
            message = p4r.ActionProfileMember(action_profile_id=self._profile.spec.id, member_id=each_id)
            self._profile.actions.encode(self.by_id[each_id].action, message.action)
            yield message

    def _action(self, message: p4r.ActionProfileMember) -> api.Action:
        if not message.HasField("action"):
            raise invalid_argument(f"{self._profile.name}: member {message.member_id} has no action")
        return self._profile.action(message.action)

    def _add(self, member: MemberState) -> None:
        member.handle = self._profile.pipeline.member_add(self._profile.spec.name, member.action)
        self.by_id[member.id] = self.by_handle[member.handle] = member

    def _set(self, member: MemberState, action: api.Action) -> None:
        self._profile.pipeline.member_modify(self._profile.spec.name, member.handle, action)
        member.action = action

    def _remove(self, member_id: int) -> None:
        handle = self.by_id[member_id].handle
        self._profile.pipeline.member_delete(self._profile.spec.name, handle)
        del self.by_id[member_id], self.by_handle[handle]


class Groups:
    """The groups of a selector by id (§ 9.2.2)."""

    def __init__(self, profile: Profile):
        self.by_id: dict[int, GroupState] = {}
        self.by_handle: dict[int, GroupState] = {}
        self._profile = profile

    def insert(self, message: p4r.ActionProfileGroup, undo: UndoLog) -> None:
        """Add a group of members that exist."""
        spec, name, group_id = self._profile.spec, self._profile.name, message.group_id
        self._profile.require_manual()
        if not spec.selector:
            raise invalid_argument(f"{name} is not a selector and has no groups")
        if not group_id:
            raise invalid_argument(f"{name}: 0 is not a group id")
        if group_id in self.by_id:
            raise already_exists(f"{name} has a group {group_id} already")
        if not 0 <= message.max_size <= (spec.max_group_size or message.max_size):
            raise invalid_argument(f"{name}: max_size {message.max_size} is not in 0..{spec.max_group_size}")
        self._add(GroupState(self._canonical(message)))
        undo.add(self._remove, group_id)

    def modify(self, message: p4r.ActionProfileGroup, undo: UndoLog) -> None:
        """Replace the members of a group at one instant."""
        state = self.find(message.group_id)
        if message.max_size != state.message.max_size:
            raise invalid_argument(
                f"{self._profile.name}: group {message.group_id} keeps its max_size {state.message.max_size}"
            )
        group, before = self._canonical(message), state.message
        self._set(state, group)
        undo.add(self._set, state, before)

    def delete(self, message: p4r.ActionProfileGroup, undo: UndoLog) -> None:
        """Remove a group that no entry uses."""
        state = self.find(message.group_id)
        if state.uses:
            raise failed_precondition(f"{self._profile.name}: group {message.group_id} is in use")
        self._remove(message.group_id)
        undo.add(self._add, state)

    def find(self, group_id: int) -> GroupState:
        """A group by id.

        Raises:
            P4RuntimeError: NOT_FOUND.
        """
        group = self.by_id.get(group_id)
        if group is None:
            raise not_found(f"{self._profile.name} has no group {group_id}")
        return group

    def read(self, group_id: int) -> Iterator[p4r.ActionProfileGroup]:
        """The group with an id, if there is one, or with 0 all of them."""
        wanted = self.by_id if not group_id else self.by_id.keys() & {group_id}
        for each_id in wanted:
            yield self.by_id[each_id].message

    def _canonical(self, message: p4r.ActionProfileGroup) -> p4r.ActionProfileGroup:
        """A checked copy of a group, as it will be read back."""
        group = p4r.ActionProfileGroup()
        group.CopyFrom(message)
        place = f"{self._profile.name}, group {group.group_id}"
        seen: set[int] = set()
        for item in group.members:
            self._profile.members.find(item.member_id)
            if item.member_id in seen:
                raise invalid_argument(f"{place}: member {item.member_id} is given twice (use its weight)")
            seen.add(item.member_id)
            watch_port(place, item)
        size = self._profile.weigh(place, [item.weight for item in group.members])
        limit = group.max_size or self._profile.spec.max_group_size
        if limit and size > limit:
            raise exhausted(f"{place}: size {size} is more than {limit}")
        return group

    def _buckets(self, group: p4r.ActionProfileGroup) -> list[api.Bucket]:
        members = self._profile.members.by_id
        return [
            api.Bucket(members[item.member_id].handle, item.weight, watch_port(self._profile.name, item))
            for item in group.members
        ]

    def _add(self, state: GroupState) -> None:
        group = state.message
        state.handle = self._profile.pipeline.group_add(self._profile.spec.name, self._buckets(group))
        self.by_id[group.group_id] = self.by_handle[state.handle] = state
        self._use_members(group, 1)

    def _set(self, state: GroupState, group: p4r.ActionProfileGroup) -> None:
        self._profile.pipeline.group_modify(self._profile.spec.name, state.handle, self._buckets(group))
        self._use_members(state.message, -1)
        self._use_members(group, 1)
        state.message = group

    def _remove(self, group_id: int) -> None:
        state = self.by_id[group_id]
        self._profile.pipeline.group_delete(self._profile.spec.name, state.handle)
        self._use_members(state.message, -1)
        del self.by_id[group_id], self.by_handle[state.handle]

    def _use_members(self, group: p4r.ActionProfileGroup, step: int) -> None:
        for item in group.members:
            self._profile.members.by_id[item.member_id].uses += step
