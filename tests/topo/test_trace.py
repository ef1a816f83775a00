"""The trace is the same every time, and fits the lab that it is made for."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import rdpcap, wrpcap

from cfn.names import func_id
from cfn.scapy_layer import CFN
from topo import plan, replay, trace
from topo.plan import Plan
from topo.replay import TraceError
from topo.trace import Pattern

DEMO = trace.LABS / "demo.yaml"


@pytest.fixture(scope="module")
def demo() -> Plan:
    return plan.load(DEMO)


@pytest.fixture(scope="module")
def pcap(demo: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trace") / "demo.pcap"
    wrpcap(str(path), trace.make(demo, Pattern()))
    return path


def test_the_committed_trace_is_what_the_lab_gives(pcap: Path) -> None:
    assert DEMO.with_suffix(".pcap").read_bytes() == pcap.read_bytes(), "run make trace"


def test_the_trace_has_both_functions_both_families_and_several_flows(pcap: Path, demo: Plan) -> None:
    packets = rdpcap(str(pcap))
    assert {p[CFN].func_id for p in packets} == {func_id("vision/detect"), func_id("video/render")}
    assert sum(IP in p for p in packets) > 100 < sum(IPv6 in p for p in packets)
    assert len({p[UDP].sport for p in packets}) == Pattern().ports
    assert [p[CFN].request_id for p in packets] == list(range(1, len(packets) + 1))
    assert all(p.dst == demo.routers["r1"].mac for p in packets)


def test_arrivals_have_the_rate_and_the_swing_that_was_asked_for() -> None:
    pattern = Pattern(seconds=400, rate_per_s=50, swing=0.8, period_s=400)
    times = list(trace.arrivals(pattern))
    assert times == sorted(times)
    assert len(times) == pytest.approx(400 * 50, rel=0.05)
    assert sum(t < 200 for t in times) > 2.5 * sum(t >= 200 for t in times)


def test_the_replay_reads_what_identifies_an_answer(pcap: Path, demo: Plan) -> None:
    shots = replay.load(pcap)
    client = demo.clients[0]
    addresses = {4: str(client.ipv4[0]), 6: str(client.ipv6[0])}
    assert shots[0].due_s == 0
    assert all(a.due_s <= b.due_s for a, b in itertools.pairwise(shots))
    assert all(shot.address == addresses[shot.family] for shot in shots)
    assert len({shot.key for shot in shots}) == len(shots)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (b"\x02" * 12 + b"\x08\x06" + bytes(28), "frame 1 is neither IPv4 nor IPv6"),
        (b"\x02" * 12 + b"\x08\x00" + b"\x45", "frame 1 is no CFN request"),
        (b"\x02" * 12 + b"\x08\x00\x45" + bytes(60), "frame 1 is no CFN request"),
    ],
)
def test_a_trace_of_something_else(frame: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    wrpcap(str(path), [frame], linktype=1)
    with pytest.raises(TraceError, match=complaint):
        replay.load(path)


def test_no_trace_at_all(tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    command = [sys.executable, "-m", "topo.replay", str(path), "--client", "c"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 1
    assert f"{path}: " in done.stderr
    assert "Traceback" not in done.stderr
