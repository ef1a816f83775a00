"""Shortest paths of small graphs, worked out by hand."""

from __future__ import annotations

import pytest

from control.network import Network, NextHop, Path
from tests.control.example import CATALOGUE, catalogue

TO_R2 = (
    NextHop(1, "02:00:00:00:02:00", edge=False, mtu=1500),
    NextHop(2, "02:00:00:00:02:00", edge=False, mtu=1500),
)


def test_equal_ways_are_all_taken() -> None:
    path = Network(catalogue()).path_to_host("r1", "far")
    assert path == Path(delay_ms=11.0, cost=2.0, next_hops=TO_R2, mtu=1500)


def test_a_host_on_the_router_is_one_edge_away() -> None:
    path = Network(catalogue()).path_to_host("r1", "near")
    assert path == Path(1.0, 0.0, (NextHop(4, "02:01:00:00:00:02", edge=True, mtu=1500),), 1500)


def test_the_shorter_way_wins() -> None:
    text = CATALOGUE.replace("port: 2}, delay_ms: 10", "port: 2}, delay_ms: 9.9")
    path = Network(catalogue(text)).path_to_router("r1", "r2")
    assert path is not None
    assert path.delay_ms == pytest.approx(9.9)
    assert path.next_hops == TO_R2[1:]


def test_links_without_delay_make_no_loop() -> None:
    text = CATALOGUE.replace("delay_ms: 10", "delay_ms: 0").replace(
        "links:",
        "  r3: {device_id: 3, address: '127.0.0.1:3', mac: '02:00:00:00:03:00'}\n"
        "links:\n"
        "  - {a: {router: r1, port: 9}, b: {router: r3, port: 1}}\n"
        "  - {a: {router: r2, port: 9}, b: {router: r3, port: 2}}",
    )
    network = Network(catalogue(text))
    assert [hop.port for hop in network.path_to_router("r1", "r2").next_hops] == [1, 2]  # type: ignore[union-attr]
    assert [hop.port for hop in network.path_to_router("r3", "r2").next_hops] == [2]  # type: ignore[union-attr]


def test_what_cannot_be_reached_has_no_path() -> None:
    lines = [line for line in CATALOGUE.splitlines() if not line.startswith(("links", "  - {a:"))]
    network = Network(catalogue("\n".join(lines)))
    assert network.path_to_host("r1", "far") is None
    assert network.path_to_router("r1", "r2") is None
    assert network.path_to_router("r1", "r1") == Path(0.0, 0.0, (), 65_535)


def test_every_port_has_its_station() -> None:
    assert {hop.port: hop.edge for hop in Network(catalogue()).hops("r1")} == {
        1: False,
        2: False,
        3: True,
        4: True,
    }
