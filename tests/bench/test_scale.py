"""Scale: the made-up network is a right one, and a site's change costs by groups and not by services."""

from __future__ import annotations

import random

import pytest

from bench.scale import Brain, Cost, measured, table
from bench.scale_world import TOKEN, Region, World
from cfn.advert_sender import to_message
from cfn.proto import advert_pb2 as pb
from control.advert_check import check


def world(services: int) -> World:
    return World(services, sites=3, routers=4, pools=2)


def test_all_that_a_site_tells_is_believed() -> None:
    one = world(10)
    views = one.views("site1", random.Random(1))
    message = pb.Advert(
        site="site1", incarnation=1, sequence=1, ttl_ms=1000, instances=[to_message(view) for view in views]
    )
    told = check(message, TOKEN, one.catalogue())
    assert len(told.functions) == 10
    assert len(told.instances) == 2


@pytest.mark.parametrize("sites", [1, 8, 20])
def test_regions_have_their_own_services(sites: int) -> None:
    region = Region(sites)
    assert len(region.catalogue().sites) == sites
    draw = random.Random(1)
    told = [frozenset((one.func_id, *one.also)) for site in region.sites for one in region.views(site, draw)]
    assert len(set(told)) == -(-sites // 8)


def test_a_change_writes_as_much_with_ten_times_the_services() -> None:
    costs: list[Cost] = []
    for services in (20, 200):
        brain = Brain(world(services))
        assert brain.start() > 0
        assert brain.entries > services
        costs.append(measured(brain, world(services), changes=8)[0])
    few, many = costs
    assert (few.cohorts, many.cohorts) == (2, 2)
    assert few.writes == many.writes > 0
    assert table(costs).row_count == 2
