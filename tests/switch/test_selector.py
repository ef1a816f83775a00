import binascii
import json
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from switch.api import Action, Bucket, Group, Match, Member
from switch.dataplane import Dataplane
from tests.switch.harness import one, program

PROFILED, CHOSEN, CHOSEN_TOO = range(3)
FLOWS = 4000


def sized(members: int) -> bytes:
    """The program with so much room in its profiles."""
    declared = json.loads(program("selector"))
    for profile in declared["pipelines"][0]["action_profiles"]:
        profile["max_size"] = members
    return json.dumps(declared).encode()


LARGE = 1 << 16  # members: more than 16 bits tell apart


@pytest.fixture(params=[1024, LARGE])
def switch(request: pytest.FixtureRequest) -> Iterator[Dataplane]:
    with closing(Dataplane(sized(request.param))) as dataplane:
        yield dataplane


def test_all_members_of_a_large_profile_are_told_apart() -> None:
    with closing(Dataplane(sized(LARGE))) as switch:
        first, *_, last = members(switch, 1, *([2] * (LARGE - 2)), 3)
        assert last == LARGE
        for key, member in enumerate((first, last), 1):
            group = switch.group_add("I.shared", [Bucket(member)])
            switch.table_insert("I.chosen", [Match(key)], 0, Group(group))
        assert (ask(switch, CHOSEN, key=1), ask(switch, CHOSEN, key=2)) == (1, 3)


def ask(switch: Dataplane, what: int, flow: int = 0, key: int = 1) -> int:
    out = one(switch.inject(1, struct.pack("!BBIH", what, key, flow, 0)))
    return struct.unpack("!H", out[6:])[0]


def flows(switch: Dataplane, what: int = CHOSEN) -> list[int]:
    return [ask(switch, what, flow * 7919) for flow in range(FLOWS)]


def members(switch: Dataplane, *results: int) -> list[int]:
    return [switch.member_add("I.shared", Action("I.set", (result,))) for result in results]


def test_a_profile_member_is_shared_by_entries(switch: Dataplane) -> None:
    member = switch.member_add("I.profile", Action("I.set", (5,)))
    switch.table_insert("I.profiled", [Match(1)], 0, Member(member))
    switch.table_insert("I.profiled", [Match(2)], 0, Member(member))
    assert (ask(switch, PROFILED, key=1), ask(switch, PROFILED, key=2), ask(switch, PROFILED, key=3)) == (
        5,
        5,
        0,
    )
    switch.member_modify("I.profile", member, Action("I.set", (6,)))
    assert (ask(switch, PROFILED, key=1), ask(switch, PROFILED, key=2)) == (6, 6)
    switch.member_modify("I.profile", member, Action("I.drop"))
    assert switch.inject(1, struct.pack("!BBIH", PROFILED, 1, 0, 0)) == []


