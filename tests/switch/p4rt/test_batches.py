"""Atomicity of batches: what stays and what packets see when an update fails."""

import asyncio

import pytest
from finsy.proto import p4r

from .client import Client, RefusedError
from .memory_pipeline import MemoryPipeline
from .messages import (
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    action,
    action_set,
    default,
    entry,
    group,
    member,
    route,
    shown_all,
)
from .test_arrays import (
    RATES,
    clone,
    counted,
    counter,
    digest,
    direct_counter,
    direct_meter,
    meter,
    multicast,
    register,
    station,
    tunnels,
)

CONTINUE = p4r.WriteRequest.CONTINUE_ON_ERROR
ROLLBACK = p4r.WriteRequest.ROLLBACK_ON_ERROR
ATOMIC = p4r.WriteRequest.DATAPLANE_ATOMIC

NO_ROUTE = route(0x7F000000, 8, 1)


def forward(port: int) -> p4r.Action:
    return action("forward", port=port)


def shot(*ports: int) -> p4r.Entity:
    return entry(
        "selected", {"dst_addr": (0x0A000000, 8)}, action_set(*((forward(port), 1) for port in ports))
    )


STATE = (
    route(0x0A000000, 8, 1),
    station(counter_data=counted(4, 400), meter_config=RATES, idle_timeout_ns=9, metadata=b"m"),
    shot(1, 2),
    member("stations", 1, action("drop")),
    entry("profiled", {"src_addr": 1}, p4r.TableAction(action_profile_member_id=1)),
    multicast(1, (1, 1)),
    clone(1, (1, 1)),
    digest(max_list_size=3),
)

CHANGES = (
    (INSERT, route(0x0B000000, 8, 2)),
    (MODIFY, route(0x0A000000, 8, 3, metadata=b"x")),
    (DELETE, station()),
    (MODIFY, shot(2, 3, 3)),
    (DELETE, shot()),
    (INSERT, shot(5)),
    (DELETE, entry("profiled", {"src_addr": 1})),
    (DELETE, member("stations", 1)),
    (INSERT, member("stations", 1, forward(4))),
    (MODIFY, member("stations", 1, forward(5))),
    (INSERT, entry("profiled", {"src_addr": 1}, p4r.TableAction(action_profile_member_id=1))),
    (MODIFY, default("options", action("set_tag", tag=1), metadata=b"d")),
    (MODIFY, counter(1, counted(5))),
    (MODIFY, meter(1, RATES)),
    (MODIFY, register(None, 5)),
    (MODIFY, tunnels(1, 2)),
    (MODIFY, multicast(1, (2, 2))),
    (DELETE, clone(1)),
    (INSERT, clone(2, (3, 3))),
    (DELETE, digest()),
)

MORE_CHANGES = (
    (MODIFY, direct_counter(counted(1))),
    (MODIFY, direct_meter()),
    (MODIFY, station(idle_timeout_ns=1)),
    (MODIFY, digest(max_list_size=9)),
    (MODIFY, shot()),
    (DELETE, multicast(1)),
)


async def everything(client: Client) -> set[str]:
    asked = p4r.TableEntry(counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig())
    return shown_all(
        await client.read(
            p4r.Entity(table_entry=asked),
            p4r.Entity(table_entry=p4r.TableEntry(is_default_action=True)),
            p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
            p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
            p4r.Entity(counter_entry=p4r.CounterEntry()),
            p4r.Entity(meter_entry=p4r.MeterEntry()),
            p4r.Entity(register_entry=p4r.RegisterEntry()),
            p4r.Entity(value_set_entry=p4r.ValueSetEntry()),
            p4r.Entity(digest_entry=p4r.DigestEntry()),
            multicast(0),
            clone(0),
        )
    )


@pytest.mark.parametrize("atomicity", [ROLLBACK, ATOMIC])
@pytest.mark.parametrize("changes", [CHANGES, MORE_CHANGES], ids=["changes", "more changes"])
async def test_a_failed_batch_leaves_nothing_behind(
    client: Client,
    pipeline: MemoryPipeline,
    changes: tuple[tuple[int, p4r.Entity], ...],
    atomicity: int,
) -> None:
    await client.insert(*STATE)
    before, written = pipeline.summary(), await everything(client)
    with pytest.raises(RefusedError) as refused:
        await client.update(*changes, (DELETE, NO_ROUTE), *changes, atomicity=atomicity)
    count = len(changes)
    assert refused.value.codes == ["ABORTED"] * count + ["NOT_FOUND"] + ["ABORTED"] * count
    assert pipeline.summary() == before
    assert await everything(client) == written
    await client.update(*changes)
    assert await everything(client) != written


@pytest.mark.parametrize("atomicity", [CONTINUE, ROLLBACK, ATOMIC])
async def test_a_good_batch_is_the_same_whatever_its_atomicity(client: Client, atomicity: int) -> None:
    await client.insert(*STATE)
    await client.update(*CHANGES, atomicity=atomicity)
    read = await client.read(p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["route"])))
    assert shown_all(read) == shown_all([route(0x0A000000, 8, 3, metadata=b"x"), route(0x0B000000, 8, 2)])


async def test_packets_see_an_atomic_batch_at_one_instant(client: Client, pipeline: MemoryPipeline) -> None:
    routes = [route(number << 24, 8, 1) for number in range(4)]
    pipeline.log.clear()
    await client.insert(*routes, atomicity=ATOMIC)
    assert pipeline.log == [["insert ingress.route"] * 4]
    pipeline.log.clear()
    await client.delete(*routes)
    assert pipeline.log == [["delete ingress.route"]] * 4


async def test_a_failed_atomic_batch_shows_packets_nothing_between(
    client: Client, pipeline: MemoryPipeline
) -> None:
    pipeline.log.clear()
    with pytest.raises(RefusedError):
        await client.insert(route(1, 32, 1), route(1, 32, 2), atomicity=ATOMIC)
    assert pipeline.log == [["insert ingress.route", "delete ingress.route"]]


async def test_large_batches_let_others_in_between_but_not_into_them(client: Client) -> None:
    stations = [entry("station", {"dst_addr": n}, action("metered_forward", port=1)) for n in range(1024)]
    wildcard = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["station"]))
    _, *seen = await asyncio.gather(
        client.insert(*stations), *(client.read(wildcard) for _ in range(5)), client.config(1)
    )
    assert {len(entities) for entities in seen[:-1]} <= {0, 1024}


async def test_a_group_of_a_deleted_and_restored_member(client: Client, pipeline: MemoryPipeline) -> None:
    await client.insert(member("paths", 1, forward(1)), member("paths", 2, forward(2)))
    await client.insert(group("paths", 1, {1: 1, 2: 2}))
    before = pipeline.summary()
    with pytest.raises(RefusedError):
        await client.update(
            (MODIFY, group("paths", 1, {2: 1})),
            (MODIFY, member("paths", 1, forward(7))),
            (DELETE, member("paths", 1)),
            (DELETE, group("paths", 1, {})),
            (DELETE, member("paths", 2)),
            (DELETE, NO_ROUTE),
            atomicity=ROLLBACK,
        )
    assert pipeline.summary() == before
    await client.modify(group("paths", 1, {1: 2, 2: 1}), member("paths", 1, forward(9)))


async def test_an_atomicity_that_there_is_not(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        await client.insert(route(0x0A000000, 8, 1), atomicity=7)
    assert (refused.value.code, refused.value.codes) == ("INVALID_ARGUMENT", [])
