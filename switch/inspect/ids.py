"""P4Runtime's ids of the members and groups that an explanation tells by handle."""

from __future__ import annotations

from collections.abc import Iterable

from switch.generate.shape import Shape
from switch.p4rt.profiles import Profile
from switch.p4rt.state import State
from switch.proto import inspect_pb2 as pb


def name_ids(explanation: pb.Explanation, shape: Shape, state: State) -> None:
    """Fill in the ids that clients gave; one-shot action sets have none."""
    profiles = {profile.spec.name: profile for profile in state.profiles.values()}
    of_table = {
        table.name: profiles.get(shape.profiles[table.profile].name)
        for table in shape.tables
        if table.profile is not None
    }
    for table in _tables(explanation.steps):
        profile = of_table.get(table.name)
        if profile is not None:
            _name(table, profile)


def _tables(steps: Iterable[pb.Step]) -> Iterable[pb.Table]:
    for step in steps:
        if step.HasField("table"):
            yield step.table
        elif step.HasField("copy"):
            yield from _tables(step.copy.steps)


def _name(table: pb.Table, profile: Profile) -> None:
    groups = {group.handle: group_id for group_id, group in profile.groups.by_id.items()}
    members = {member.handle: member_id for member_id, member in profile.members.by_id.items()}
    table.group_id = groups.get(table.group_handle, 0)
    table.member_id = members.get(table.member_handle, 0)
