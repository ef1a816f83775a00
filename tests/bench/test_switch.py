import json
from functools import partial
from pathlib import Path

import pytest
import typer

from bench import pipeline, results
from bench.devices import DEVICES
from bench.switch import MEASUREMENTS, WORKLOADS, chosen, main


def test_devices_are_chosen_by_name() -> None:
    known = {device.name: device for device in DEVICES}
    assert chosen(known, None, "--device") == list(DEVICES)
    assert [device.name for device in chosen(known, ["kernel", "bare"], "--device")] == ["bare", "kernel"]


def test_an_unknown_device_is_told() -> None:
    known = {device.name: device for device in DEVICES}
    with pytest.raises(typer.BadParameter, match="tofino: not of embedded, bmv2, bare, kernel"):
        chosen(known, ["bare", "tofino"], "--device")


def test_each_workload_is_known_by_its_name() -> None:
    assert list(WORKLOADS) == [make().name for make in WORKLOADS.values()]


def test_the_command_writes_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = partial(pipeline.measure, functions=100, frame_count=128)
    monkeypatch.setitem(MEASUREMENTS, "pipeline", small)
    monkeypatch.setattr(results, "OUT", tmp_path)
    main(only=["pipeline"], rounds=2)
    written = json.loads((tmp_path / "switch.json").read_text())
    assert set(written) == {"ns_per_packet", "rounds", "machine"}
    assert set(written["ns_per_packet"]) == {"generated", "handwritten", "counting"}
    assert [len(taken) for taken in written["rounds"]["ns_per_packet"].values()] == [2, 2, 2]
