from ipaddress import IPv4Address, IPv4Network

import pytest

from bench import packets, routing
from bench.routing import Routes, routing_fault


def test_each_frame_has_a_destination_of_its_own() -> None:
    frames = routing.workload().frames
    assert {len(frame) for frame in frames} == {routing.FRAME_BYTES}
    assert len({packets.ipv4_of(frame).dst for frame in frames}) > 0.99 * (routing.HOSTS + routing.PREFIXES)
    assert packets.checksum_fault(frames[-1]) is None


def test_there_is_an_entry_for_each_host_and_prefix() -> None:
    lengths = [prefix.prefixlen for prefix in routing.routes().next_hops]
    assert (lengths.count(32), len(lengths)) == (routing.HOSTS, routing.HOSTS + routing.PREFIXES)
    assert set(lengths) == {*routing.LENGTHS, 32}


@pytest.mark.parametrize(
    ("destination", "hop"), [("10.1.2.3", 3), ("10.1.2.4", 2), ("10.1.3.1", 1), ("10.2.0.1", None)]
)
def test_the_longest_prefix_wins(destination: str, hop: int | None) -> None:
    prefixes = ("10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32")
    routes = Routes({IPv4Network(prefix): number for number, prefix in enumerate(prefixes, 1)})
    assert routes.next_hop(IPv4Address(destination)) == hop


def test_a_frame_that_was_not_routed_is_told() -> None:
    frame = routing.workload().frames[0]
    fault = routing_fault(frame, frame)
    assert fault is not None
    assert fault.startswith(f"to {packets.ipv4_of(frame).dst}: ")
