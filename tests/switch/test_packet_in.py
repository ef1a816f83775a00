"""Ports over a nanomsg socket, with a far end like PTF's platform `nn`; the switch run by nobody."""

import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pynng
import pytest

from switch.api import Replica
from switch.dataplane import Dataplane
from switch.device import Device
from switch.packet_in import Info, InfoStatus, Kind, PacketIn, Status
from tests.switch.harness import PROGRAMS, program
from tests.switch.netns import hosts, needs_root
from tests.switch.orders import FORWARD, MULTICAST, ORDER, TO_CPU, order
from tests.switch.test_interfaces import Host

ROOT = Path(__file__).parents[2]
NOBODY = 65534
CPU_PORT = 510
WAIT_MS = 20_000


class FarEnd:
    """What PTF does, message by message."""

    def __init__(self, address: str) -> None:
        self.socket = pynng.Pair0(
            dial=address, recv_timeout=WAIT_MS, send_timeout=WAIT_MS, recv_buffer_size=4096
        )

    def tell(self, kind: int, port: int, more: int = 0, packet: bytes = b"") -> None:
        self.socket.send(struct.pack("<iii", kind, port, more) + packet)

    def add(self, *ports: int) -> None:
        for port in ports:
            self.tell(Kind.PORT_ADD, port)

    def send(self, port: int, packet: bytes) -> None:
        self.tell(Kind.PACKET_IN, port, len(packet), packet)

    def receive(self) -> tuple[int, bytes]:
        """Port and payload of the next packet."""
        message = self.socket.recv()
        kind, port, length = struct.unpack_from("<iii", message)
        assert (kind, length) == (Kind.PACKET_OUT, len(message) - 12)
        return port, message[12 + ORDER.size :]

    def ask(self, port: int, what: int) -> tuple[int, ...]:
        """The answer behind its header. All that was told before has been handled when it comes."""
        self.tell(Kind.INFO_REQUEST, port, what)
        answer = self.socket.recv()
        assert struct.unpack_from("<iii", answer) == (Kind.INFO_REPLY, port, what)
        return struct.unpack(f"<{(len(answer) - 12) // 4}i", answer[12:])

    def settle(self) -> None:
        self.ask(1, Info.HARDWARE_ADDRESS)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/packets.ipc"


@contextmanager
def serving(address: str, ports: dict[int, str] | None = None, pcap: Path | None = None) -> Iterator[Device]:
    device = Device(ports or {}, CPU_PORT, pcap)
    try:
        with PacketIn(device, address):
            yield device
    finally:
        device.close()


@pytest.fixture
def device(address: str) -> Iterator[Device]:
    with serving(address) as device:
        yield device


@pytest.fixture
def pipeline(device: Device) -> Dataplane:
    return run(device, "copies")


@pytest.fixture
def far(pipeline: Dataplane, address: str) -> Iterator[FarEnd]:
    far = FarEnd(address)
    yield far
    far.socket.close()


def run(device: Device, name: str) -> Dataplane:
    pipeline = device.build(program(name))
    device.run(pipeline)
    return pipeline


def test_packets_come_in_and_go_out(far: FarEnd) -> None:
    far.add(1, 2)
    far.send(2, order(FORWARD, b"first"))
    assert far.receive() == (1, b"first")
    far.send(1, order(FORWARD, b"second"))
    assert far.receive() == (1, b"second")


def test_many_packets_arrive_in_order(far: FarEnd) -> None:
    far.add(1, 2)
    for first in range(0, 5000, 500):
        for number in range(first, first + 500):
            far.send(2, order(FORWARD, number.to_bytes(4, "big")))
        got = [int.from_bytes(far.receive()[1], "big") for _ in range(500)]
        assert got == list(range(first, first + 500))


def test_copies_and_the_controllers_packets_leave_there(far: FarEnd, pipeline: Dataplane) -> None:
    told: list[bytes] = []
    pipeline.on_packet_in(told.append)
    pipeline.multicast_set(7, [Replica(3), Replica(1)])
    far.add(1, 2, 3)
    far.send(2, order(MULTICAST))
    assert {far.receive()[0], far.receive()[0]} == {1, 3}
    pipeline.packet_out(order(FORWARD, b"out"))
    assert far.receive() == (1, b"out")
    far.send(2, order(TO_CPU, b"in"))
    far.settle()
    pipeline.stop()
    pipeline.poll_events()
    assert [packet[ORDER.size :] for packet in told] == [b"in"]


