from __future__ import annotations

import shutil
import subprocess

import pytest

from topo import graph, plan, trace
from topo.impairment import Impairment
from topo.plan import Plan


@pytest.fixture(scope="module")
def demo() -> Plan:
    return plan.load(trace.LABS / "demo.yaml")


def test_kinds(demo: Plan) -> None:
    kinds = dict(graph.build(demo).nodes(data="kind"))
    assert kinds["r1"] == "router"
    assert kinds["client1"] == "client"
    assert kinds["near"] == "site"
    assert kinds["controller"] == "controller"


def test_the_near_site_is_near(demo: Plan) -> None:
    distances = graph.distances_ms(demo)["client1"]
    assert distances == {"near": 1.5, "far": 5.5, "cloud": 15.5}


def test_the_text_has_each_host_and_port(demo: Plan) -> None:
    text = graph.to_text(demo)
    for host in demo.hosts.values():
        assert host.name in text
        assert str(host.ipv4[0]) in text
    assert text.count("─ ") == sum(len(router.ports) for router in demo.routers.values())


def test_graphviz_accepts_the_drawing(demo: Plan) -> None:
    text = graph.to_dot(demo)
    assert text.count(" -- ") == len(demo.links) + len(demo.hosts)
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_describe() -> None:
    line = Impairment(delay_ms=2, jitter_ms=0.5, loss=0.01, rate_mbps=10)
    assert graph.describe(line) == "2 ± 0.5 ms, 10 Mbps, 1 % loss"
    assert not graph.describe(Impairment())
