from __future__ import annotations

import itertools
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfn import yamlfile
from control.catalogue import Catalogue
from topo import plan, programs, render, spec
from topo.cgroup import V2, Group
from topo.plan import Plan
from topo.spec import LabSpec
from topo.state import RunDir

DEMO = Path(spec.__file__).parent / "labs" / "demo.yaml"


@pytest.fixture(scope="module")
def demo() -> Plan:
    return plan.load(DEMO)


def test_the_same_file_gives_the_same_plan(demo: Plan) -> None:
    again = plan.load(DEMO)
    assert again.routers == demo.routers
    assert again.hosts == demo.hosts
    assert again.sites == demo.sites


def test_instances_have_the_addresses_after_their_sites(demo: Plan) -> None:
    near = demo.sites["near"]
    assert [i.number for i in near.instances] == [1, 2, 3, 4]
    assert [i.ipv4 for i in near.instances] == [near.host.ipv4[0] + n for n in (1, 2, 3, 4)]
    assert [i.ipv6 for i in near.instances] == list(near.host.ipv6[1:5])


def test_a_data_agent_has_an_address_that_no_instance_has(demo: Plan) -> None:
    near = demo.sites["near"]
    assert near.data_agent
    addresses = [(i.ipv4, i.ipv6) for i in (*near.instances, near.data_agent)]
    assert list(zip(near.host.ipv4[1:], near.host.ipv6[1:], strict=True)) == addresses


def test_data_agents_know_those_of_the_other_sites(demo: Plan) -> None:
    groups = {name: Group(V2(Path("/nowhere")), name) for name in demo.sites}
    near, far, cloud = programs.data_agents(demo, RunDir("demo"), groups)
    peers = [argument for argument in near.arguments if argument.startswith("--site=")]
    assert peers == ["--site=2=http://10.3.4.6:23793", "--site=3=http://10.4.5.6:23793"]
    assert (near.name, far.namespace, cloud.name) == ("data-near", "cfn-demo-far", "data-cloud")


def test_a_site_without_data_has_no_agent() -> None:
    lab = plan.load(DEMO.with_name("smallest.yaml"))
    assert lab.sites["edge"].data_agent is None
    assert len(lab.sites["edge"].host.ipv4) == 2
    groups = {"edge": Group(V2(Path("/nowhere")), "edge")}
    assert programs.data_agents(lab, RunDir("smallest"), groups) == []
    (server,) = programs.servers(lab, RunDir("smallest"), groups)
    assert "--data" not in server.arguments


def test_what_is_given_is_taken_and_the_rest_goes_around_it() -> None:
    lab = LabSpec.model_validate(
        {
            "name": "x",
            "routers": {"a": {"device_id": 2}, "b": {"mac": "02:00:00:00:00:09"}},
            "links": [{"between": ["a", "b"]}],
            "hosts": {"h": {"router": "a", "port": 1, "ipv4": "192.0.2.1"}},
            "controller": {"router": "a"},
        }
    )
    made = plan.make(lab)
    assert made.routers["a"].device_id == 2
    assert made.routers["b"].device_id == 1
    assert made.routers["b"].mac == "02:00:00:00:00:09"
    assert made.hosts["h"].ipv4 == (ip_address("192.0.2.1"),)
    assert made.routers["a"].ports == {1: "a-1", 2: "a-2", 3: "a-3"}
    assert made.links[0].a.port == 2


def test_the_controller_is_a_host_in_the_core(demo: Plan) -> None:
    controller = demo.hosts["controller"]
    assert controller.namespace == demo.core == "cfn-demo-core"
    assert demo.namespaces().count(demo.core) == 1


