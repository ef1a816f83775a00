"""The lab of the leads: contenders differ in their lead and in nothing else."""

from bench import leads
from topo import plan, render


def test_contenders_differ_in_their_lead() -> None:
    lab = plan.load(leads.LAB)
    catalogue = render.catalogue(lab, dict.fromkeys(lab.sites, "a token of it"))
    told = {service.name: service.lead for service in catalogue.services if service.two_choices}
    assert {name: told.get(function) for name, function in leads.FUNCTIONS.items()} == {
        "lead 16": 16,
        "lead 48": 48,
        "lead 96": 96,
        "one choice": None,
    }
    for site in lab.sites.values():
        offered = [instance.function for instance in site.instances]
        assert sorted(offered) == sorted([*leads.FUNCTIONS.values()] * 2)
