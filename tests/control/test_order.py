"""Across routers what others lean on is written first, and nobody is waited for long.

One target: pytest tests/control/test_order.py -k embedded
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from control import order
from control.order import Order
from control.reconcile import Phase
from control.target import Failure, Session
from tests.control.example import NEAR, instance
from tests.control.far_end import FarEnd
from tests.control.test_controller import SCHEMA, WAIT_S, content, running, switches  # noqa: F401 - a fixture

LONG_S = 60.0


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "_PATIENCE_S", LONG_S)


async def waits(one: Order, router: str) -> Callable[[], bool]:
    """Have a router wait for the others; tells whether it still does."""
    task = asyncio.create_task(one.others(router))
    await asyncio.sleep(0)
    return lambda: not task.done()


@pytest.mark.usefixtures("patient")
async def test_others_wait_until_all_have_written_what_is_leant_on() -> None:
    one = Order()
    one.opens("r1")
    one.opens("r2")
    third, second = await waits(one, "r3"), await waits(one, "r2")
    one.ready("r1")
    await asyncio.sleep(0.01)
    assert (third(), second()) == (True, False)
    one.ready("r2")
    await asyncio.sleep(0.01)
    assert not third()


async def test_who_is_late_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "_PATIENCE_S", 0.01)
    one = Order()
    one.opens("r1")
    await one.others("r2")
    monkeypatch.setattr(order, "_PATIENCE_S", LONG_S)
    await one.others("r2")
    # Once it has caught up it counts again.
    one.ready("r1")
    one.opens("r1")
    still = await waits(one, "r2")
    assert still()
    one.ready("r1")


@pytest.mark.usefixtures("patient")
async def test_a_sites_router_knows_a_function_before_others_send_requests_there(
    switches: dict[str, FarEnd],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = Session.write
    lines: list[str] = []

    async def slow(session: Session, phase: Phase) -> list[Failure]:
        """As it is, but for the near site's router, which takes its time."""
        router = session._switch.name
        if router == "r1":
            await asyncio.sleep(0.02)
        failures = await write(session, phase)
        lines.extend(f"{router} {change.entry.describe(SCHEMA)}" for change in phase)
        return failures

    monkeypatch.setattr(Session, "write", slow)
    async with running(switches, tmp_path) as one:
        lines.clear()
        await one.tell("near", instance(NEAR))
        await one.settled()
    known = max(at for at, line in enumerate(lines) if line.startswith("r1") and "scope=0x1" in line)
    asked = min(at for at, line in enumerate(lines) if line.startswith("r2") and "bind_site(site=0x1" in line)
    assert known < asked


async def test_a_router_that_does_not_answer_holds_the_others_up_but_shortly(
    switches: dict[str, FarEnd],  # noqa: F811
    tmp_path: Path,
) -> None:
    async with running(switches, tmp_path) as one:
        with switches["r1"].paused():
            await one.tell("near", instance(NEAR))
            async with asyncio.timeout(WAIT_S):
                await one.controller.installers["r2"].settled()
            assert any("bind_site(site=0x1" in line for line in await content(switches["r2"], 2))
        await one.settled()
        assert any("bind_instance(site=0x1" in line for line in await content(switches["r1"], 1))
