"""Packets between real network interfaces: sent, received, counted, captured; interfaces that go and come."""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from switch.api import Action, Bucket, Group, Match
from switch.dataplane import Dataplane
from tests.switch.harness import program
from tests.switch.netns import hosts, ip, make_link, needs_root

pytestmark = [pytest.mark.netns, needs_root]

WAIT_S = 20
ETH_P_ALL = 3
CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_AUXDATA = 263, 8


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, "did not come to hold"
        time.sleep(0.01)


def setns(descriptor: int) -> None:
    """os.setns() of Python 3.12, for this thread and network namespaces only."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """A packet socket on a host's interface."""

    def __init__(self, namespace: str) -> None:
        with open(f"/run/netns/{namespace}", "rb") as there, open("/proc/thread-self/ns/net", "rb") as here:
            setns(there.fileno())
            try:
                self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
                self.socket.bind(("eth0", ETH_P_ALL))
                self.socket.settimeout(WAIT_S)
            finally:
                setns(here.fileno())

    def close(self) -> None:
        self.socket.close()

    def send(self, frame: bytes) -> None:
        self.socket.send(frame)

    def receive(self, wanted: Callable[[bytes], bool]) -> bytes:
        """The next frame that is wanted: hosts also talk on their own account."""
        while True:
            frame = self.socket.recv(1 << 16)
            if wanted(frame):
                return frame


Pair = list[tuple[str, str]]
Ends = tuple[Host, Host]


@pytest.fixture
def pair() -> Iterator[list[tuple[str, str]]]:
    with hosts(2) as made:
        yield made


@pytest.fixture
def ends(pair: list[tuple[str, str]]) -> Iterator[tuple[Host, Host]]:
    one, two = (Host(namespace) for _, namespace in pair)
    yield one, two
    one.close()
    two.close()


def keyed(key: int, flow: int = 0) -> bytes:
    """A frame of the selector program: which table, key, flow, result."""
    return struct.pack("!BBIH", 1, key, flow, 0) + bytes(52)


@pytest.fixture
def switch(pair: Pair, tmp_path: Path) -> Iterator[Dataplane]:
    """The program sends everything to port 1."""
    dataplane = Dataplane(program("selector"), {1: pair[0][0], 2: pair[1][0]}, pcap_dir=tmp_path)
    dataplane.start()
    yield dataplane
    dataplane.close()


def marked(frame: bytes) -> bool:
    return frame[:2] == b"\x01\x01"


def test_frames_pass_and_are_counted(switch: Dataplane, ends: Ends) -> None:
    member = switch.member_add("I.shared", Action("I.set", (0x4242,)))
    group = switch.group_add("I.shared", [Bucket(member)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))
    one, two = ends
    before = switch.port_stats()
    for _ in range(5):
        two.send(keyed(1))
        assert one.receive(marked)[6:8] == b"\x42\x42"
    after = switch.port_stats()
    assert after[2].rx_packets >= before[2].rx_packets + 5
    assert after[1].tx_packets >= before[1].tx_packets + 5
    assert after[1].tx_bytes >= before[1].tx_bytes + 5 * 60


def test_frames_pass_between_interfaces_and_ports_without_one(switch: Dataplane, ends: Ends) -> None:
    one, two = ends
    switch.add_rim_port(3, "rim")
    switch.receive(3, keyed(1))
    assert marked(one.receive(marked))
    switch.remove_port(1)
    switch.add_rim_port(1, "rim")
    came: list[bytes] = []
    switch.on_frame(lambda _, frame: came.append(frame) is None)
    two.send(keyed(1, 0x1234))
    eventually(lambda: keyed(1, 0x1234)[:6] in [frame[:6] for frame in came])


def test_many_frames_arrive_in_order(switch: Dataplane, ends: Ends) -> None:
    one, two = ends
    for first in range(0, 3000, 100):
        for flow in range(first, first + 100):
            two.send(keyed(1, flow))
        got = [struct.unpack("!I", one.receive(marked)[2:6])[0] for _ in range(100)]
        assert got == list(range(first, first + 100))


def test_captures_hold_what_passed(switch: Dataplane, pair: Pair, ends: Ends, tmp_path: Path) -> None:
    one, two = ends
    two.send(keyed(1, 0xABCDEF01))
    one.receive(marked)
    needle = bytes.fromhex("0101abcdef01")
    for name in (f"{pair[1][0]}_in.pcap", f"{pair[0][0]}_out.pcap"):
        eventually(lambda name=name: needle in (tmp_path / name).read_bytes())
        assert (tmp_path / name).read_bytes()[:4] == struct.pack("<I", 0xA1B23C4D)


