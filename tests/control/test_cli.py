"""`cfn controller`: as people call it, against a controller in a process of its own on real switches."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from cfn.proto import advert_pb2_grpc
from control import catalogue as catalogues
from control import status_socket
from tests.control.example import CATALOGUE, NEAR, instance, message
from tests.control.far_end import TARGETS, FarEnd, missing

CLI = [sys.executable, "-c", "from control.cli import app; app()"]
WAIT_S = 60.0


def cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *map(str, arguments)], capture_output=True, text=True, timeout=WAIT_S, check=False
    )


def test_check_says_what_is_in_a_good_catalogue(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CATALOGUE)
    done = cli("check", tmp_path / "c.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 routers, 2 links, 3 hosts, 2 sites, 2 services" in done.stdout


@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_bad_catalogue_is_told_line_by_line(tmp_path: Path, verb: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CATALOGUE.replace("price: 2", "price: -2").replace("demo: 7", "demo: x"))
    done = cli(verb, path)
    assert done.returncode == 1
    assert [line.split(": ", 1)[1] for line in done.stderr.splitlines()] == [
        "sites.near.price: must be ≥ 0",
        "tenants.demo: must be a valid integer",
    ]
    assert all(line.startswith(f"{path}:1") for line in done.stderr.splitlines())


def test_schema_is_the_published_one() -> None:
    assert cli("schema").stdout == catalogues.json_schema() + "\n"


@pytest.mark.parametrize("question", [("status",), ("explain", "vision/detect"), ("rotate-keys",)])
def test_without_a_controller_the_error_says_where_it_was_looked_for(
    tmp_path: Path, question: tuple[str, ...]
) -> None:
    done = cli(*question, "--status-socket", tmp_path / "none.sock")
    assert done.returncode == 1
    assert f"{tmp_path}/none.sock: no controller answers there" in done.stderr


def answer(path: Path, question: dict[str, object]) -> dict[str, object] | None:
    try:
        return status_socket.ask(path, question)
    except OSError:
        return None


def until_counted(sock: Path) -> dict[str, Any]:
    """The status once counters were read of what the advert brought: every half second at most."""
    end = time.monotonic() + WAIT_S
    while True:
        shown = json.loads(cli("status", "--json", "--status-socket", sock).stdout)
        bound = [one["bound"] for place in shown["services"] for one in place["members"]]
        if (bound and None not in bound and shown["reaction_ms"]["count"]) or time.monotonic() > end:
            return shown


@pytest.mark.parametrize("target", TARGETS)
def test_run_status_explain_rotate_and_stop(tmp_path: Path, target: str) -> None:
    reason = missing(target)
    if reason:
        pytest.skip(reason)
    switches = [FarEnd(target, number, tmp_path) for number in (1, 2)]
    text = CATALOGUE
    for number, switch in enumerate(switches, 1):
        text = text.replace(f"127.0.0.1:{number}", switch.address)
    (tmp_path / "c.yaml").write_text(text)
    sock, listen, log = tmp_path / "s.sock", f"unix:{tmp_path}/adverts", tmp_path / "events"
    arguments = ["run", tmp_path / "c.yaml", "--listen", listen, "--status-socket", sock, "--events", log]
    for switch in switches:
        switch.start()
    running = subprocess.Popen([*CLI, *map(str, arguments)])
    try:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end and running.poll() is None:
            status = answer(sock, {"ask": "status"})
            if status and all(
                r["up"] and r["entries"] and not r["pending"] for r in status["routers"].values()
            ):  # type: ignore[index]
                break
            time.sleep(0.05)
        with grpc.insecure_channel(listen) as channel:
            advert = message("near", 1, [instance(NEAR)])
            metadata = (("authorization", "Bearer near-token"),)
            assert (
                advert_pb2_grpc.AdvertsStub(channel).Advertise(advert, metadata=metadata, timeout=10).accepted
            )

        shown = until_counted(sock)
        near = shown["sites"]["near"]["advert"]
        assert near["sequence"] == 1
        assert near["received"] <= shown["time"] < near["expires"]
        assert (
            near["instances"][0] | {"load": 0, "queue": 0, "function": "vision/detect", "state": "UP"}
            == near["instances"][0]
        )
        place = next(
            p
            for p in shown["services"]
            if (p["router"], p["scope"], p["demand"], p["family"]) == ("r1", None, "any", 4)
        )
        assert (place["function"], place["state"], place["sites"]) == (
            "vision/detect",
            "steered",
            {"near": 1.0},
        )
        assert place["members"][0]["weight"] == 1
        assert place["members"][0]["bound"] == 0
        assert shown["routers"]["r1"]["outcomes"]["BOUND_NEW"] == 0
        assert shown["reaction_ms"]["count"] >= 1

        assert "near" in cli("status", "--status-socket", sock).stdout
        why = json.loads(
            cli("explain", "vision/detect", "--router", "r1", "--json", "--status-socket", sock).stdout
        )
        term = next(p for p in why if (p["demand"], p["family"]) == ("any", 4))["candidates"][0]
        assert (term["site"], term["delay_ms"], term["service_ms"], term["overloaded"]) == (
            "near",
            1.0,
            10.0,
            False,
        )
        assert "vision/detect at r1" in cli("explain", "vision/detect", "--status-socket", sock).stdout
        unknown = cli("explain", "no/such", "--status-socket", sock)
        assert (unknown.returncode, "nothing is steered" in unknown.stderr) == (1, True)

        epoch = shown["keys"]["sealing"]
        assert cli("rotate-keys", "--status-socket", sock).returncode == 0
        assert status_socket.ask(sock, {"ask": "status"})["keys"]["sealing"] == (epoch + 1) % 4
        with pytest.raises(ValueError, match="none of status"):
            status_socket.ask(sock, {"ask": "weather"})

        second = cli(*arguments)
        assert (second.returncode, "another controller listens there" in second.stderr) == (1, True)
        running.send_signal(signal.SIGTERM)
        assert running.wait(WAIT_S) == 0
        assert not sock.exists()
        told = [json.loads(line)["event"] for line in log.read_text().splitlines()]
        assert {
            "listening",
            "switch-up",
            "switch-read",
            "advert",
            "weights",
            "keys-rotated",
            "stopped",
        } <= set(told)
    finally:
        running.kill()
        running.wait()
        for switch in switches:
            switch.stop()