def test_a_fresh_group_chooses_as_bmv2_does(switch: Dataplane) -> None:
    handles = members(switch, 10, 11, 12)
    group = switch.group_add("I.shared", [Bucket(m) for m in reversed(handles)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    want = [10 + binascii.crc32(struct.pack("!I", flow * 7919)) % 3 for flow in range(FLOWS)]
    assert flows(switch) == want


def test_weights_give_shares(switch: Dataplane) -> None:
    a, b, c = members(switch, 1, 2, 3)
    group = switch.group_add("I.shared", [Bucket(a, 1), Bucket(b, 3), Bucket(c, 0)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    share = Counter(flows(switch))
    assert share[3] == 0
    assert share[2] / share[1] == pytest.approx(3, rel=0.1)


def test_a_change_of_weights_moves_only_the_flows_it_must(switch: Dataplane) -> None:
    handles = members(switch, *range(16))
    group = switch.group_add("I.shared", [Bucket(m, 4) for m in handles])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    before = flows(switch)
    switch.group_modify("I.shared", group, [Bucket(m, 4) for m in handles[1:]])
    after = flows(switch)
    moved = sum(x != y for x, y in zip(before, after, strict=True))
    assert moved == sum(x == 0 for x in before)
    assert max(Counter(after).values()) < 1.25 * FLOWS / 15
    switch.group_modify("I.shared", group, [Bucket(handles[0], 2), *(Bucket(m, 4) for m in handles[1:])])
    again = flows(switch)
    needed = sum(x == 0 for x in again)
    assert sum(x != y for x, y in zip(after, again, strict=True)) == needed
    assert needed == pytest.approx(FLOWS * 2 / 62, rel=0.3)


def test_a_port_that_is_down_gives_its_flows_away_and_gets_them_back(switch: Dataplane) -> None:
    a, b = members(switch, 1, 2)
    group = switch.group_add("I.shared", [Bucket(a, watch_port=3), Bucket(b)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    # Port 3 has no interface here, so nothing says that it is down.
    assert set(flows(switch)) == {1, 2}


def test_an_empty_group_is_a_hit_without_an_action(switch: Dataplane) -> None:
    group = switch.group_add("I.shared", [])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    assert ask(switch, CHOSEN) == 0
    assert ask(switch, CHOSEN, key=2) == 0xDEAD
    (member,) = members(switch, 7)
    switch.group_modify("I.shared", group, [Bucket(member)])
    assert ask(switch, CHOSEN) == 7


def test_a_group_goes_from_one_member_to_several_and_back(switch: Dataplane) -> None:
    a, b, c = members(switch, 7, 8, 9)
    group = switch.group_add("I.shared", [Bucket(a)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    for buckets, reached in (
        ([Bucket(a)], {7}),
        ([Bucket(a), Bucket(b), Bucket(c)], {7, 8, 9}),
        ([Bucket(b, 2), Bucket(c, 0)], {8}),
        ([Bucket(b), Bucket(c)], {8, 9}),
        ([Bucket(c)], {9}),
        ([], {0}),
    ):
        switch.group_modify("I.shared", group, buckets)
        assert set(flows(switch)) == reached
    switch.group_modify("I.shared", group, [Bucket(a)])
    switch.member_modify("I.shared", a, Action("I.set", (77,)))
    assert set(flows(switch)) == {77}


@pytest.mark.parametrize("count", [4, 5])
def test_a_fresh_group_of_any_size_chooses_by_the_remainder(switch: Dataplane, count: int) -> None:
    handles = members(switch, *range(count))
    group = switch.group_add("I.shared", [Bucket(m) for m in handles])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    want = [binascii.crc32(struct.pack("!I", flow * 7919)) % count for flow in range(FLOWS)]
    assert flows(switch) == want


def test_two_tables_share_a_selector(switch: Dataplane) -> None:
    a, b = members(switch, 1, 2)
    group = switch.group_add("I.shared", [Bucket(a), Bucket(b)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    switch.table_insert("I.chosen_too", [Match(0, 0)], 0, Group(group))
    assert flows(switch, CHOSEN) == flows(switch, CHOSEN_TOO)


def test_what_is_in_use_cannot_go(switch: Dataplane) -> None:
    (member,) = members(switch, 1)
    group = switch.group_add("I.shared", [Bucket(member)])
    entry = switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    with pytest.raises(ValueError, match="in use"):
        switch.member_delete("I.shared", member)
    with pytest.raises(ValueError, match="in use"):
        switch.group_delete("I.shared", group)
    switch.table_delete("I.chosen", entry)
    switch.group_delete("I.shared", group)
    switch.member_delete("I.shared", member)
    with pytest.raises(KeyError):
        switch.member_delete("I.shared", member)


def test_what_does_not_exist_cannot_be_pointed_at(switch: Dataplane) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        switch.table_insert("I.chosen", [Match(1)], 0, Group(1))
    with pytest.raises(ValueError, match="does not exist"):
        switch.group_add("I.shared", [Bucket(9)])
    assert switch.group_add("I.shared", []) == 1
    with pytest.raises(ValueError, match="members and groups"):
        switch.table_insert("I.chosen", [Match(1)], 0, Action("I.set", (1,)))


def test_a_batch_is_seen_at_one_instant(switch: Dataplane) -> None:
    a, b = members(switch, 1, 2)
    group = switch.group_add("I.shared", [Bucket(a)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    with switch.batch():
        switch.group_modify("I.shared", group, [Bucket(b)])
        switch.member_delete("I.shared", a)
    assert ask(switch, CHOSEN) == 2
