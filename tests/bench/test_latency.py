import os
from pathlib import Path

import pytest

from bench import bed, ingress
from bench.devices import DEVICES, Bare
from bench.lane import ROLES, Lane
from bench.latency import Sounder, Turn, summary, table

_NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")


@pytest.mark.netns
@_NEEDS_ROOT
def test_every_packet_through_an_idle_device_is_timed(tmp_path: Path) -> None:
    workload, core = ingress.workload(), min(os.sched_getaffinity(0))
    with bed.laid(*ROLES) as laid:
        lane = Lane(laid, "bare")
        lane.lay()
        with Bare().forwarding(lane, workload, core, tmp_path):
            turn = Sounder(workload, core, tmp_path).turn(lane)
    assert turn.sent == len(turn.delays_us) > 0
    assert all(delay > 0 for delay in turn.delays_us)


def test_percentiles_are_of_all_turns() -> None:
    turns = [Turn(50, [float(number) for number in range(first, first + 50)]) for first in (1, 51)]
    assert summary(turns) == {"p50": 50.0, "p99": 99.0}


def test_where_nothing_came_through_there_is_no_number() -> None:
    assert summary([Turn(3, [])]) == {"p50": None, "p99": None}


def test_table_tells_what_was_lost() -> None:
    turns = {"embedded": [Turn(3, [1.0, 2.0])], "bare": [Turn(2, [4.0, 4.0])], "kernel": [Turn(1, [])]}
    shown = table(ingress.workload(), DEVICES, turns)
    assert list(shown.columns[1].cells) == ["1.0", "not installed", "4.0", "never"]
    assert list(shown.columns[4].cells) == ["1", "", "0", "1"]
    assert list(shown.columns[5].cells) == ["1.00", "", "0.25", ""]
