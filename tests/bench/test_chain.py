"""The benchmark's lab and figures; the functions of its chain."""

from pathlib import Path

import pytest

from bench import chain, chain_lab, steps
from topo import plan, spec
from topo.cli import LABS


def test_the_lab_has_the_demo_s_network(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    chain_lab.write(path)
    lab, demo = spec.load(path), spec.load(LABS / "demo.yaml")
    assert lab == chain_lab.lab()
    assert (lab.routers, lab.links, lab.hosts) == (demo.routers, demo.links, demo.hosts)
    for name, site in plan.make(lab).sites.items():
        functions = [instance.function for instance in site.instances]
        assert functions[:4] == list(steps.CHAIN)
        assert (steps.DIGEST in functions) == (name == chain_lab.CHOSEN)
        assert site.data_agent


def test_each_function_of_the_chain_has_an_output_of_its_own() -> None:
    functions = (steps.one, steps.two, steps.three, steps.four)
    assert tuple(each.name for each in functions) == steps.CHAIN
    assert len({each(b"input") for each in functions}) == 4


def test_ratios_are_of_medians() -> None:
    chained = {"network": [1.0, 2.0, 99.0], "client": [8.0, 8.0, 1.0]}
    named = {
        "far, sent ahead": [3.0, 3.0, 50.0],
        "cloud, sent ahead": [5.0],
        "far, not sent ahead": [6.0],
        "cloud, not sent ahead": [9.0, 10.0, 11.0],
    }
    found = chain.figures(chained, named)
    assert found["ratio_network_to_client"] == pytest.approx(0.25)
    assert found["ratio_prefetch"] == pytest.approx(0.5)
    assert found["ratio_prefetch_by_holder"] == {"far": 0.5, "cloud": 0.5}