@st.composite
def labs(draw: st.DrawFn) -> LabSpec:
    routers = [f"r{i}" for i in range(1, draw(st.integers(1, 12)) + 1)]
    pick = st.sampled_from(routers)
    return LabSpec.model_validate(
        {
            "name": "any",
            "routers": {name: {} for name in routers},
            "links": [{"between": list(pair)} for pair in itertools.pairwise(routers)],
            "hosts": {f"h{i}": {"router": draw(pick)} for i in range(draw(st.integers(0, 8)))},
            "functions": {"a/b": "m:f"},
            "sites": {
                f"s{i}": {"router": draw(pick), "cores": 1, "instances": {"a/b": draw(st.integers(1, 9))}}
                for i in range(draw(st.integers(0, 5)))
            },
            "controller": {"router": draw(pick)},
            "domains": draw(st.sampled_from([{}, _halves(routers)])),
        }
    )


def _halves(routers: list[str]) -> dict[str, dict[str, list[str]]]:
    if len(routers) == 1:
        return {}
    return {"a": {"routers": routers[::2]}, "b": {"routers": routers[1::2]}}


@settings(max_examples=30)
@given(labs())
def test_any_lab_gives_a_catalogue_that_the_controller_accepts(lab: LabSpec) -> None:
    made = plan.make(lab)
    catalogue = render.catalogue(made, render.tokens(made))  # checks that nothing is used twice
    assert yamlfile.parse(render.to_yaml(catalogue), Catalogue) == catalogue
    interfaces = [name for router in made.routers.values() for name in router.ports.values()]
    assert len(set(interfaces)) == len(interfaces) == 2 * len(made.links) + len(made.hosts)
    assert all(len(name) <= 13 for name in interfaces)


def test_the_catalogue_says_what_the_lab_file_says(demo: Plan) -> None:
    catalogue = render.catalogue(demo, {"near": "n" * 8, "far": "f" * 8, "cloud": "c" * 8})
    assert catalogue.sites["near"].token.get_secret_value() == "n" * 8
    assert catalogue.sites["near"].hosts == ("near",)
    assert catalogue.links[0].delay_ms == demo.spec.links[0].delay_ms
    assert catalogue.hosts["client2"].delay_ms == demo.spec.hosts["client2"].delay_ms
    assert catalogue.services == demo.spec.services
    told, planned = catalogue.sites["near"].data_agent, demo.sites["near"].data_agent
    assert told
    assert planned
    assert (told.ipv4, told.ipv6) == (planned.ipv4, planned.ipv6)
    assert set(catalogue.hosts) == {"client1", "client2", "near", "far", "cloud", "controller"}


def test_tokens_are_fresh_unless_given(demo: Plan) -> None:
    assert render.tokens(demo)["near"] != render.tokens(demo)["near"]


@pytest.mark.parametrize(
    ("adverts", "told"), [("bgp", ["10.1.5.1:23795"]), ("hybrid", ["10.1.5.1:23795", "10.1.5.1:23794"])]
)
def test_two_systems_have_a_controller_each_and_sites_tell_their_own_first(
    adverts: str, told: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "lab.yaml"
    text = DEMO.with_name("two_systems.yaml").read_text().replace("adverts: bgp", f"adverts: {adverts}")
    file.write_text(text)
    made, run = plan.load(file), RunDir("two")
    catalogue = render.catalogue(made, render.tokens(made))
    assert yamlfile.parse(render.to_yaml(catalogue), Catalogue) == catalogue
    assert catalogue.sites_of("west") == ["far"]
    east, west = (programs.controller(made, run, [], domain) for domain in made.domains)
    assert (east.name, west.name) == ("controller-east", "controller-west")
    assert west.arguments[-4:] == ["--domain", "west", "--adverts", adverts]
    groups = dict.fromkeys(made.sites, Group(V2(tmp_path), "g"))
    (far,) = (
        one for one in programs.agents(made, run, groups, render.tokens(made)) if one.name == "agent-far"
    )
    at = [index for index, part in enumerate(far.arguments) if part == "--controller"]
    assert [far.arguments[index + 1] for index in at] == told
