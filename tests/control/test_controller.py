"""The controller on real P4Runtime targets: what it installs, keeps, repairs and survives.

One target: pytest tests/control/test_controller.py -k bmv2
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import finsy as fy
import grpc
import pytest
from finsy.p4schema import P4UpdateType

import p4src
from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc
from control import advert_service
from control import controller as controllers
from control.catalogue import Catalogue
from control.controller import Controller, Options
from control.entries import Entry, from_proto
from control.events import EventLog
from control.model import Instance, Member
from control.reading import Reader
from control.reconcile import Change
from control.target import Session
from tests.control.example import CATALOGUE, DETECT, FAR, NEAR, catalogue, instance, message
from tests.control.far_end import TARGETS, FarEnd, missing

SCHEMA = fy.P4Schema(p4src.P4INFO)
WAIT_S = 60.0
LONG_S = 600.0


@pytest.fixture(params=TARGETS)
def switches(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, FarEnd]]:
    reason = missing(request.param)
    if reason:
        pytest.skip(reason)
    found = {f"r{number}": FarEnd(request.param, number, tmp_path) for number in (1, 2)}
    try:
        for switch in found.values():
            switch.start()
        yield found
    finally:
        for switch in found.values():
            switch.stop()


def declared_text(switches: dict[str, FarEnd], text: str) -> str:
    for number, switch in enumerate(switches.values(), 1):
        text = text.replace(f"127.0.0.1:{number}", switch.address)
    return text


def declared(switches: dict[str, FarEnd], text: str) -> Catalogue:
    return catalogue(declared_text(switches, text))


class Running:
    """A controller that runs, and an agent that can talk to it."""

    def __init__(self, controller: Controller, stub: advert_pb2_grpc.AdvertsStub):
        self.controller = controller
        self._stub = stub
        self._sequence = 0

    async def tell(self, site: str, *instances: Instance, token: str | None = None) -> pb.AdvertAck:
        self._sequence += 1
        metadata = (("authorization", f"Bearer {token or f'{site}-token'}"),)
        return await self._stub.Advertise(message(site, self._sequence, instances), metadata=metadata)

    async def settled(self) -> None:
        async with asyncio.timeout(WAIT_S):
            await self.controller.settled()

    def updates(self) -> int:
        return sum(one.progress.updates for one in self.controller.installers.values())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(
    switches: dict[str, FarEnd], tmp_path: Path, audit_s: float = 60.0, text: str = CATALOGUE
) -> AsyncIterator[Running]:
    """A controller of switches that are all there: however busy the machine is, it waits for each of them."""
    controller = Controller(declared(switches, text), EventLog(), Options(hold_s=LONG_S, audit_s=audit_s))
    address = f"unix:{tmp_path}/adverts"
    server = await advert_service.serve(address, controller.take)
    patient = patch.object(controllers, "_GATHER_S", LONG_S)
    patient.start()
    task = asyncio.create_task(controller.run())
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            found = Running(controller, advert_pb2_grpc.AdvertsStub(channel))
            await found.settled()
            yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        patient.stop()
        await server.stop(None)


@contextlib.asynccontextmanager
async def bystander(switch: FarEnd, device_id: int) -> AsyncIterator[fy.Switch]:
    """Someone else's connection, as a backup that reads, or as the primary while no controller runs."""
    options = fy.SwitchOptions(p4info=p4src.P4INFO, device_id=device_id, initial_election_id=1)
    async with fy.Switch("bystander", switch.address, options) as connected:
        yield connected


async def content(switch: FarEnd, device_id: int) -> set[str]:
    async with bystander(switch, device_id) as connected:
        return {
            entry.describe(SCHEMA) for entry in (await Session(connected, Reader(SCHEMA)).read()).values()
        }


def wanted(one: Running, router: str) -> set[str]:
    return {entry.describe(SCHEMA) for entry in one.controller.program.tables[router].installed}


