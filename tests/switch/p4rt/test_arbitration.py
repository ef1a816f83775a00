"""Who is primary, who is told what, and who may write. Status codes: OK 0, NOT_FOUND 5, ALREADY_EXISTS 6."""

import asyncio

import grpc
import pytest
from finsy.proto import U128, p4r, stratum
from google.protobuf.any_pb2 import Any as AnyMessage

from switch.p4rt.arbitration import MAX_ROLES, Arbitration
from switch.p4rt.errors import P4RuntimeError

from .client import Client, RefusedError
from .conftest import Clients
from .messages import IDS, counter_of, default, multicast_of, route, shown_all

OK, NOT_FOUND, ALREADY_EXISTS = 0, 5, 6


async def notice(client: Client) -> tuple[int, int | None]:
    """The next notification: status code, and the election id of the primary if there ever was one."""
    message = await client.hear("arbitration")
    election_id = U128.decode(message.election_id) if message.HasField("election_id") else None
    return message.status.code, election_id


async def refusal(client: Client) -> str:
    with pytest.raises(RefusedError) as refused:
        await client.hear("arbitration")
    return refused.value.code


async def test_the_highest_election_id_is_primary(clients: Clients) -> None:
    low, high, middle = await clients(1), await clients(1 << 64), await clients(5)
    await low.bid()
    assert await notice(low) == (OK, 1)
    await high.bid()
    assert await notice(high) == (OK, 1 << 64)
    assert await notice(low) == (ALREADY_EXISTS, 1 << 64)
    await middle.bid()
    assert await notice(middle) == (ALREADY_EXISTS, 1 << 64)
    await high.push()
    await high.insert(route(1, 32, 1))
    for backup in (low, middle):
        with pytest.raises(RefusedError) as refused:
            await backup.insert(route(2, 32, 1))
        assert refused.value.code == "PERMISSION_DENIED"
        assert len(await backup.read(p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["route"])))) == 1


async def test_backups_hear_that_the_primary_left(clients: Clients) -> None:
    primary, backup = await clients(2), await clients(1)
    await primary.arbitrate()
    assert await backup.arbitrate() == ALREADY_EXISTS
    await primary.close()
    assert await notice(backup) == (NOT_FOUND, 2)
    with pytest.raises(RefusedError) as refused:
        await backup.push()
    assert refused.value.code == "PERMISSION_DENIED"
    backup.election_id = 2
    await backup.bid()
    assert await notice(backup) == (OK, 2)
    await backup.push()


async def test_ending_the_stream_politely_is_leaving_too(clients: Clients) -> None:
    primary, backup = await clients(2), await clients(1)
    await primary.arbitrate()
    await backup.arbitrate()
    await primary.stream.done_writing()
    assert await notice(backup) == (NOT_FOUND, 2)
    assert await primary.stream.read() is grpc.aio.EOF


async def test_a_primary_can_step_down(clients: Clients) -> None:
    primary, backup = await clients(9), await clients(5)
    await primary.arbitrate()
    await backup.arbitrate()
    primary.election_id = 1
    await primary.bid()
    assert await notice(primary) == (NOT_FOUND, 9)
    assert await notice(backup) == (NOT_FOUND, 9)
    backup.election_id = 9
    await backup.bid()
    assert await notice(backup) == (OK, 9)
    assert await notice(primary) == (ALREADY_EXISTS, 9)


async def test_without_election_id_a_client_stays_backup(clients: Clients) -> None:
    watchers = [await clients(None), await clients(None)]
    for watcher in watchers:
        await watcher.bid()
        assert await notice(watcher) == (NOT_FOUND, None)
    with pytest.raises(RefusedError) as refused:
        await watchers[0].push()
    assert refused.value.code == "PERMISSION_DENIED"


async def test_an_election_id_belongs_to_one_client(clients: Clients) -> None:
    first, second = await clients(3), await clients(3)
    await first.arbitrate()
    await second.bid()
    with pytest.raises(RefusedError, match=r"(?i)election id .*\bused\b") as refused:
        await second.hear("arbitration")
    assert refused.value.code == "INVALID_ARGUMENT"
    assert await first.arbitrate() == OK


async def test_another_device(clients: Clients) -> None:
    stranger = await clients()
    stranger.device_id += 1
    await stranger.bid()
    assert await refusal(stranger) == "NOT_FOUND"
    for call in (stranger.push(), stranger.insert(), stranger.read(), stranger.config()):
        with pytest.raises(RefusedError) as refused:
            await call
        assert refused.value.code == "NOT_FOUND"


@pytest.mark.parametrize("change", [{"device_id": 8}, {"role": p4r.Role(name="other")}])
async def test_a_stream_keeps_device_and_role(primary: Client, change: dict[str, object]) -> None:
    bid = {"device_id": primary.device_id, "election_id": U128.encode(20)} | change
    await primary.say(arbitration=p4r.MasterArbitrationUpdate(**bid))
    assert await refusal(primary) == "FAILED_PRECONDITION"


async def test_streams_are_bounded(clients: Clients) -> None:
    everybody = [await clients(number + 1) for number in range(64)]
    await asyncio.gather(*(client.bid() for client in everybody))
    await asyncio.gather(*(client.hear("arbitration") for client in everybody))
    late = await clients(99)
    await late.bid()
    assert await refusal(late) == "RESOURCE_EXHAUSTED"


