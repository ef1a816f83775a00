"""Ports without an interface, mixed with the others there are; nothing here needs any privilege."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch.api import Action, Bucket, Group, Match, Replica
from switch.dataplane import Dataplane, PortStats
from tests.switch.harness import captured, program, running
from tests.switch.orders import CLONE, FORWARD, MULTICAST, ORDER, PAYLOAD, TO_CPU, order

CPU_PORT = 510
QUEUE = 1 << 22


class Sent:
    """What the ports without an interface of a switch sent."""

    def __init__(self, switch: Dataplane) -> None:
        self._switch = switch
        self._frames: list[tuple[int, bytes]] = []
        switch.on_frame(self._take)

    def _take(self, port: int, frame: bytes) -> bool:
        self._frames.append((port, frame))
        return True

    def ports(self) -> list[int]:
        """The ports that sent something since the last look; each frame has the payload."""
        self._switch.poll_events()
        frames, self._frames = self._frames, []
        assert all(frame[ORDER.size :] == PAYLOAD for _, frame in frames)
        return [port for port, _ in frames]


@pytest.fixture
def switch() -> Iterator[Dataplane]:
    with running("copies", CPU_PORT) as dataplane:
        for port in (1, 2, 3):
            dataplane.add_rim_port(port, f"rim{port}")
        yield dataplane


@pytest.fixture
def sent(switch: Dataplane) -> Sent:
    return Sent(switch)


def stats(switch: Dataplane, port: int) -> PortStats:
    return switch.port_stats()[port]


def test_a_packet_comes_in_on_one_port_and_leaves_on_another(switch: Dataplane, sent: Sent) -> None:
    switch.receive(3, order(FORWARD))
    assert sent.ports() == [1]
    length = len(order(FORWARD))
    assert stats(switch, 3) == PortStats("rim3", True, 1, length, 0, 0, 0, 0, 0)
    assert stats(switch, 1) == PortStats("rim1", True, 0, 0, 0, 0, 1, length, 0)


def test_copies_leave_on_their_ports(switch: Dataplane, sent: Sent) -> None:
    switch.multicast_set(7, [Replica(2), Replica(3), Replica(2, 1)])
    switch.clone_session_set(5, [Replica(2)])
    switch.receive(3, order(MULTICAST))
    assert sorted(sent.ports()) == [2, 2, 3]
    switch.receive(3, order(CLONE))
    assert sorted(sent.ports()) == [1, 2]


def test_the_cpu_port_is_reached_and_reaches(switch: Dataplane, sent: Sent) -> None:
    told: list[bytes] = []
    switch.on_packet_in(told.append)
    switch.receive(3, order(TO_CPU))
    assert sent.ports() == []
    assert [frame[ORDER.size :] for frame in told] == [PAYLOAD]
    switch.packet_out(order(FORWARD))
    assert sent.ports() == [1]


def test_packets_are_delivered_by_a_thread_of_the_switch(switch: Dataplane) -> None:
    came: list[bytes] = []
    switch.on_frame(lambda port, frame: came.append(frame) is None)
    switch.start()
    for number in range(1000):
        switch.receive(3, order(FORWARD, number.to_bytes(2, "big")))
    switch.stop()
    switch.poll_events()
    assert [int.from_bytes(frame[ORDER.size :], "big") for frame in came] == list(range(1000))


def test_a_listener_that_fails_gets_the_next_packet(switch: Dataplane) -> None:
    came: list[int] = []

    def listen(port: int, frame: bytes) -> bool:
        came.append(port)
        raise RuntimeError("listener")

    switch.on_frame(listen)
    switch.receive(3, order(FORWARD))
    switch.receive(3, order(FORWARD))
    assert switch.poll_events() == 2
    assert came == [1, 1]
    assert stats(switch, 1).tx_dropped == 2


def test_a_port_that_is_down_passes_nothing_either_way(switch: Dataplane, sent: Sent) -> None:
    switch.set_port_up(1, False)
    switch.receive(3, order(FORWARD))
    switch.receive(1, order(FORWARD))
    assert sent.ports() == []
    down = stats(switch, 1)
    assert (down.up, down.tx_packets, down.tx_dropped) == (False, 0, 1)
    assert (down.rx_packets, down.rx_dropped) == (0, 1)
    switch.set_port_up(1, True)
    switch.receive(3, order(FORWARD))
    assert sent.ports() == [1]


def test_a_group_watches_a_port_without_an_interface() -> None:
    with running("selector") as switch:
        switch.add_rim_port(4, "rim4")
        members = [switch.member_add("I.shared", Action("I.set", (result,))) for result in (0xA, 0xB)]
        buckets = [Bucket(members[0], watch_port=4), Bucket(members[1])]
        switch.table_insert("I.chosen", [Match(1)], 0, Group(switch.group_add("I.shared", buckets)))

        def results() -> set[int]:
            packets = [struct.pack("!BBIH", 1, 1, flow, 0) for flow in range(64)]
            return {switch.inject(1, packet)[0][1][7] for packet in packets}

        assert results() == {0xA, 0xB}
        switch.set_port_up(4, False)
        assert results() == {0xB}
        switch.set_port_up(4, True)
        assert results() == {0xA, 0xB}


def test_what_nobody_takes_is_dropped_and_counted(switch: Dataplane) -> None:
    big = bytes(60_000)
    for _ in range(100):
        switch.receive(3, order(FORWARD, big))
    out = stats(switch, 1)
    assert out.tx_packets + out.tx_dropped == 100
    assert out.tx_packets == QUEUE // (len(order(FORWARD, big)) + 16)
    assert switch.ended()["lost_messages"] == 0
    assert switch.poll_events() == out.tx_packets
    assert stats(switch, 1).tx_dropped == 100


def test_a_packet_that_could_not_be_delivered_counts_as_dropped(switch: Dataplane) -> None:
    switch.on_frame(lambda port, frame: False)
    switch.receive(3, order(FORWARD))
    switch.poll_events()
    out = stats(switch, 1)
    assert (out.tx_packets, out.tx_bytes, out.tx_dropped) == (0, 0, 1)


def test_packets_longer_than_any_frame_are_unsupported(switch: Dataplane, sent: Sent) -> None:
    switch.receive(3, bytes(1 << 16))
    switch.receive(3, bytes((1 << 16) + 1))
    assert stats(switch, 3).rx_unsupported == 1


def test_ports_come_and_go(switch: Dataplane, sent: Sent) -> None:
    with pytest.raises(OSError, match="port 1 exists already: rim1"):
        switch.add_rim_port(1, "again")
    with pytest.raises(OSError, match="port 511 on drop"):
        switch.add_rim_port(511, "drop")
    switch.remove_port(1)
    switch.receive(3, order(FORWARD))
    assert sent.ports() == []
    assert switch.ended()["lost_without_port"] == 1
    with pytest.raises(OSError, match="port 1"):
        switch.receive(1, order(FORWARD))
    switch.add_rim_port(1, "back")
    switch.receive(3, order(FORWARD))
    assert sent.ports() == [1]


def test_a_port_sends_to_a_file(switch: Dataplane, tmp_path: Path) -> None:
    switch.remove_port(1)
    switch.add_rim_port(1, "file", tmp_path / "out.pcap")
    for payload in (b"first", b"second"):
        switch.receive(3, order(FORWARD, payload))
    assert stats(switch, 1).tx_packets == 2
    switch.flush()
    assert [frame[ORDER.size :] for frame in captured(tmp_path / "out.pcap")] == [b"first", b"second"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_file_that_cannot_be_written_is_told(switch: Dataplane, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="port 4 on file: No such file"):
        switch.add_rim_port(4, "file", tmp_path / "missing" / "out.pcap")
    switch.remove_port(1)
    switch.add_rim_port(1, "file", Path("/dev/full"))
    switch.receive(3, order(FORWARD))
    with pytest.raises(OSError, match="a port's pcap file"):
        switch.flush()


def test_captures_are_written_for_ports_without_an_interface(tmp_path: Path) -> None:
    switch = Dataplane(program("copies"), pcap_dir=tmp_path)
    for port in (1, 3):
        switch.add_rim_port(port, f"port{port}")
    switch.receive(3, order(FORWARD))
    switch.flush()
    kept = {path.name: captured(path) for path in tmp_path.iterdir()}
    switch.close()
    assert {name: len(packets) for name, packets in kept.items()} == {
        "port1_in.pcap": 0, "port1_out.pcap": 1, "port3_in.pcap": 1, "port3_out.pcap": 0,
    }  # fmt: skip
    assert kept["port3_in.pcap"][0] == order(FORWARD)
