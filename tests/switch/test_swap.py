"""Programs that take each other's place while packets run: every packet arrives or is counted."""

import contextlib
import itertools
import subprocess
import sys
import textwrap
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from switch.api import Action, Match
from switch.dataplane import Dataplane
from switch.device import Device
from tests.switch.harness import program
from tests.switch.netns import hosts, ip, needs_root

pytestmark = [pytest.mark.netns, needs_root]

TIMEOUT_S = 30
SWAPS = 25
RING_FRAMES = 4096  # more than a receive ring holds
ETHER_TYPE = 0x88B5  # IEEE 802 local experimental
# The same twice, but in different shared objects.
WIRES = (program("wire"), program("wire").replace(b"ethernet", b"frame"))

# Sends numbered frames, as fast as it is asked to, until it is told to stop; says how many.
SENDER = f"""
    import select, socket, struct, sys, time
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    gap = float(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    sent, start = 0, time.monotonic()
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _ in range(16):
            try:
                s.send(bytes(11) + b"\\x02" + struct.pack("!HI", {ETHER_TYPE}, sent) + bytes(50))
            except OSError:  # no room at the other end of the pair: not sent
                continue
            sent += 1
        time.sleep(max(0, start + sent * gap - time.monotonic()))
    print(sent)
"""


Pair = list[tuple[str, str]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two hosts that say nothing of their own accord."""
    with hosts(2) as made:
        for interface, namespace in made:
            for place, name in (([], interface), (["ip", "netns", "exec", namespace], "eth0")):
                sysctl = ["sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1"]
                subprocess.run([*place, *sysctl], check=True, timeout=30)
        yield made


@contextlib.contextmanager
def sending(namespace: str, gap_s: float) -> Generator[list[int]]:
    """A sender at work; afterwards the list has how many frames it sent."""
    command = ["ip", "netns", "exec", namespace, sys.executable, "-c", textwrap.dedent(SENDER), str(gap_s)]
    counts: list[int] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        try:
            assert sender.stdin is not None
            assert sender.stdout is not None
            assert sender.stdout.readline() == "ready\n"
            sender.stdin.write("\n")
            sender.stdin.flush()
            yield counts
            said, _ = sender.communicate("\n", timeout=TIMEOUT_S)
            counts.append(int(said))
        finally:
            sender.kill()


def counted(namespace: str, way: str) -> int:
    """Frames that a host received (RX) or sent (TX), by its kernel's count."""
    shown = ip("-n", namespace, "-s", "-o", "link", "show", "eth0")
    return int(shown.partition(f"{way}:")[2].partition("\\")[2].split()[1])


def received(namespace: str) -> int:
    return counted(namespace, "RX")


def overflowing(namespace: str) -> Iterator[int]:
    """Numbers from 0, until the host has sent more frames than a ring has room for."""
    start = counted(namespace, "TX")
    for number in itertools.count():
        yield number
        if number % 1000 == 0 and counted(namespace, "TX") - start > RING_FRAMES:
            return


def told(pipeline: Dataplane) -> tuple[int, int]:
    """What was received by port 1, and what any counter says was lost since."""
    ports, ended = pipeline.port_stats(), pipeline.ended()
    lost = ports[1].rx_dropped + ports[1].rx_unsupported + ports[2].tx_dropped + sum(ended.values())
    return ports[1].rx_packets, lost


def accounted(pipeline: Dataplane, namespace: str) -> tuple[int, int]:
    """Frames that arrived and frames counted as lost."""
    return received(namespace), told(pipeline)[1]


def settled(pipeline: Dataplane, namespace: str, least: int) -> tuple[int, int]:
    """What is accounted for once it is at least so many frames and grows no more."""
    end = time.monotonic() + TIMEOUT_S
    before = (-1, -1)
    while (now := accounted(pipeline, namespace)) != before or sum(now) < least:
        assert time.monotonic() < end, f"{now} of {least} are accounted for"
        before = now
        time.sleep(0.3)
    return now


@pytest.fixture
def device(pair: Pair) -> Iterator[Device]:
    device = Device({1: pair[0][0], 2: pair[1][0]})
    yield device
    device.close()


@pytest.mark.parametrize("gap_s", [5e-4, 0], ids=["paced", "flood"])
def test_every_frame_arrives_or_is_counted(pair: Pair, device: Device, gap_s: float) -> None:
    (_, source), (_, sink) = pair
    pipeline = device.build(WIRES[0])
    device.run(pipeline)
    arrived, lost = accounted(pipeline, sink)
    with sending(source, gap_s) as counts:
        for wire in itertools.islice(itertools.cycle(WIRES), 1, SWAPS + 1):
            pipeline = device.build(wire)
            device.run(pipeline)
    arrived_then, lost_then = settled(pipeline, sink, arrived + lost + counts[0])
    assert counts[0] > SWAPS
    assert (arrived_then - arrived) + (lost_then - lost) == counts[0]
    assert told(pipeline)[0] >= arrived_then - arrived
    if gap_s:
        assert lost_then == lost


def test_a_batch_of_many_entries_loses_no_frame_untold(pair: Pair, device: Device) -> None:
    """While the table grows, packets wait; what the ring has no room for is counted."""
    (_, source), (_, sink) = pair
    pipeline = device.build(WIRES[0])
    device.run(pipeline)
    arrived, lost = accounted(pipeline, sink)
    with sending(source, 0) as counts, pipeline.batch():
        for number in range(100_000):
            pipeline.table_insert("I.known", [Match(number)], 0, Action("NoAction"))
        for _ in overflowing(source):
            time.sleep(1e-5)
    arrived_then, lost_then = settled(pipeline, sink, arrived + lost + counts[0])
    assert lost_then > lost
    assert (arrived_then - arrived) + (lost_then - lost) == counts[0]


def test_what_was_counted_and_captured_goes_on(pair: Pair, tmp_path: Path) -> None:
    (_, source), (_, sink) = pair
    device = Device({1: pair[0][0], 2: pair[1][0]}, pcap_dir=tmp_path)
    try:
        pipelines = [device.build(wire) for wire in WIRES]
        sent = 0
        for pipeline in pipelines:
            device.run(pipeline)
            arrived, lost = accounted(pipeline, sink)
            with sending(source, 1e-3) as counts:
                time.sleep(0.2)
            settled(pipeline, sink, arrived + lost + counts[0])
            sent += counts[0]
            assert received(sink) - arrived == counts[0] > 0
            assert pipeline.port_stats()[1].rx_packets == sent
    finally:
        device.close()
    captured = (tmp_path / f"{pair[0][0]}_in.pcap").read_bytes()
    assert captured.count(bytes(11) + b"\x02" + ETHER_TYPE.to_bytes(2)) == sent


def test_a_program_built_otherwise_is_refused_and_the_other_runs_on(
    pair: Pair, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, source), (_, sink) = pair
    pipeline = device.build(WIRES[0])
    device.run(pipeline)
    monkeypatch.setenv("CFLAGS", "-O1 -DANOTHER_BUILD")
    other = device.build(WIRES[1])
    try:
        arrived, lost = accounted(pipeline, sink)
        with sending(source, 1e-3) as counts, pytest.raises(OSError, match="ports of the program that runs"):
            device.run(other)
        settled(pipeline, sink, arrived + lost + counts[0])
        assert received(sink) - arrived == counts[0]
        assert other.port_stats() == {}
    finally:
        device.discard(other)


def test_what_an_interface_held_when_it_vanished_is_counted(pair: Pair, device: Device) -> None:
    (interface, source), (_, sink) = pair
    pipeline = device.build(WIRES[0])
    device.run(pipeline)
    before, lost = told(pipeline)
    least = sum(accounted(pipeline, sink))
    with pipeline.batch():
        with sending(source, 0) as counts:
            for _ in overflowing(source):
                time.sleep(1e-5)
        ip("link", "del", interface)
    settled(pipeline, sink, least + counts[0])
    after, lost_then = told(pipeline)
    assert lost_then > lost
    assert (after - before) + (lost_then - lost) == counts[0]