async def test_everything_wanted_is_installed_and_reads_back_the_same(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        assert (await one.tell("near", instance(NEAR))).accepted
        assert (await one.tell("far", instance(FAR))).accepted
        await one.settled()
        assert one.controller.reactions_ms
        for number, (router, switch) in enumerate(switches.items(), 1):
            found = await content(switch, number)
            assert found == wanted(one, router)
            assert sum(line.startswith("instance ") for line in found) == 1
            here, elsewhere = (1, 2) if router == "r1" else (2, 1)
            assert any(f"bind_instance(site={here:#x}" in line for line in found)
            assert any(f"bind_site(site={elsewhere:#x}" in line for line in found)
        assert not any(event["event"] == "write-refused" for event in one.controller.events.last)


async def test_a_wrong_token_changes_nothing(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        before = one.updates()
        answer = await one.tell("near", instance(NEAR), token="far-token")  # noqa: S106
        assert (answer.accepted, answer.reason) == (False, "unknown site or wrong token")
        await one.settled()
        assert one.updates() == before


async def test_a_restart_of_the_controller_writes_nothing(switches, tmp_path) -> None:
    # Shares that move with time would go on moving.
    tenants = "tenants: {demo: {id: 7, key: '0011223344556677', rate: {per_s: 90, burst: 5}}}"
    agent = "hosts: [far], data_agent: {ipv4: 10.3.0.1},"
    text = CATALOGUE.replace("tenants: {demo: 7}", tenants).replace("hosts: [far],", agent)
    text += "policy: weighted\n"
    async with running(switches, tmp_path, text=text) as one:
        await one.tell("near", instance(NEAR))
        await one.tell("far", instance(FAR))
        await one.settled()
        before = {router: wanted(one, router) for router in switches}
    async with running(switches, tmp_path, text=text) as one:
        await one.tell("near", instance(NEAR))
        await one.tell("far", instance(FAR))
        await one.settled()
        assert one.updates() == 0
        assert {router: wanted(one, router) for router in switches} == before


async def test_a_switch_that_restarts_is_restored(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        switches["r1"].stop()
        await until(lambda: one.controller.targets["r1"].session is None)
        # What changes meanwhile is made up for.
        await one.tell("far", instance(FAR))
        switches["r1"].start()
        await until(lambda: one.controller.targets["r1"].session is not None)
        await one.settled()
        after = await content(switches["r1"], 1)
        assert after == wanted(one, "r1")
        assert any("bind_site(site=0x2" in line for line in after)


def repaired(one: Running) -> int:
    return sum(
        event["changes"] for event in one.controller.events.last if event["event"] == "switch-repaired"
    )


def _wrong() -> list[fy.P4TableEntry | fy.P4MeterEntry]:
    action = fy.P4TableAction
    return [
        +fy.P4TableEntry("my_mac", match=fy.P4TableMatch(dst_addr=1), action=action("for_router")),
        ~fy.P4TableEntry(
            "function",
            match=fy.P4TableMatch(func_id=(DETECT, 64)),
            action=action("known", service=1, public=1, per_request=1, lead=1, flow_s=1),
        ),
        -fy.P4TableEntry("local_ipv4", match=fy.P4TableMatch(dst_addr=0x0AFF0001)),
        ~fy.P4TableEntry(
            "service",
            match=fy.P4TableMatch(is_ipv6=0, scope=0, class_id=0, func_id=(DETECT, 64)),
            action=action("no_capacity", retry_after_ms=9),
        ),
        ~fy.P4TableEntry(
            "draw",
            match=fy.P4TableMatch(group=1),
            action=fy.P4IndirectAction([(1, action("shed", retry_after_ms=9))]),
        ),
        ~fy.P4TableEntry(
            "anycast_source", action=action("anycast_is", ipv4=1, ipv6=1), is_default_action=True
        ),
        ~fy.P4MeterEntry("errors", index=1),
    ]


async def test_what_someone_changed_by_hand_is_repaired(switches, tmp_path) -> None:
    async with running(switches, tmp_path, audit_s=0.2) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        before = await content(switches["r1"], 1)
        session = one.controller.targets["r1"].session
        assert session is not None
        told = repaired(one)
        await session._switch.write(_wrong())  # as if by hand: the controller doesn't know
        # A read that was under way may have seen some of it.
        await until(lambda: repaired(one) == told + len(_wrong()))
        await one.settled()
        await until(lambda: one.controller.program.tables["r1"].pending == 0)
        assert await content(switches["r1"], 1) == before


async def test_what_was_changed_while_no_controller_ran_is_repaired(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        before = await content(switches["r1"], 1)
    async with bystander(switches["r1"], 1) as connected:
        assert connected.is_primary
        await connected.write(
            [
                entry
                for entry in _wrong()
                if isinstance(entry, fy.P4MeterEntry) or entry.table_id not in ("service", "draw")
            ]
        )
    async with running(switches, tmp_path):
        assert await content(switches["r1"], 1) == before


async def test_keys_are_rotated_with_the_last_one_still_known(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        for _ in range(5):
            ring = one.controller.program.ring
            assert ring is not None
            await one.controller.rotate_keys()
            for number, switch in enumerate(switches.values(), 1):
                found = await content(switch, number)
                old, new = ring.keys[ring.sealing], one.controller.program.ring.keys[(ring.sealing + 1) % 4]
                assert {line for line in found if line.startswith(("cookie_key", "seal_key"))} == {
                    f"cookie_key epoch={ring.sealing:#x} → use_key(k0={old.k0:#x}, k1={old.k1:#x})",
                    f"cookie_key epoch={(ring.sealing + 1) % 4:#x} → use_key(k0={new.k0:#x}, k1={new.k1:#x})",
                    f"seal_key default → seal_with(key_epoch={(ring.sealing + 1) % 4:#x}, "
                    f"k0={new.k0:#x}, k1={new.k1:#x})",
                }
        switches["r2"].stop()
        await until(lambda: one.controller.targets["r2"].session is None)
        with pytest.raises(RuntimeError, match="not connected to r2"):
            await one.controller.rotate_keys()


async def test_a_controller_killed_at_any_time_leaves_nothing_that_the_next_one_does_not_put_right(
    switches, tmp_path
) -> None:
    (tmp_path / "c.yaml").write_text(declared_text(switches, CATALOGUE))
    listen = f"unix:{tmp_path}/killed"
    arguments = ["run", f"{tmp_path}/c.yaml", "--listen", listen, "--status-socket", f"{tmp_path}/s.sock"]
    command = [sys.executable, "-c", "from control.cli import app; app()", *arguments]
    sequence = 0
    for kill_after in (1, 2, 7, 20):
        (tmp_path / "killed").unlink(missing_ok=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            await until((tmp_path / "killed").exists)
            async with grpc.aio.insecure_channel(listen) as channel:
                tell = advert_pb2_grpc.AdvertsStub(channel).Advertise
                for _ in range(kill_after):
                    sequence += 1
                    news = message("near", sequence, [instance(NEAR, draining=bool(sequence % 2))])
                    metadata = (("authorization", "Bearer near-token"),)
                    assert (await tell(news, metadata=metadata, wait_for_ready=True, timeout=WAIT_S)).accepted
        finally:
            process.kill()
            process.wait()
    async with running(switches, tmp_path) as one:
        await one.tell("near", instance(NEAR))
        await one.tell("far", instance(FAR))
        await one.settled()
        # What the killed ones had sent may come in later than the next one reads.
        async with asyncio.timeout(WAIT_S):
            for number, (router, switch) in enumerate(switches.items(), 1):
                while await content(switch, number) != wanted(one, router):
                    await asyncio.sleep(0.1)


async def test_what_a_target_refuses_is_told_and_everything_else_is_written(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        session = one.controller.targets["r1"].session
        assert session is not None
        bad = fy.P4TableEntry(
            "my_mac", match=fy.P4TableMatch(dst_addr=2), action=fy.P4TableAction("for_router")
        )
        good = fy.P4TableEntry(
            "my_mac", match=fy.P4TableMatch(dst_addr=3), action=fy.P4TableAction("for_router")
        )
        changes = [_change(P4UpdateType.MODIFY, bad), _change(P4UpdateType.INSERT, good)]
        failures = await session.write(changes)
        assert [failure.change for failure in failures] == changes[:1]
        assert failures[0].reason.startswith("NOT_FOUND")
        assert "my_mac dst_addr=0x3 → for_router()" in await content(switches["r1"], 1)


def _change(kind: P4UpdateType, entity: fy.P4TableEntry) -> Change:
    entry = from_proto(entity.encode(SCHEMA), SCHEMA)
    assert isinstance(entry, Entry)
    return Change(kind, entry)


async def test_counters_are_read_under_their_names(switches, tmp_path) -> None:
    async with running(switches, tmp_path) as one:
        await one.tell("near", instance(NEAR))
        await one.settled()
        session = one.controller.targets["r1"].session
        assert session is not None
        outcomes = await session.outcomes()
        assert outcomes["BOUND_NEW"] == 0
        assert len(outcomes) == len(SCHEMA.type_info.serializable_enums["Outcome"].members)
        assert await session.bound({Member(*NEAR): 0, Member(FAR.site): 1}) == {
            Member(*NEAR): 0,
            Member(FAR.site): 0,
        }


async def test_a_router_that_is_away_at_the_start_joins_later(switches, tmp_path) -> None:
    switches["r2"].stop()
    controller = Controller(declared(switches, CATALOGUE), EventLog())
    task = asyncio.create_task(controller.run())
    try:
        async with asyncio.timeout(WAIT_S):
            await controller.installers["r1"].settled()
            switches["r2"].start()
            await controller.installers["r2"].settled()
        assert any(event["event"] == "started-without" for event in controller.events.last)
        one = await content(switches["r1"], 1)
        two = await content(switches["r2"], 2)
        assert {line for line in one if "key" in line} == {line for line in two if "key" in line}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
