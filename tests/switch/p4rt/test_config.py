"""Pipelines: verified, saved, committed, reconciled, read back."""

import asyncio
import json

import grpc
import pytest
from finsy.proto import p4i, p4r

from switch.api import Marked

from .client import CONFIG, Client, RefusedError
from .conftest import DEVICE_ID, Clients
from .memory_pipeline import MemoryDevice
from .messages import IDS, MODIFY, action, counter_of, default, entry, route, shown_all
from .test_arrays import MARKED, station
from .test_batches import STATE, everything

SET = p4r.SetForwardingPipelineConfigRequest
GET = p4r.GetForwardingPipelineConfigRequest


def config(program: bytes | None = None, cookie: int | None = None) -> p4r.ForwardingPipelineConfig:
    made = p4r.ForwardingPipelineConfig(
        p4info=CONFIG.p4info, p4_device_config=program or CONFIG.p4_device_config
    )
    if cookie is not None:
        made.cookie.cookie = cookie
    return made


@pytest.mark.parametrize("number", ["0", "twice"])
@pytest.mark.parametrize("of", ["table", "field", "param", "metadata"])
async def test_ids_are_unique_and_not_0(primary: Client, of: str, number: str) -> None:
    """§ 6.3 and 8.1.1."""
    odd = config()
    info = odd.p4info
    (acl,) = (table for table in info.tables if table.preamble.alias == "acl")
    (rewrite,) = (item for item in info.actions if item.preamble.alias == "rewrite")
    first, second = {
        "table": (info.tables[0].preamble, info.actions[0].preamble),
        "field": (acl.match_fields[0], acl.match_fields[1]),
        "param": (rewrite.params[0], rewrite.params[1]),
        "metadata": tuple(info.controller_packet_metadata[0].metadata[:2]),
    }[of]
    first.id = 0 if number == "0" else second.id
    with pytest.raises(RefusedError, match=r"the id 0|the same id") as refused:
        await primary.push(SET.VERIFY, odd)
    assert refused.value.code == "INVALID_ARGUMENT"


async def test_an_action_may_be_in_the_program_once_more(primary: Client) -> None:
    """p4c copies an action for a call outside of tables, with its name and without its parameters."""
    program = json.loads(CONFIG.p4_device_config)
    forward, *_ = (item for item in program["actions"] if item["name"] == "ingress.forward")
    number = max(item["id"] for item in program["actions"]) + 1
    program["actions"].append(forward | {"id": number, "runtime_data": [], "primitives": []})
    await primary.push(config=config(json.dumps(program).encode()))
    await primary.insert(route(1, 32, 1))
    with pytest.raises(RefusedError) as refused:
        await primary.insert(route(2, 32, 512))
    assert refused.value.codes == ["INVALID_ARGUMENT"]


async def test_what_the_compiler_left_out_may_be_all_there_is(primary: Client) -> None:
    """p4c keeps in P4Info tables that were optimised out, and action profiles that no table uses."""
    left_out = config()
    left_out.p4info.action_profiles.add().preamble.CopyFrom(p4i.Preamble(id=0x11000001, name="unused"))
    for table in left_out.p4info.tables:
        table.preamble.name += "_gone"
    await primary.push(config=left_out)
    unused = p4r.ActionProfileMember(action_profile_id=0x11000001, member_id=1)
    with pytest.raises(RefusedError) as refused:
        await primary.insert(p4r.Entity(action_profile_member=unused), route(1, 32, 1))
    assert refused.value.codes == ["UNIMPLEMENTED", "UNIMPLEMENTED"]


async def test_a_field_without_width_has_the_programs(primary: Client) -> None:
    """P4Info has none for fields of type error."""
    bare = config()
    (table,) = (table for table in bare.p4info.tables if table.preamble.alias == "acl")
    for field in table.match_fields:
        field.bitwidth = 0
    await primary.push(config=bare)
    await primary.insert(entry("acl", {"ingress_port": 511}, action("drop"), priority=1))
    with pytest.raises(RefusedError, match="does not fit 9 bits"):
        await primary.insert(entry("acl", {"ingress_port": 512}, action("drop"), priority=1))


async def test_nothing_works_without_a_pipeline(primary: Client) -> None:
    for call in (primary.insert(route(1, 32, 1)), primary.read(route(1, 32, 1))):
        with pytest.raises(RefusedError, match="No forwarding pipeline config") as refused:
            await call
        assert refused.value.code == "FAILED_PRECONDITION"


