"""The benchmark's lab and figures, and one short run of it."""

import math
import os

import pytest

from bench import fastloop, site_pace
from topo import lock, plan, render


def test_the_lab_loads_and_its_sites_are_equal() -> None:
    lab = plan.load(fastloop.LAB)
    catalogue = render.catalogue(lab, dict.fromkeys(lab.sites, "a token of it"))
    choices = {service.name: service.two_choices for service in catalogue.services}
    assert [choices[fastloop.FUNCTIONS[name]] for name in ("two_choices", "one_choice")] == [True, False]
    offers = [[instance.function for instance in site.instances] for site in lab.sites.values()]
    assert len(offers) == 3
    assert offers[0] == offers[1] == offers[2]


def test_sites_are_loaded_to_a_half() -> None:
    lab = plan.load(fastloop.LAB)
    for name in fastloop.FUNCTIONS.values():
        instances = sum(i.function == name for site in lab.sites.values() for i in site.instances)
        assert pytest.approx(0.5) == fastloop.RATE_PER_S / (instances * 1000 / fastloop.PACE_MS)


def test_medians_of_what_never_happened_are_null() -> None:
    found = {"two_choices": [{"a": 1.0}, {"a": 3.0}, {"a": 2.0}], "one_choice": [{"a": math.inf}]}
    assert fastloop.summarise(found) == {"a": {"two_choices": 2.0, "one_choice": None}}


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")
def test_requests_leave_the_slow_site() -> None:
    if lock.is_held(plan.load(fastloop.LAB).name):
        pytest.skip("the lab is up already")
    turns = fastloop.run("embedded", 1, lambda _: None)
    kept = {name: mine.share(mine.settled) for name, (mine,) in turns.items()}
    assert kept["two_choices"] < kept["one_choice"]
    assert site_pace.FOLDER not in os.environ
