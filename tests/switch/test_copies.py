"""Clones, multicast, resubmit, recirculate, truncate, digests, the CPU port: everything that is not one in,
one out.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from switch.api import Digest, Replica
from switch.dataplane import Dataplane
from tests.switch.harness import one, running
from tests.switch.orders import ORDER, PAYLOAD, TO_CPU, order


@dataclass(frozen=True)
class Order:
    """The program's header as it came back."""

    what: int
    count: int
    mark: int
    type: int
    port: int
    length: int
    kept: int


@pytest.fixture
def switch() -> Iterator[Dataplane]:
    with running("copies", cpu_port=510) as dataplane:
        yield dataplane


def send(switch: Dataplane, what: int, count: int = 0, port: int = 3) -> list[tuple[int, Order]]:
    found: list[tuple[int, Order]] = []
    for out, data in switch.inject(port, order(what, count=count)):
        assert data[12:] == PAYLOAD
        found.append((out, Order(*ORDER.unpack(data[:12]))))
    return found


def test_drop(switch: Dataplane) -> None:
    assert send(switch, 0) == []
    assert send(switch, 13) == []
    assert switch.ended()["dropped_by_program"] == 2


def test_multicast_makes_a_copy_a_replica(switch: Dataplane) -> None:
    assert send(switch, 1) == []
    switch.multicast_set(7, [Replica(2, 20), Replica(4, 40), Replica(2, 21)])
    assert [(port, o.port, o.kept, o.type, o.mark) for port, o in send(switch, 1)] == [
        (2, 2, 20, 5, 1),
        (4, 4, 40, 5, 1),
        (2, 2, 21, 5, 1),
    ]
    switch.multicast_set(7, [])
    assert send(switch, 1) == []


def test_dropping_takes_back_multicast(switch: Dataplane) -> None:
    switch.multicast_set(7, [Replica(2)])
    assert send(switch, 12) == []


def test_ingress_clone_is_the_packet_as_it_came_with_the_fields_kept(switch: Dataplane) -> None:
    switch.clone_session_set(5, [Replica(4)])
    clone, original = send(switch, 2)
    assert (original[0], original[1].mark, original[1].type) == (1, 1, 0)
    assert (clone[0], clone[1].mark, clone[1].type, clone[1].kept) == (4, 0, 1, 0x1234)


def test_a_clone_session_may_cut_and_replicate(switch: Dataplane) -> None:
    switch.clone_session_set(5, [Replica(4), Replica(6)], truncate=13)
    out = switch.inject(3, order(2))
    assert [(port, len(data)) for port, data in out] == [(4, 13), (6, 13), (1, 19)]
    switch.clone_session_set(5, [])
    assert len(send(switch, 2)) == 1


def test_egress_clone_is_the_packet_as_it_leaves(switch: Dataplane) -> None:
    switch.clone_session_set(5, [Replica(4)])
    original, clone = send(switch, 9)
    assert (original[0], original[1].mark, original[1].port) == (1, 1, 1)
    assert (clone[0], clone[1].mark, clone[1].type, clone[1].kept, clone[1].port) == (4, 1, 2, 0x77, 4)


def test_resubmit_starts_over_with_the_packet_as_it_came(switch: Dataplane) -> None:
    ((port, order),) = send(switch, 3)
    assert (port, order.mark, order.kept) == (1, 1, 0xABCD)


def test_recirculate_starts_over_with_the_packet_as_it_left(switch: Dataplane) -> None:
    ((port, order),) = send(switch, 10, count=5)
    assert (port, order.count, order.mark) == (1, 0, 6)


def test_endless_copies_end_and_are_counted(switch: Dataplane) -> None:
    assert send(switch, 11) == []
    assert switch.ended()["lost_to_loop"] == 1
    assert send(switch, 10, count=255) == []
    assert switch.ended()["lost_to_loop"] == 2
    assert len(send(switch, 7)) == 1


@pytest.mark.parametrize(("cut", "length"), [(1, 1), (12, 12), (15, 15), (19, 19), (200, 19)])
def test_truncate(switch: Dataplane, cut: int, length: int) -> None:
    whole = one(switch.inject(3, order(7, count=cut)))
    got = one(switch.inject(3, order(4, count=cut)))
    assert len(got) == length
    assert got[1:] == whole[1:length]


def test_a_digest_carries_its_fields(switch: Dataplane) -> None:
    told: list[Digest] = []
    switch.on_digest(told.extend)
    send(switch, 5)
    send(switch, 5)
    switch.poll_events(1000)
    assert told == [Digest("news_t", (5, 0x112233445566, 1 << 100))] * 2


def test_the_cpu_port_is_a_port(switch: Dataplane) -> None:
    ((port, order),) = send(switch, 6)
    assert (port, order.port) == (510, 510)


def test_packet_out_and_in(switch: Dataplane) -> None:
    told: list[bytes] = []
    switch.on_packet_in(told.append)
    switch.packet_out(order(TO_CPU, count=1))
    switch.poll_events(1000)
    assert [data[:1] + data[12:] for data in told] == [b"\x06" + PAYLOAD]


def test_packets_to_nowhere_are_counted(switch: Dataplane) -> None:
    switch.packet_out(order(7, b"", 1))
    assert switch.ended()["lost_without_port"] == 1


def test_messages_reach_the_log(switch: Dataplane, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "switch.packet"):
        send(switch, 7, count=9)
        switch.poll_events(1000)
    assert "order 9 of 7" in caplog.text


def test_a_packet_for_which_an_assertion_fails_is_dropped_and_told(
    switch: Dataplane, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(send(switch, 8, count=1)) == 1
    with caplog.at_level(logging.INFO, "switch.packet"):
        assert send(switch, 8, count=0) == []
        switch.poll_events(1000)
    assert switch.ended()["lost_to_check"] == 1
    assert "does not hold" in caplog.text


def test_a_listener_that_fails_does_not_stop_the_next_message(
    switch: Dataplane, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[bytes] = []

    def listener(packet: bytes) -> None:
        told.append(packet)
        raise RuntimeError("listener")

    switch.on_packet_in(listener)
    for _ in range(2):
        switch.packet_out(order(TO_CPU, b"", 1))
    switch.poll_events(1000)
    assert len(told) == 2
    assert "a listener failed" in caplog.text


def test_packet_length_is_that_of_the_packet(switch: Dataplane) -> None:
    assert send(switch, 7)[0][1].length == 12 + len(PAYLOAD)