def test_counters_are_told(far: FarEnd, device: Device) -> None:
    far.add(1, 2)
    for _ in range(3):
        far.send(2, order(FORWARD))
        far.receive()
    assert far.ask(2, Info.COUNTERS) == (InfoStatus.SUCCESS, 3, 0)
    assert far.ask(1, Info.COUNTERS) == (InfoStatus.SUCCESS, 0, 3)
    assert far.ask(7, Info.COUNTERS) == (InfoStatus.NOT_SUPPORTED,)
    assert far.ask(1, Info.HARDWARE_ADDRESS) == (InfoStatus.NOT_SUPPORTED,)
    assert far.ask(1, 99) == (InfoStatus.NOT_SUPPORTED,)
    assert device.port_stats()[2].interface == "port2"


def test_a_port_goes_down_and_up(far: FarEnd, device: Device) -> None:
    far.add(1, 2)
    far.tell(Kind.PORT_SET_STATUS, 1, Status.DOWN)
    far.send(2, order(FORWARD, b"lost"))
    far.tell(Kind.PORT_SET_STATUS, 1, Status.UP)
    far.send(2, order(FORWARD, b"seen"))
    assert far.receive() == (1, b"seen")
    assert device.port_stats()[1].tx_dropped == 1
    far.tell(Kind.PORT_SET_STATUS, 1, Status.DOWN)
    far.add(1)
    far.send(2, order(FORWARD, b"again"))
    assert far.receive() == (1, b"again")


def test_a_removed_port_is_gone_until_it_is_added_again(far: FarEnd, pipeline: Dataplane) -> None:
    far.add(1, 2)
    far.tell(Kind.PORT_REMOVE, 1)
    far.send(2, order(FORWARD, b"lost"))
    far.add(1)
    far.send(2, order(FORWARD, b"seen"))
    assert far.receive() == (1, b"seen")
    assert pipeline.ended()["lost_without_port"] == 1


