"""Replay and live clients against a real function server, in namespaces like a lab's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.utils import wrpcap

from topo import netns, plan, records, trace, veth
from topo.plan import Plan
from topo.records import Outcome, Record
from topo.veth import End

LAB = trace.LABS / "smallest.yaml"


@pytest.fixture
def the_plan() -> Plan:
    return plan.load(LAB)


@pytest.fixture
def client(the_plan: Plan, new_namespace: Callable[[], str]) -> Iterator[str]:
    """The lab's client, wired to a host that has the network's addresses and runs the function."""
    host, network = the_plan.clients[0], new_namespace()
    here = End(new_namespace(), host.interface, host.mac)
    there = End(network, "eth0", the_plan.routers["r1"].mac)
    veth.create(here, there)
    veth.raise_host(here, (host.ipv4, host.ipv6), the_plan.gateway)
    gateway = ip_address("10.9.9.9"), ip_address("fe80::9")
    veth.raise_host(there, ([the_plan.anycast[0]], [the_plan.anycast[1]]), gateway)  # type: ignore[arg-type]
    for address in ("169.254.1.1/32", "fe80::1/64"):
        subprocess.check_call(["ip", "-n", network, "addr", "add", address, "dev", "eth0", "nodad"])
    for way in (f"{host.ipv4[0]}/32", f"{host.ipv6[0]}/128"):
        subprocess.check_call(["ip", "-n", network, "route", "add", way, "dev", "eth0"])
    addresses = [option for address in the_plan.anycast for option in ("--listen", str(address))]
    command = [sys.executable, "-m", "cfn.cli", "serve", "cfn.functions.detect:detect", "--instance", "1"]
    with netns.entered(network):
        server = subprocess.Popen([*command, *addresses, "--drain", "0"], stdout=subprocess.PIPE)
    assert server.stdout
    assert server.stdout.readline().startswith(b"vision/detect as instance 1")
    yield here.namespace
    server.terminate()
    server.wait()
    server.stdout.close()


def _run(namespace: str, arguments: list[str], requests: int) -> list[Record]:
    """Run a generator until it has told of that many requests, then ask it to stop; all its records."""
    with netns.entered(namespace):
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
    assert process.stdout
    with process.stdout as lines:
        found = [Record.from_line(lines.readline()) for _ in range(requests)]
        process.send_signal(signal.SIGTERM)
        found += records.read(lines)
    assert process.wait() == 0
    return found


def test_a_replayed_request_is_matched_with_its_answer(the_plan: Plan, client: str, tmp_path: Path) -> None:
    pcap = tmp_path / "trace.pcap"
    frames = trace.make(the_plan, trace.Pattern(seconds=2, rate_per_s=40, ports=3))
    wrpcap(str(pcap), frames)
    arguments = ["topo.replay", str(pcap), "--client", "client", "--function", "vision/detect"]
    found = _run(client, arguments, requests=len(frames) + 10)  # so it starts again
    assert {(r.source, r.client, r.session, r.bound) for r in found} == {("replay", "client", None, False)}
    assert {r.outcome for r in found} == {Outcome.OK}
    assert {r.function for r in found} == {"vision/detect"}
    assert {r.family for r in found} == {4, 6}
    assert all(r.latency_ms is not None and 0 < r.latency_ms < 10_000 for r in found)


def test_a_replay_keeps_to_the_times_of_the_trace(the_plan: Plan, client: str, tmp_path: Path) -> None:
    pcap = tmp_path / "trace.pcap"
    frames = trace.make(the_plan, trace.Pattern(seconds=2, rate_per_s=30))
    wrpcap(str(pcap), frames)
    found = _run(client, ["topo.replay", str(pcap), "--client", "c"], requests=len(frames))
    sent = sorted(r.sent_s for r in found)[: len(frames)]
    due = [float(frame.time) for frame in frames]
    late = [there - here for there, here in zip(sent, due, strict=True)]
    assert min(late) >= late[0] - 0.05  # never early


def test_sessions_keep_to_their_number_and_singles_have_none(the_plan: Plan, client: str) -> None:
    networks = ["--ipv4", str(the_plan.anycast[0]), "--ipv6", str(the_plan.anycast[1])]
    load = ["--sessions", "4", "--requests", "3", "--think-ms", "20", "--singles-per-s", "20"]
    command = ["topo.clients", "--client", "client", *networks, "--function", "vision/detect", *load]
    found = _run(client, command, requests=120)
    assert {r.outcome for r in found} == {Outcome.OK}
    assert {r.family for r in found} == {4, 6}
    sources = Counter(r.source for r in found)
    assert sources["single"] > 0 < sources["session"]
    assert all((r.session is None) == (r.source == "single") for r in found)
    lengths = Counter(r.session for r in found if r.session is not None)
    assert max(lengths.values()) == 3
    assert len(lengths) > 4


def test_requests_that_nobody_answers_are_lost(the_plan: Plan, new_namespace: Callable[[], str]) -> None:
    host = the_plan.clients[0]
    here, there = End(new_namespace(), "eth0", host.mac), End(new_namespace(), "eth0")
    veth.create(here, there)
    veth.raise_port(there)
    veth.raise_host(here, (host.ipv4, host.ipv6), the_plan.gateway)
    networks = ["--ipv4", str(the_plan.anycast[0]), "--ipv6", str(the_plan.anycast[1])]
    load = ["--sessions", "1", "--think-ms", "10", "--timeout-s", "0.2"]
    command = ["topo.clients", "--client", "c", *networks, "--function", "vision/detect", *load]
    began = time.time()
    found = _run(here.namespace, command, requests=2)
    assert {(r.outcome, r.latency_ms, r.site) for r in found} == {(Outcome.LOST, None, None)}
    assert found[1].sent_s - began > 0.2