async def test_without_a_pipeline_there_is_no_config(clients: Clients) -> None:
    reply = await (await clients(None)).call(
        "GetForwardingPipelineConfig", p4r.GetForwardingPipelineConfigRequest(device_id=DEVICE_ID)
    )
    assert not reply.HasField("config")


async def test_capabilities(primary: Client) -> None:
    reply = await primary.call("Capabilities", p4r.CapabilitiesRequest())
    assert reply.p4runtime_api_version == "1.4.1"


async def test_a_config_reads_back(client: Client, clients: Clients) -> None:
    anybody = await clients(None)
    assert await anybody.config(GET.ALL) == CONFIG
    assert await anybody.config(GET.COOKIE_ONLY) == p4r.ForwardingPipelineConfig(cookie=CONFIG.cookie)
    assert await anybody.config(GET.P4INFO_AND_COOKIE) == p4r.ForwardingPipelineConfig(
        p4info=CONFIG.p4info, cookie=CONFIG.cookie
    )
    assert await anybody.config(GET.DEVICE_CONFIG_AND_COOKIE) == p4r.ForwardingPipelineConfig(
        p4_device_config=CONFIG.p4_device_config, cookie=CONFIG.cookie
    )
    await client.push(config=config())
    assert not (await anybody.config()).HasField("cookie")


async def test_verify_changes_nothing(primary: Client, device: MemoryDevice) -> None:
    await primary.push(SET.VERIFY)
    assert device.running is None
    assert [pipeline.discarded for pipeline in device.pipelines] == [True]
    assert await primary.config() == p4r.ForwardingPipelineConfig()


async def test_commit_of_a_saved_config(client: Client, device: MemoryDevice) -> None:
    before = device.running
    await client.insert(route(1, 32, 1))
    await client.push(SET.VERIFY_AND_SAVE, config(cookie=2))
    assert device.running is before
    await client.insert(route(2, 32, 1))
    assert (await client.config(GET.COOKIE_ONLY)).cookie.cookie == 2
    await client.push(SET.COMMIT, None)
    assert device.running is not before
    read = await client.read(p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["route"])))
    assert shown_all(read) == shown_all([route(2, 32, 1)])
    with pytest.raises(RefusedError) as refused:
        await client.push(SET.COMMIT, None)
    assert refused.value.code == "NOT_FOUND"


async def test_a_saved_config_gives_way_to_the_next(client: Client, device: MemoryDevice) -> None:
    await client.push(SET.VERIFY_AND_SAVE)
    await client.push(SET.VERIFY_AND_SAVE)
    await client.push(SET.VERIFY_AND_COMMIT)
    assert [pipeline.discarded for pipeline in device.pipelines] == [False, True, True, False]
    assert device.running is device.pipelines[-1]


async def test_a_new_commit_starts_empty(client: Client) -> None:
    await client.insert(*STATE)
    await client.push()
    read = await client.read(p4r.Entity(table_entry=p4r.TableEntry()))
    assert all(item.table_entry.is_const for item in read)


async def test_a_client_that_gives_up_leaves_nothing_half_done(client: Client, device: MemoryDevice) -> None:
    await client.insert(route(1, 32, 1))
    device.gate.clear()
    request = SET(
        device_id=client.device_id,
        election_id=p4r.Uint128(low=10),
        action=SET.VERIFY_AND_COMMIT,
        config=config(),
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await client.stub.SetForwardingPipelineConfig(request, timeout=0.2)
    assert len(await client.read(p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["route"])))) == 1
    device.gate.set()
    await client.push()
    await client.insert(route(2, 32, 1))
    assert device.running is not None
    assert len(device.running.tables["ingress.route"].entries) == 1
    assert [pipeline.running or pipeline.discarded for pipeline in device.pipelines].count(True) == 1


async def test_who_is_no_longer_primary_commits_nothing(
    client: Client, clients: Clients, device: MemoryDevice
) -> None:
    """Both wait for the config that is being built; until then another client has become primary."""
    await client.push(SET.VERIFY_AND_SAVE)
    running = device.running
    device.gate.clear()
    waiting = asyncio.gather(
        client.push(SET.VERIFY), client.push(SET.COMMIT, None), client.push(), return_exceptions=True
    )
    await asyncio.sleep(0)
    while not device.building:
        await asyncio.sleep(0.01)
    assert await (await clients(11)).arbitrate() == 0
    device.gate.set()
    verified, *refused = await waiting
    assert verified is None
    assert [error.code for error in refused if isinstance(error, RefusedError)] == ["PERMISSION_DENIED"] * 2
    assert device.running is running


