"""What a lab waits for, and what it says when that doesn't come."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from topo import plan, readiness, trace
from topo.readiness import NotReadyError

PLAN = plan.load(trace.LABS / "smallest.yaml")
READY: dict[str, Any] = {
    "routers": {name: {"up": True, "refused": 0, "pending": 0} for name in PLAN.routers},
    "sites": {"edge": {"advert": {"instances": [{"instance": 1}]}}},
}


def test_a_network_that_is_ready() -> None:
    assert list(readiness.missing(PLAN, READY)) == []


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("routers", "r1", "up"), False, "the controller isn't connected to r1"),
        (("routers", "r2", "pending"), 5, "5 table entries of r2 are not written yet"),
        (("sites", "edge", "advert"), None, "no advert of edge has come"),
        (("sites", "edge", "advert", "instances"), [], "edge has advertised 0 of 1 instances"),
    ],
)
def test_what_is_missing_is_named(path: tuple[str, ...], value: Any, text: str) -> None:
    status = copy.deepcopy(READY)
    place = status
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert list(readiness.missing(PLAN, status)) == [text]


def test_what_was_refused_and_then_made_up_for_is_nothing() -> None:
    status = copy.deepcopy(READY)
    status["routers"]["r1"]["refused"] = 4
    assert list(readiness.missing(PLAN, status)) == []
    status["routers"]["r1"]["pending"] = 2
    told = "2 table entries of r1 are not written yet, 4 writes were refused"
    assert list(readiness.missing(PLAN, status)) == [told]


async def test_what_never_comes_is_told_with_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0.1)

    async def probe() -> str | None:
        return "still warming up"

    with pytest.raises(NotReadyError, match="the kettle: still warming up"):
        await readiness.until("the kettle", probe, lambda: None)


async def test_a_process_that_has_ended_ends_the_wait() -> None:
    async def probe() -> str | None:
        return "not yet"

    def check() -> None:
        raise ChildProcessError("it ended")

    with pytest.raises(ChildProcessError, match="it ended"):
        await readiness.until("it", probe, check)


async def test_a_controller_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0.1)
    with pytest.raises(NotReadyError, match="the controller doesn't answer"):
        await readiness.network_programmed(PLAN, tmp_path / "none.sock", lambda: None)