def test_a_host_that_leaves_checksums_to_its_interface_is_heard(
    switch: Dataplane, pair: Pair, ends: Ends
) -> None:
    namespace = pair[1][1]
    ip("-n", namespace, "addr", "add", "10.99.0.2/24", "dev", "eth0")
    ip("-n", namespace, "neigh", "add", "10.99.0.1", "lladdr", "01:01:00:00:00:01", "dev", "eth0")
    one, _ = ends
    script = "import socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'datagram', ('10.99.0.1', 9))"
    subprocess.run(["ip", "netns", "exec", namespace, sys.executable, "-c", script], check=True, timeout=30)
    frame = one.receive(lambda f: marked(f) and f[12:14] == b"\x08\x00" and f[23] == 17)
    datagram = frame[34:]
    pseudo = frame[26:34] + struct.pack("!BBH", 0, 17, len(datagram))
    total = sum(struct.unpack(f"!{(len(pseudo) + len(datagram)) // 2}H", pseudo + datagram))
    assert (total & 0xFFFF) + (total >> 16) in (0xFFFF, 0x1FFFE)


def test_a_vlan_tag_that_the_kernel_took_off_is_back(switch: Dataplane, ends: Ends) -> None:
    one, two = ends
    # The receiving host's kernel takes it off too; what it says of it is in the auxiliary data (packet(7)).
    one.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    two.send(b"\x01\x01" + bytes(10) + struct.pack("!HHH", 0x8100, 77, 0x0800) + bytes(50))
    frame = b""
    while not marked(frame):
        frame, ancillary, _, _ = one.socket.recvmsg(1 << 16, 256)
    assert frame[12:14] == b"\x08\x00"
    assert struct.unpack("=IIIHHHH", ancillary[0][2][:20])[5] == 77


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def test_an_idle_switch_burns_no_processor(switch: Dataplane) -> None:
    eventually(lambda: switch.port_stats()[1].up)
    begin = cpu_seconds()
    time.sleep(1)
    assert cpu_seconds() - begin < 0.2


def test_an_interface_goes_down_and_up(switch: Dataplane, pair: Pair, ends: Ends) -> None:
    one, two = ends
    ip("link", "set", pair[1][0], "down")
    eventually(lambda: not switch.port_stats()[2].up)
    begin = cpu_seconds()
    time.sleep(0.5)
    assert cpu_seconds() - begin < 0.2
    ip("link", "set", pair[1][0], "up")
    eventually(lambda: switch.port_stats()[2].up)
    two.send(keyed(1, 5))
    assert one.receive(marked)[5] == 5


def test_an_interface_vanishes_and_comes_back(switch: Dataplane, pair: Pair, ends: Ends) -> None:
    interface, namespace = pair[1]
    ip("link", "del", interface)
    eventually(lambda: not switch.port_stats()[2].up)
    begin = cpu_seconds()
    time.sleep(0.5)
    assert cpu_seconds() - begin < 0.2
    make_link(interface, namespace)
    eventually(lambda: switch.port_stats()[2].up)
    with contextlib.closing(Host(namespace)) as two:
        two.send(keyed(1, 7))
        assert ends[0].receive(marked)[5] == 7


def test_a_watched_port_that_goes_down_gives_its_flows_away(switch: Dataplane, pair: Pair) -> None:
    members = [switch.member_add("I.shared", Action("I.set", (result,))) for result in (1, 2)]
    group = switch.group_add("I.shared", [Bucket(members[0], watch_port=2), Bucket(members[1], watch_port=1)])
    switch.table_insert("I.chosen", [Match(1)], 0, Group(group))

    def results() -> set[int]:
        return {switch.inject(3, keyed(1, flow))[0][1][7] for flow in range(64)}

    eventually(lambda: results() == {1, 2})
    ip("link", "set", pair[1][0], "down")
    eventually(lambda: results() == {2})
    ip("link", "set", pair[0][0], "down")
    eventually(lambda: results() == {0})
    ip("link", "set", pair[1][0], "up")
    eventually(lambda: results() == {1})
    ip("link", "set", pair[0][0], "up")
    eventually(lambda: results() == {1, 2})


def test_ports_are_added_and_removed_while_packets_run(switch: Dataplane, pair: Pair, ends: Ends) -> None:
    one, two = ends
    switch.remove_port(2)
    assert list(switch.port_stats()) == [1]
    switch.add_port(7, pair[1][0])
    two.send(keyed(1, 9))
    assert one.receive(marked)[5] == 9
    with pytest.raises(OSError, match="exists"):
        switch.add_port(7, pair[0][0])
    with pytest.raises(OSError, match="no_such"):
        switch.add_port(8, "no_such")


def test_control_is_heard_through_a_flood(switch: Dataplane, pair: Pair) -> None:
    script = textwrap.dedent("""
        import socket
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
        print("ready", flush=True)
        while True: s.send(b"\\x01\\x01" + bytes(58))
    """)
    command = ["ip", "netns", "exec", pair[1][1], sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:
        try:
            assert flood.stdout is not None
            flood.stdout.readline()
            start = switch.port_stats()[2].rx_packets
            begin = time.monotonic()
            for result in range(1000):
                member = switch.member_add("I.shared", Action("I.set", (result,)))
                switch.member_delete("I.shared", member)
            assert time.monotonic() - begin < WAIT_S
            eventually(lambda: switch.port_stats()[2].rx_packets > start)
        finally:
            flood.kill()
