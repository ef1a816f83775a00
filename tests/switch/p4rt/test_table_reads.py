"""Table entries: what is read, by which filter, and in which pieces."""

import pytest
from finsy.proto import p4r

from .client import Client, RefusedError
from .messages import IDS, action, default, entry, match, shown_all


async def test_const_entries_read_with_the_programs_priorities(client: Client) -> None:
    kind = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["kind"]))
    assert shown_all(await client.read(kind)) == shown_all(
        [
            entry(
                "kind",
                {"ether_type": (0x0800, 0xFFFF), "$valid$": 1},
                action("set_tag", tag=4),
                priority=3,
                is_const=True,
            ),
            entry(
                "kind",
                {"ether_type": (0x8600, 0xFF00), "$valid$": 1},
                action("set_tag", tag=6),
                priority=2,
                is_const=True,
            ),
            entry("kind", {"$valid$": 0}, action("count_kind"), priority=1, is_const=True),
        ]
    )


async def test_reads_filter(client: Client) -> None:
    entries = [
        entry("acl", {"ingress_port": 1}, action("drop"), priority=1, metadata=b"a"),
        entry("acl", {"ingress_port": 2}, action("drop"), priority=2, controller_metadata=9),
        entry("acl", {"ingress_port": 3}, action("learn"), priority=2),
    ]
    await client.insert(*entries)

    async def ports(**wanted: object) -> set[int]:
        request = p4r.TableEntry(table_id=IDS["acl"], **wanted)
        found = await client.read(p4r.Entity(table_entry=request))
        return {item.table_entry.match[0].exact.value[0] for item in found}

    assert await ports() == {1, 2, 3}
    assert await ports(priority=2) == {2, 3}
    assert await ports(metadata=b"a") == {1}
    assert await ports(controller_metadata=9) == {2}
    assert await ports(action=p4r.TableAction(action=p4r.Action(action_id=IDS["drop"]))) == {1, 2}
    assert await ports(match=match("acl", ingress_port=3), priority=2) == {3}
    assert await ports(match=match("acl", ingress_port=3), priority=1) == set()
    assert await ports(match=match("acl", ingress_port=3)) == {3}
    assert await ports(match=match("acl", protocol=1, ingress_port=3)) == set()


async def test_default_entries_filter_too(client: Client) -> None:
    await client.modify(default("route", action("drop"), metadata=b"a"))

    async def found(**wanted: object) -> int:
        return len(await client.read(default("route", **wanted)))

    assert await found() == await found(metadata=b"a") == 1
    assert await found(metadata=b"b") == await found(controller_metadata=1) == 0
    by_action = [p4r.TableAction(action=p4r.Action(action_id=IDS[name])) for name in ("drop", "forward")]
    assert [await found(action=wanted) for wanted in by_action] == [1, 0]


WRONG_READS = {
    "all tables by match": p4r.TableEntry(match=match("route", dst_addr=(1, 32))),
    "all tables by priority": p4r.TableEntry(priority=1),
    "all tables by metadata": p4r.TableEntry(metadata=b"a"),
    "all tables by cookie": p4r.TableEntry(controller_metadata=1),
    "all tables by action": p4r.TableEntry(action=p4r.TableAction(action=action("drop"))),
    "by member": p4r.TableEntry(table_id=IDS["profiled"], action=p4r.TableAction(action_profile_member_id=1)),
    "key of another table": p4r.TableEntry(table_id=IDS["route"], match=match("acl", ingress_port=1)),
    "default by match": entry("route", {"dst_addr": (1, 32)}, is_default_action=True).table_entry,
    "default by priority": default("route", priority=1).table_entry,
    "default by idle timeout": default("station", idle_timeout_ns=1).table_entry,
    "default by last hit": default("station", time_since_last_hit=p4r.TableEntry.IdleTimeout()).table_entry,
    "idle timeout unsupported": p4r.TableEntry(table_id=IDS["route"], idle_timeout_ns=1),
}


@pytest.mark.parametrize("name", WRONG_READS)
async def test_reads_that_mean_nothing(client: Client, name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.read(p4r.Entity(table_entry=WRONG_READS[name]))
    assert refused.value.codes == ["INVALID_ARGUMENT"]


async def test_many_entries_come_in_chunks(client: Client) -> None:
    stations = [
        entry("station", {"dst_addr": number}, action("metered_forward", port=1)) for number in range(1024)
    ]
    await client.insert(*stations)
    responses = client.stub.Read(
        p4r.ReadRequest(
            device_id=client.device_id,
            entities=[p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["station"]))],
        )
    )
    sizes = [len(response.entities) async for response in responses]
    assert sum(sizes) == 1024
    assert len(sizes) > 1


async def test_last_hit_is_told_when_asked_for(client: Client) -> None:
    await client.insert(entry("station", {"dst_addr": 1}, action("metered_forward", port=1)))
    wanted = p4r.TableEntry(table_id=IDS["station"], time_since_last_hit=p4r.TableEntry.IdleTimeout())
    (read,) = await client.read(p4r.Entity(table_entry=wanted))
    assert read.table_entry.time_since_last_hit.elapsed_ns == 42
    wanted.table_id = IDS["route"]
    with pytest.raises(RefusedError) as refused:
        await client.read(p4r.Entity(table_entry=wanted))
    assert refused.value.codes == ["INVALID_ARGUMENT"]
