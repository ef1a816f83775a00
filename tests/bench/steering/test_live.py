import pytest

from bench.steering import live, policies
from bench.steering.figures import figures
from topo import plan


def test_the_lab_and_its_simulation_are_of_the_same_sites_and_ways() -> None:
    spec = plan.load(live.LAB).spec
    workload = live.simulated(slow=False)
    assert {name: site.router for name, site in spec.sites.items()} == {
        site.name: site.router for site in workload.sites
    }
    assert {frozenset(link.between): link.delay_ms for link in spec.links} == {
        frozenset((link.a, link.b)): link.delay_ms for link in workload.links
    }
    assert spec.advert_interval_ms == 1000 * workload.damping.min_interval_s
    assert {service.name for service in spec.services} == set(live.FUNCTIONS.values())


def test_a_slow_site_is_avoided_by_us_alone() -> None:
    workload = live.simulated(slow=True)
    ours, random = (figures(workload, policies.run(workload, name, 1)) for name in ("cfn-latency", "random"))
    assert ours.delay_ms < 0.7 * random.delay_ms
    alike = live.simulated(slow=False)
    assert figures(alike, policies.run(alike, "random", 1)).p50_ms >= live.PACE_MS


def test_what_came_live_is_set_against_what_was_simulated() -> None:
    workload = live.simulated(slow=False)
    one = figures(workload, policies.run(workload, "random", 1))
    point = live.Point("random", slow=False, live=one, simulated=one)
    assert point.difference == pytest.approx(0)
    assert live.table([point]).row_count == 1
