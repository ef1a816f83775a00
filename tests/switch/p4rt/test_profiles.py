"""Members, groups and one-shot action sets."""

from collections.abc import Callable

import pytest
from finsy.proto import p4i, p4r

from switch.api import Action, Bucket, Group, Member

from .client import CONFIG, Client, RefusedError
from .memory_pipeline import MemoryPipeline
from .messages import (
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    action,
    action_set,
    canonical,
    entry,
    group,
    member,
    shown_all,
)

PATHS = "ingress.paths"
SELECTED = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["selected"]))
GROUPS = p4r.Entity(action_profile_group=p4r.ActionProfileGroup())
MEMBERS = p4r.Entity(action_profile_member=p4r.ActionProfileMember())


def forward(port: int) -> p4r.Action:
    return action("forward", port=port)


def selected(result: p4r.TableAction, prefix: int = 0x0A000000) -> p4r.Entity:
    return entry("selected", {"dst_addr": (prefix, 8)}, result)


def to_group(number: int) -> p4r.TableAction:
    return p4r.TableAction(action_profile_group_id=number)


def to_member(number: int) -> p4r.TableAction:
    return p4r.TableAction(action_profile_member_id=number)


async def with_members(client: Client) -> None:
    await client.insert(*(member("paths", number, forward(number)) for number in (1, 2, 3)))


async def test_members_and_groups_read_back(client: Client) -> None:
    await with_members(client)
    await client.insert(
        group("paths", 5, {1: 1, 2: 3}, max_size=4),
        group("paths", 6, {}),
        member("stations", 1, action("drop")),
    )
    await client.insert(selected(to_group(5)), selected(to_member(3), 0x0B000000))
    assert shown_all(await client.read(MEMBERS)) == shown_all(
        [
            *(member("paths", number, forward(number)) for number in (1, 2, 3)),
            member("stations", 1, action("drop")),
        ]
    )
    assert shown_all(await client.read(GROUPS)) == shown_all(
        [group("paths", 5, {1: 1, 2: 3}, max_size=4), group("paths", 6, {})]
    )
    assert shown_all(await client.read(SELECTED)) == shown_all(
        [selected(to_group(5)), selected(to_member(3), 0x0B000000)]
    )
    assert shown_all(await client.read(member("paths", 2))) == shown_all([member("paths", 2, forward(2))])
    assert shown_all(await client.read(group("paths", 6, {}))) == shown_all([group("paths", 6, {})])
    assert await client.read(member("paths", 9), group("paths", 9, {})) == []


async def test_a_member_changes_in_every_group(client: Client, pipeline: MemoryPipeline) -> None:
    await with_members(client)
    await client.insert(group("paths", 5, {1: 1, 2: 3}), group("paths", 6, {1: 2}))
    await client.modify(member("paths", 1, forward(9)))
    assert sorted(call.params for call in pipeline.members[PATHS].values()) == [(2,), (3,), (9,)]


async def test_group_weights_and_watch_ports_reach_the_pipeline(
    client: Client, pipeline: MemoryPipeline
) -> None:
    await with_members(client)
    watched = group("paths", 5, {1: 1, 2: 3})
    watched.action_profile_group.members[1].watch_port = b"\0\2"
    await client.insert(watched)
    handles = {call.params[0]: handle for handle, call in pipeline.members[PATHS].items()}
    (buckets,) = pipeline.groups[PATHS].values()
    assert buckets == [Bucket(handles[1], 1), Bucket(handles[2], 3, 2)]
    watched.action_profile_group.members[1].watch_port = b"\2"
    assert shown_all(await client.read(GROUPS)) == shown_all([watched])
    await client.modify(group("paths", 5, {3: 8}))
    assert list(pipeline.groups[PATHS].values()) == [[Bucket(handles[3], 8)]]