async def test_ports_that_refuse_a_pipeline_keep_the_one_they_have(
    client: Client, device: MemoryDevice
) -> None:
    await client.insert(route(1, 32, 1))
    before = device.running
    device.broken = True
    with pytest.raises(RefusedError, match="no such interface") as refused:
        await client.push()
    assert refused.value.code == "INTERNAL"
    assert device.running is before
    await client.insert(route(2, 32, 1))
    assert before is not None
    assert len(before.tables["ingress.route"].entries) == 2
    await asyncio.to_thread(before.packet_in, b"\0\0from the one that runs")
    await client.hear("packet")
    device.broken = False
    await client.push()
    assert device.running is not before


async def test_a_saved_pipeline_that_ports_refuse_stays_saved(client: Client, device: MemoryDevice) -> None:
    await client.push(SET.VERIFY_AND_SAVE)
    await client.insert(route(1, 32, 1))
    device.broken = True
    with pytest.raises(RefusedError, match="no such interface"):
        await client.push(SET.COMMIT, None)
    device.broken = False
    await client.push(SET.COMMIT, None)
    assert device.running is not None
    assert len(device.running.tables["ingress.route"].entries) == 1


async def test_ports_that_refuse_the_first_pipeline_leave_none(primary: Client, device: MemoryDevice) -> None:
    device.broken = True
    with pytest.raises(RefusedError, match="no such interface"):
        await primary.push()
    with pytest.raises(RefusedError) as refused:
        await primary.insert(route(1, 32, 1))
    assert refused.value.code == "FAILED_PRECONDITION"
    await primary.say(packet=p4r.PacketOut(payload=b"x"))
    assert (await primary.hear("error")).canonical_code == 9


async def test_reconcile_keeps_the_state(client: Client, device: MemoryDevice) -> None:
    await client.insert(*STATE)
    const_counter = entry("kind", {"$valid$": 0}, priority=1, counter_data=p4r.CounterData(packet_count=3))
    changed = default("options", action("set_tag", tag=9), metadata=b"d")
    await client.update((MODIFY, const_counter), (MODIFY, changed), (MODIFY, counter_of(1, 5)))
    before, written = device.running, await everything(client)
    await client.push(SET.RECONCILE_AND_COMMIT, config(cookie=3))
    assert device.running is not before
    assert await everything(client) == written
    assert (await client.config(GET.COOKIE_ONLY)).cookie.cookie == 3
    await client.delete(*STATE[:3])


async def test_reconcile_keeps_counts_per_colour(client: Client, device: MemoryDevice) -> None:
    await client.insert(station())
    before = device.running
    assert before is not None
    before.meter_marked_set("ingress.port_rate", 2, MARKED)
    (entry_before,) = before.tables["ingress.station"].entries.values()
    entry_before.marked = MARKED
    await client.push(SET.RECONCILE_AND_COMMIT, config())
    after = device.running
    assert after is not None
    assert after is not before
    assert after.meter_marked("ingress.port_rate", 2) == MARKED
    assert after.meter_marked("ingress.port_rate", 3) == Marked()
    (entry_after,) = after.tables["ingress.station"].entries.values()
    assert entry_after.marked == MARKED


async def test_reconcile_gives_up_cells_that_are_gone(client: Client) -> None:
    await client.modify(counter_of(1, 5), counter_of(7, 7))
    smaller = config()
    smaller.p4info.CopyFrom(CONFIG.p4info)
    smaller.p4info.counters[0].size = 4
    await client.push(SET.RECONCILE_AND_COMMIT, smaller)
    assert shown_all(await client.read(counter_of(None))) == shown_all(
        counter_of(index, 5 if index == 1 else 0) for index in range(4)
    )


async def test_reconcile_refuses_state_that_does_not_fit(client: Client, device: MemoryDevice) -> None:
    await client.insert(route(1, 32, 300))
    running = device.running
    narrower = config()
    narrower.p4info.CopyFrom(CONFIG.p4info)
    for spec in narrower.p4info.actions:
        if spec.preamble.alias == "forward":
            spec.params[0].bitwidth = 8
    with pytest.raises(RefusedError, match="forward, port") as refused:
        await client.push(SET.RECONCILE_AND_COMMIT, narrower)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert device.running is running
    assert device.pipelines[-1].discarded
    assert len(await client.read(p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["route"])))) == 1


async def test_the_first_config_may_be_a_reconciliation(primary: Client) -> None:
    await primary.push(SET.RECONCILE_AND_COMMIT)
    await primary.insert(route(1, 32, 1))