async def test_nobody_writes_without_a_stream(clients: Clients) -> None:
    client = await clients(1)
    with pytest.raises(RefusedError) as refused:
        await client.push()
    assert refused.value.code == "PERMISSION_DENIED"


def role(name: str, **config: object) -> p4r.Role:
    packed = AnyMessage()
    packed.Pack(stratum.P4RoleConfig(**config))
    return p4r.Role(name=name, config=packed)


async def test_roles_have_primaries_of_their_own(client: Client, clients: Clients) -> None:
    routing = await clients(1, p4r.Role(name="routing"))
    assert await routing.arbitrate() == OK
    await routing.insert(route(1, 32, 1))
    await client.insert(route(2, 32, 1))


async def test_a_role_touches_only_its_objects(client: Client, clients: Clients) -> None:
    config = {"exclusive_p4_ids": [IDS["route"]], "shared_p4_ids": [IDS["per_port"]]}
    routing = await clients(1, role("routing", **config))
    await routing.bid()
    heard = await routing.hear("arbitration")
    assert (heard.status.code, heard.role) == (OK, routing.role)
    await routing.insert(route(1, 32, 1), multicast_of(1))
    await routing.modify(counter_of(1, 5))
    with pytest.raises(RefusedError) as refused:
        await routing.modify(default("options"), default("route"))
    assert refused.value.codes == ["PERMISSION_DENIED", None]
    with pytest.raises(RefusedError) as refused:
        await routing.push()
    assert refused.value.code == "PERMISSION_DENIED"
    assert shown_all(await routing.read(p4r.Entity(table_entry=p4r.TableEntry()))) == shown_all(
        [route(1, 32, 1)]
    )
    assert len(await client.read(p4r.Entity(table_entry=p4r.TableEntry()))) == 1 + 3


async def test_a_role_that_may_push(clients: Clients) -> None:
    pusher = await clients(1, role("pusher", can_push_pipeline=True))
    await pusher.arbitrate()
    await pusher.push()


async def test_a_role_nobody_arbitrated_for(client: Client) -> None:
    client.role = p4r.Role(name="unknown")
    for call in (client.insert(route(1, 32, 1)), client.read()):
        with pytest.raises(RefusedError) as refused:
            await call
        assert refused.value.code == "NOT_FOUND"


async def test_a_role_config_of_another_scheme(clients: Clients) -> None:
    odd = p4r.Role(name="odd")
    odd.config.Pack(p4r.Index(index=1))
    damaged = p4r.Role(name="damaged")
    damaged.config.Pack(stratum.P4RoleConfig())
    damaged.config.value = b"\xff"
    for role in (odd, damaged):
        client = await clients(1, role)
        await client.bid()
        assert await refusal(client) == "INVALID_ARGUMENT"


async def test_election_id_0_is_one(clients: Clients) -> None:
    zero, unset = await clients(0), await clients(None)
    await unset.bid()
    assert await notice(unset) == (NOT_FOUND, None)
    await zero.bid()
    assert await notice(zero) == (OK, 0)
    assert await notice(unset) == (ALREADY_EXISTS, 0)
    await zero.push()


async def test_a_roles_config_is_that_of_its_primary(clients: Clients) -> None:
    backup, primary = (
        await clients(None, role("r", shared_p4_ids=[1])),
        await clients(1, role("r", shared_p4_ids=[2])),
    )
    await backup.bid()
    assert (await backup.hear("arbitration")).role == p4r.Role(name="r")
    await primary.bid()
    assert (await primary.hear("arbitration")).role == primary.role
    assert (await backup.hear("arbitration")).role == primary.role
    primary.role = role("r", shared_p4_ids=[3])
    await primary.bid()
    assert (await backup.hear("arbitration")).role == primary.role


def bid(name: str, election_id: int | None) -> p4r.MasterArbitrationUpdate:
    given = None if election_id is None else U128.encode(election_id)
    return p4r.MasterArbitrationUpdate(device_id=1, role=p4r.Role(name=name), election_id=given)


def test_a_role_is_remembered_from_its_first_primary_on() -> None:
    arbitration: Arbitration[int] = Arbitration(1)
    arbitration.update(1, bid("watched", None))
    arbitration.update(2, bid("led", 5))
    for client in (1, 2):
        arbitration.leave(client)
    with pytest.raises(P4RuntimeError, match="watched"):
        arbitration.role("watched")
    ((_, heard),) = arbitration.update(3, bid("led", 4))
    assert (heard.status.code, heard.election_id) == (NOT_FOUND, U128.encode(5))


def test_roles_are_bounded() -> None:
    arbitration: Arbitration[int] = Arbitration(1)
    for number in range(1, MAX_ROLES):
        arbitration.update(number, bid(str(number), 1))
        arbitration.leave(number)
    with pytest.raises(P4RuntimeError) as refused:
        arbitration.update(MAX_ROLES, bid("late", 1))
    assert refused.value.status_code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert arbitration.leave(MAX_ROLES) == []
    arbitration.update(MAX_ROLES + 1, bid("", 1))
    arbitration.update(MAX_ROLES + 2, bid("1", 2))


def test_a_refused_client_leaves_no_role_behind() -> None:
    arbitration: Arbitration[int] = Arbitration(1)
    odd = bid("odd", 1)
    odd.role.config.Pack(p4r.Index(index=1))
    with pytest.raises(P4RuntimeError):
        arbitration.update(1, odd)
    with pytest.raises(P4RuntimeError):
        arbitration.role("odd")