WRONG = {
    "too short": (b"\0" * 11, "a message of 11 bytes"),
    "length": (struct.pack("<iii", Kind.PACKET_IN, 1, 5) + b"1234", "port 1: 4 bytes of a packet of 5"),
    "unknown port": (struct.pack("<iii", Kind.PACKET_IN, 9, 0), "there is no port 9"),
    "unknown port removed": (struct.pack("<iii", Kind.PORT_REMOVE, 9, 0), "there is no port 9"),
    "unknown port down": (struct.pack("<iii", Kind.PORT_SET_STATUS, 9, 1), "there is no port 9"),
    "status": (struct.pack("<iii", Kind.PORT_SET_STATUS, 1, 2), "2 is not a valid Status"),
    "drop port": (struct.pack("<iii", Kind.PORT_ADD, 511, 0), "there can be no port 511"),
    "negative port": (struct.pack("<iii", Kind.PORT_ADD, -1, 0), "there can be no port -1"),
    "CPU port": (struct.pack("<iii", Kind.PORT_ADD, CPU_PORT, 0), "there can be no port 510"),
    "not ours": (struct.pack("<iii", Kind.PACKET_OUT, 1, 0), "a message of kind 4"),
    "unknown": (struct.pack("<iii", 77, 1, 0), "a message of kind 77"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_messages_are_told_and_change_nothing(
    name: str, far: FarEnd, caplog: pytest.LogCaptureFixture
) -> None:
    message, reason = WRONG[name]
    far.add(1)
    far.socket.send(message)
    far.send(1, order(FORWARD, b"after"))
    assert far.receive() == (1, b"after")
    assert reason in caplog.text


def test_ports_outlive_the_program(far: FarEnd, device: Device) -> None:
    far.add(1, 2, 3)
    far.tell(Kind.PORT_SET_STATUS, 3, Status.DOWN)
    far.settle()
    run(device, "copies")
    far.send(2, order(FORWARD, b"new"))
    assert far.receive() == (1, b"new")
    far.send(3, order(FORWARD, b"down"))
    far.settle()
    assert device.port_stats()[3].rx_dropped == 1


def test_no_packet_is_lost_while_programs_change(far: FarEnd, device: Device) -> None:
    far.add(1, 2)
    arriving = threading.Thread(
        target=lambda: [far.send(2, order(FORWARD, number.to_bytes(4, "big"))) for number in range(2000)]
    )
    arriving.start()
    for _ in range(3):
        run(device, "copies")
    got = [int.from_bytes(far.receive()[1], "big") for _ in range(2000)]
    arriving.join()
    assert got == list(range(2000))
    stats = device.port_stats()
    assert (stats[2].rx_packets, stats[1].tx_packets, stats[1].tx_dropped) == (2000, 2000, 0)


def test_ports_may_be_added_before_there_is_a_program(device: Device, address: str) -> None:
    far = FarEnd(address)
    far.add(1, 2)
    far.send(2, order(FORWARD, b"lost"))
    far.settle()
    run(device, "copies")
    far.send(2, order(FORWARD, b"seen"))
    assert far.receive() == (1, b"seen")
    far.socket.close()


def test_without_a_far_end_packets_are_dropped_until_one_comes(
    device: Device, pipeline: Dataplane, address: str
) -> None:
    first = FarEnd(address)
    first.add(1, 2)
    first.settle()
    first.socket.close()
    while not pipeline.port_stats()[1].tx_dropped:
        pipeline.packet_out(order(FORWARD, b"lost"))
    second = FarEnd(address)
    second.send(2, order(FORWARD, b"seen"))
    while (got := second.receive()) != (1, b"seen"):
        assert got == (1, b"lost")
    second.socket.close()


def test_a_far_end_that_takes_nothing_does_not_stop_the_switch(device: Device, far: FarEnd) -> None:
    far.add(1, 2)
    sent = 0
    while not device.port_stats().get(1) or not device.port_stats()[1].tx_dropped:
        far.send(2, order(FORWARD, bytes(50_000)))
        sent += 1
    device.close()


def test_packets_are_captured(address: str, tmp_path: Path) -> None:
    with serving(address, pcap=tmp_path) as device:
        run(device, "copies")
        far = FarEnd(address)
        far.add(1, 2)
        far.send(2, order(FORWARD, b"captured"))
        far.receive()
        device.flush()
        assert b"captured" in (tmp_path / "port2_in.pcap").read_bytes()
        assert b"captured" in (tmp_path / "port1_out.pcap").read_bytes()
        far.socket.close()


@pytest.mark.netns
@needs_root
def test_packets_pass_between_interfaces_and_the_far_end(address: str) -> None:
    with ExitStack() as stack:
        ((interface, namespace),) = stack.enter_context(hosts(1))
        device = stack.enter_context(serving(address, {1: interface}))
        pipeline = run(device, "copies")
        pipeline.multicast_set(7, [Replica(3)])
        far, host = FarEnd(address), Host(namespace)
        stack.callback(far.socket.close)
        stack.callback(host.close)
        far.add(3)
        far.send(3, order(FORWARD, bytes(50)))
        assert host.receive(lambda frame: frame[0] == FORWARD)[ORDER.size :] == bytes(50)
        host.send(order(MULTICAST, bytes(50)))
        assert far.receive() == (3, bytes(50))
        far.add(1)
        assert far.ask(1, Info.HARDWARE_ADDRESS) == (InfoStatus.NOT_SUPPORTED,)
        assert device.port_stats()[1].interface == interface


@pytest.mark.parametrize("place", ["ipc:///no/such/directory/socket", "tcp://127.0.0.1:99999", "elsewhere"])
def test_an_address_where_nobody_can_listen_is_told(place: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "switch", "--no-p4", "--packet-in", place],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"switch: no packets on {place}: ")


@pytest.fixture
def unprivileged() -> Iterator[tuple[list[str], Path]]:
    """A command's prefix that makes nobody of root, if the tests run as root; and a directory of theirs."""
    place = Path("/tmp") / f"packet-in-{os.getpid()}"  # noqa: S108 (pytest's own directories are root's)
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        readable = [*prefix, sys.executable, "-c", "import switch, cffi"]
        if subprocess.run(readable, cwd=ROOT, capture_output=True, check=False).returncode:
            pytest.skip(f"nobody may not read {ROOT} or {sys.prefix}")
    place.mkdir()
    if prefix:
        os.chown(place, NOBODY, NOBODY)
    yield prefix, place
    shutil.rmtree(place)


def test_an_unprivileged_user_runs_it(unprivileged: tuple[list[str], Path]) -> None:
    drop, place = unprivileged
    address = f"ipc://{place}/packets.ipc"
    command = [*drop, sys.executable, "-m", "switch", "--packet-in", address]
    command += ["--grpc-server-addr", f"unix:{place}/p4runtime.sock", str(PROGRAMS / "copies.json")]
    switch = Popen(
        command,
        cwd=ROOT,
        stdout=DEVNULL,
        stderr=PIPE,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(place)},
    )
    try:
        assert switch.stderr
        said: list[str] = []
        for line in switch.stderr:
            said.append(line)
            if "P4Runtime on" in line:
                break
        else:
            raise AssertionError(said)
        far = FarEnd(address)
        far.add(1, 2)
        far.send(2, order(FORWARD, b"unprivileged"))
        assert far.receive() == (1, b"unprivileged")
        far.socket.close()
        switch.terminate()
        assert switch.wait(30) == 0
    finally:
        switch.kill()
        switch.communicate()