WRONG = {
    "member 0": (INSERT, member("paths", 0, forward(1)), "INVALID_ARGUMENT"),
    "member again": (INSERT, member("paths", 1, forward(1)), "ALREADY_EXISTS"),
    "member without action": (INSERT, member("paths", 9), "INVALID_ARGUMENT"),
    "member of another action": (INSERT, member("paths", 9, action("drop")), "INVALID_ARGUMENT"),
    "modified member is missing": (MODIFY, member("paths", 9, forward(1)), "NOT_FOUND"),
    "deleted member is missing": (DELETE, member("paths", 9), "NOT_FOUND"),
    "deleted member in a group": (DELETE, member("paths", 1), "FAILED_PRECONDITION"),
    "deleted member in an entry": (DELETE, member("paths", 3), "FAILED_PRECONDITION"),
    "unknown profile": (
        INSERT,
        p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
        "INVALID_ARGUMENT",
    ),
    "group 0": (INSERT, group("paths", 0, {1: 1}), "INVALID_ARGUMENT"),
    "group again": (INSERT, group("paths", 5, {1: 1}), "ALREADY_EXISTS"),
    "group without selector": (INSERT, group("stations", 5, {}), "INVALID_ARGUMENT"),
    "group of missing member": (INSERT, group("paths", 9, {4: 1}), "NOT_FOUND"),
    "group weight 0": (INSERT, group("paths", 9, {1: 0}), "INVALID_ARGUMENT"),
    "group weight -1": (INSERT, group("paths", 9, {1: -1}), "INVALID_ARGUMENT"),
    "group above max_group_size": (INSERT, group("paths", 9, {1: 9}), "RESOURCE_EXHAUSTED"),
    "group above max_size": (INSERT, group("paths", 9, {1: 3}, max_size=2), "RESOURCE_EXHAUSTED"),
    "max_size above max_group_size": (INSERT, group("paths", 9, {1: 1}, max_size=9), "INVALID_ARGUMENT"),
    "max_size -1": (INSERT, group("paths", 9, {1: 1}, max_size=-1), "INVALID_ARGUMENT"),
    "max_size changed": (MODIFY, group("paths", 5, {1: 1}, max_size=5), "INVALID_ARGUMENT"),
    "modified group is missing": (MODIFY, group("paths", 9, {1: 1}), "NOT_FOUND"),
    "deleted group is missing": (DELETE, group("paths", 9, {}), "NOT_FOUND"),
    "deleted group in an entry": (DELETE, group("paths", 5, {}), "FAILED_PRECONDITION"),
    "entry of missing member": (INSERT, selected(to_member(9), 0x0C000000), "NOT_FOUND"),
    "entry of missing group": (INSERT, selected(to_group(9), 0x0C000000), "NOT_FOUND"),
    "set beside groups": (INSERT, selected(action_set((forward(1), 1)), 0x0C000000), "INVALID_ARGUMENT"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_refusals(client: Client, pipeline: MemoryPipeline, name: str) -> None:
    kind, entity, code = WRONG[name]
    await with_members(client)
    await client.insert(group("paths", 5, {1: 1, 2: 1}, max_size=4))
    await client.insert(selected(to_group(5)), selected(to_member(3), 0x0B000000))
    before = pipeline.summary()
    with pytest.raises(RefusedError) as refused:
        await client.update((kind, entity))
    assert refused.value.codes == [code]
    assert pipeline.summary() == before


async def test_duplicate_member_in_a_group(client: Client) -> None:
    await with_members(client)
    twice = group("paths", 5, {1: 1})
    twice.action_profile_group.members.add(member_id=1, weight=2)
    with pytest.raises(RefusedError) as refused:
        await client.insert(twice)
    assert refused.value.codes == ["INVALID_ARGUMENT"]


async def test_profile_without_selector_is_bounded(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.insert(*(member("stations", number, action("drop")) for number in range(1, 18)))
    assert refused.value.codes == [None] * 16 + ["RESOURCE_EXHAUSTED"]


async def test_everything_can_be_taken_apart(client: Client, pipeline: MemoryPipeline) -> None:
    empty = pipeline.summary()
    await with_members(client)
    await client.insert(group("paths", 5, {1: 1, 2: 1}))
    await client.insert(selected(to_group(5)))
    await client.modify(selected(to_member(3)))
    await client.delete(group("paths", 5, {}))
    await client.delete(selected(to_member(3)))
    await client.delete(*(member("paths", number) for number in (1, 2, 3)))
    assert pipeline.summary() == empty


async def test_action_sets_stay_action_sets(client: Client, pipeline: MemoryPipeline) -> None:
    written = selected(action_set((forward(1), 2, 1), (forward(2), 1), (forward(2), 3)))
    await client.insert(written)
    assert shown_all(await client.read(SELECTED)) == shown_all([written])
    assert await client.read(MEMBERS, GROUPS) == []
    (found,) = pipeline.tables["ingress.selected"].entries.values()
    assert isinstance(found.target, Group)
    buckets = pipeline.groups[PATHS][found.target.handle]
    assert [(pipeline.members[PATHS][item.member], item.weight, item.watch_port) for item in buckets] == [
        (Action("ingress.forward", (1,)), 2, 1),
        (Action("ingress.forward", (2,)), 1, None),
        (Action("ingress.forward", (2,)), 3, None),
    ]


async def test_an_action_set_changes_at_one_instant_and_keeps_members(
    client: Client, pipeline: MemoryPipeline
) -> None:
    await client.insert(selected(action_set((forward(1), 1), (forward(2), 1))))
    handles = {call.params[0]: handle for handle, call in pipeline.members[PATHS].items()}
    pipeline.log.clear()
    await client.modify(selected(action_set((forward(2), 3), (forward(3), 1))))
    assert pipeline.log == [[f"group {PATHS}"]]
    (buckets,) = pipeline.groups[PATHS].values()
    assert buckets[0] == Bucket(handles[2], 3)
    assert handles[1] not in pipeline.members[PATHS]


async def test_action_sets_can_be_empty_and_go_away(client: Client, pipeline: MemoryPipeline) -> None:
    empty = pipeline.summary()
    await client.insert(selected(action_set((forward(1), 1))))
    await client.modify(selected(action_set()))
    assert shown_all(await client.read(SELECTED)) == shown_all([selected(action_set())])
    await client.delete(selected(action_set()))
    assert pipeline.summary() == empty
    await with_members(client)


WRONG_SETS = {
    "weight 0": action_set((forward(1), 0)),
    "weight -1": action_set((forward(1), -1)),
    "sum above max_group_size": action_set((forward(1), 4), (forward(2), 5)),
    "action of another table": action_set((action("drop"), 1)),
    "port too high": action_set((forward(1), 1, 512)),
}


@pytest.mark.parametrize("name", WRONG_SETS)
async def test_wrong_action_sets(client: Client, pipeline: MemoryPipeline, name: str) -> None:
    before = pipeline.summary()
    with pytest.raises(RefusedError) as refused:
        await client.insert(selected(WRONG_SETS[name]))
    assert refused.value.codes == ["INVALID_ARGUMENT"]
    assert pipeline.summary() == before


async def test_members_beside_action_sets(client: Client) -> None:
    await client.insert(selected(action_set((forward(1), 1))))
    with pytest.raises(RefusedError) as refused:
        await client.insert(
            member("paths", 1, forward(1)), group("paths", 1, {}), selected(to_member(1), 0x0B000000)
        )
    assert refused.value.codes == ["INVALID_ARGUMENT"] * 3


async def test_the_older_watch_is_kept(client: Client) -> None:
    """`watch` is deprecated since 1.4, not gone."""
    await with_members(client)
    watched = group("paths", 5, {1: 1})
    watched.action_profile_group.members[0].watch = 4
    await client.insert(watched)
    assert shown_all(await client.read(GROUPS)) == shown_all([watched])


async def test_an_empty_watch_port_watches_none(client: Client) -> None:
    await with_members(client)
    unwatched = group("paths", 5, {1: 1})
    unwatched.action_profile_group.members[0].watch_port = b""
    await client.insert(unwatched)
    assert shown_all(await client.read(GROUPS)) == shown_all([unwatched])


async def pushed(client: Client, change: Callable[[p4i.P4Info], None]) -> None:
    """Push `everything.p4` with a P4Info that differs."""
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    change(config.p4info)
    await client.push(config=config)


async def test_a_default_only_action_is_not_for_members(primary: Client) -> None:
    def change(info: p4i.P4Info) -> None:
        for table in info.tables:
            for ref in table.action_refs:
                if table.preamble.alias == "selected" and ref.id == IDS["NoAction"]:
                    ref.scope = p4i.ActionRef.DEFAULT_ONLY

    await pushed(primary, change)
    with pytest.raises(RefusedError) as refused:
        await primary.insert(
            member("paths", 1, action("NoAction")),
            selected(action_set((action("NoAction"), 1))),
            member("stations", 1, action("NoAction")),
        )
    assert refused.value.codes == ["PERMISSION_DENIED", "PERMISSION_DENIED", None]


async def test_weights_are_bounded_by_the_group_or_each(primary: Client) -> None:
    """§ 6.4.3: with `sum_of_members` a weight may be any, as far as the target can draw by it."""

    def change(info: p4i.P4Info) -> None:
        for profile in info.action_profiles:
            if profile.with_selector:
                profile.max_group_size = 2
                profile.sum_of_members.max_member_weight = 0

    await pushed(primary, change)
    await with_members(primary)
    await primary.insert(group("paths", 5, {1: 1 << 15, 2: 1 << 15}))
    with pytest.raises(RefusedError) as refused:
        await primary.insert(group("paths", 6, {1: 1 << 15, 2: (1 << 15) + 1}))
    assert refused.value.codes == ["RESOURCE_EXHAUSTED"]
    with pytest.raises(RefusedError) as refused:
        await primary.insert(group("paths", 6, {1: 1, 2: 1, 3: 1}))
    assert refused.value.codes == ["RESOURCE_EXHAUSTED"]


async def test_entries_of_a_profile_without_selector(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(member("stations", 1, action("drop")))
    written = entry("profiled", {"src_addr": canonical(1)}, to_member(1))
    await client.insert(written)
    (found,) = pipeline.tables["ingress.profiled"].entries.values()
    assert isinstance(found.target, Member)
    profiled = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["profiled"]))
    assert shown_all(await client.read(profiled)) == shown_all([written])