def without_tables() -> p4r.ForwardingPipelineConfig:
    root = json.loads(CONFIG.p4_device_config)
    for pipeline in root["pipelines"]:
        pipeline["tables"] = []
    root["actions"] = []
    return config(json.dumps(root).encode())


def broken_p4info(change: str) -> p4r.ForwardingPipelineConfig:
    made = config()
    made.p4info.CopyFrom(CONFIG.p4info)
    table = made.p4info.tables[0]
    match change:
        case "no such action":
            table.action_refs[0].id = 5
        case "no such profile":
            table.implementation_id = 5
        case "no width":
            made.p4info.value_sets[0].match[0].bitwidth = 0
        case "no match type":
            table.match_fields[0].match_type = 0
        case "no such struct":
            made.p4info.digests[0].type_spec.struct.name = "gone"
    return made


WRONG = {
    "no config": (SET.VERIFY_AND_COMMIT, None),
    "empty config": (SET.VERIFY_AND_COMMIT, p4r.ForwardingPipelineConfig()),
    "no device config": (SET.VERIFY_AND_COMMIT, p4r.ForwardingPipelineConfig(p4info=CONFIG.p4info)),
    "not JSON": (SET.VERIFY, config(b"\xff")),
    "JSON of something else": (SET.VERIFY, config(b"[]")),
    "program without tables and actions": (SET.VERIFY, without_tables()),
    "action unspecified": (SET.UNSPECIFIED, CONFIG),
    "action unknown": (9, CONFIG),
    "commit with config": (SET.COMMIT, CONFIG),
    **{
        name: (SET.VERIFY, broken_p4info(name))
        for name in ("no such action", "no such profile", "no width", "no match type", "no such struct")
    },
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_cannot_be_realised(primary: Client, device: MemoryDevice, name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await primary.push(*WRONG[name])
    assert refused.value.code == "INVALID_ARGUMENT"
    assert device.running is None
    assert all(pipeline.discarded for pipeline in device.pipelines)


async def test_a_table_that_the_compiler_removed(primary: Client) -> None:
    """P4Info is written before p4c optimises: what it left out is told apart from what never was."""
    root = json.loads(CONFIG.p4_device_config)
    for pipeline in root["pipelines"]:
        pipeline["tables"] = [table for table in pipeline["tables"] if table["name"] != "ingress.route"]
    await primary.push(config=config(json.dumps(root).encode()))
    with pytest.raises(RefusedError) as refused:
        await primary.insert(route(1, 32, 1))
    assert refused.value.codes == ["UNIMPLEMENTED"]
    assert "ingress.route" in refused.value.messages[0]
    assert len(await primary.read(p4r.Entity(table_entry=p4r.TableEntry()))) == 3


async def test_initial_entries_that_are_not_const(primary: Client, device: MemoryDevice) -> None:
    """`entries` without `const`: clients may change them and add to them, in one order (§ 9.1.5)."""
    mutable = config()
    mutable.p4info.CopyFrom(CONFIG.p4info)
    (table,) = (item for item in mutable.p4info.tables if item.preamble.alias == "kind")
    table.is_const_table = False
    await primary.push(config=mutable)
    ipv4 = entry("kind", {"ether_type": (0x0800, 0xFFFF), "$valid$": 1}, action("set_tag", tag=4), priority=3)
    ipv6 = entry("kind", {"ether_type": (0x8600, 0xFF00), "$valid$": 1}, action("set_tag", tag=6), priority=2)
    none = entry("kind", {"$valid$": 0}, action("count_kind"), priority=1)
    kind = p4r.Entity(table_entry=p4r.TableEntry(table_id=IDS["kind"]))
    assert shown_all(await primary.read(kind)) == shown_all([ipv4, ipv6, none])
    assert device.running is not None
    in_pipeline = device.running.tables["ingress.kind"].entries.values()
    assert sorted(item.priority for item in in_pipeline) == [1, 2, 3]
    ipv4.table_entry.action.action.CopyFrom(action("count_kind"))
    added = entry("kind", {"$valid$": 1}, action("count_kind"), priority=2)
    await primary.modify(ipv4)
    await primary.delete(none)
    await primary.insert(added)
    assert shown_all(await primary.read(kind)) == shown_all([ipv4, ipv6, added])
    await primary.push(SET.RECONCILE_AND_COMMIT, mutable)
    assert shown_all(await primary.read(kind)) == shown_all([ipv4, ipv6, added])
