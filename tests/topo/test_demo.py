"""The demo itself, its phases cut short, and what it says when a promise is broken."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from topo import demo, front, lock, netns
from topo.demo import Script
from topo.live import Moment, SiteRow, View

KEPT: dict[str, Any] = {"lost": 0, "torn_sessions": 0, "moved_ms": 300.0, "loaded_site": "near"}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, []),
        ({"lost": 2}, ["2 requests got neither a response nor a NACK"]),
        ({"torn_sessions": 1}, ["1 sessions left a living instance"]),
        ({"moved_ms": None}, ["the share of near never halved"]),
        ({"moved_ms": 1001.0}, ["it took 1001.0 ms from the advert to half the share"]),
    ],
)
def test_promises(change: dict[str, Any], broken: list[str]) -> None:
    assert demo.broken_promises({**KEPT, **change}) == broken


def test_the_phases_follow_the_warm_up() -> None:
    before, during, after = Script(warm_up_s=1, before_s=2, during_s=3, after_s=4).phases(100.0)
    assert (before.start_s, before.end_s) == (101, 103)
    assert (during.start_s, during.end_s) == (103, 106)
    assert (after.start_s, after.end_s) == (106, 110)


MOMENT = Moment(
    phase="overload",
    elapsed_s=12.0,
    total_s=60.0,
    sites=[
        SiteRow("near", weight=0.25, share=0.5, load=0.99, p50_ms=12.0, p99_ms=99.0),
        SiteRow("far", weight=0.75, share=0.5, load=0.1, p50_ms=None, p99_ms=None),
    ],
    requests=100,
    per_s=50.0,
    failed=1,
    lost=0,
)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_view_with_and_without_a_terminal(terminal: bool) -> None:
    out = io.StringIO()
    with View(Console(file=out, force_terminal=terminal, width=120)) as view:
        view.show(MOMENT)
    text = out.getvalue()
    for word in ("overload", "near", "far", "25%", "99"):
        assert word in text
    assert ("\x1b[" in text) == terminal


def _left() -> list[str]:
    return netns.names("cfn-demo-")


@pytest.fixture
def free_lab(root: None) -> None:
    if lock.is_held("demo"):
        pytest.skip("the lab demo is up already")


def test_a_short_demo(free_lab: None, tmp_path: Path) -> None:
    script = Script(warm_up_s=3, before_s=5, during_s=6, after_s=3)
    figures = demo.perform(Console(file=io.StringIO()), "embedded", tmp_path / "out", script)
    assert figures["lost"] == figures["torn_sessions"] == figures["nacks"] == 0
    assert set(figures["by_source"]) == {"replay", "session", "single"}
    assert set(figures["by_family"]) == {"ipv4", "ipv6"}
    assert figures["shares"]["during"]["near"] < figures["shares"]["before"]["near"]
    assert json.loads((tmp_path / "out" / "demo.json").read_text()) == figures
    assert (tmp_path / "out" / "demo.png").stat().st_size > 10_000
    assert _left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_takes_its_lab_down(number: int, free_lab: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "topo.demo", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout
        for line in process.stdout:
            if "warm-up" in line:
                process.send_signal(number)
        assert process.wait() == 130
    assert _left() == []
    assert list(tmp_path.iterdir()) == []


def test_a_demo_whose_lab_is_taken_down_says_so(free_lab: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "topo.demo", "--out", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout
        assert process.stderr
        while "warm-up" not in process.stdout.readline():
            assert process.poll() is None
        front.down("demo")
        _, errors = process.communicate()
    assert process.returncode == 2
    assert "demo: the lab demo was taken down meanwhile" in errors
    assert "Traceback" not in errors
    assert _left() == []
