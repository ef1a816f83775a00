"""A lab file that is wrong: the error names line and field, and all errors are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfn import yamlfile
from topo import plan, spec
from topo.spec import LabSpec

LABS = Path(spec.__file__).parent / "labs"

GOOD = """\
name: tiny
routers: {r1: {}, r2: {}}
links:
  - {between: [r1, r2], delay_ms: 1}
hosts:
  client: {router: r1}
functions: {vision/detect: "m:f"}
sites:
  near:
    router: r2
    cores: 0.5
    instances: {vision/detect: 2}
controller: {router: r2}
services:
  - {name: vision/detect}
"""


def _parse(text: str) -> LabSpec:
    return yamlfile.parse(text, LabSpec, "lab.yaml")


def test_the_smallest_lab() -> None:
    lab = _parse(GOOD)
    assert lab.sites["near"].instances == {"vision/detect": 2}
    assert str(lab.anycast.ipv4) == "10.255.0.1"


@pytest.mark.parametrize("path", sorted(LABS.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_labs_can_be_planned(path: Path) -> None:
    assert plan.load(path).routers


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("router: r1}", "router: r9}", "lab.yaml:6:20: hosts.client.router: there is no router 'r9'"),
        ("[r1, r2]", "[r1, r1]", "lab.yaml:4:15: links[0].between: the link starts and ends at 'r1'"),
        ("[r1, r2]", "[r1, r1]", "lab.yaml:2:23: routers.r2: no links lead from 'r1' to it"),
        ("[r1, r2]", "[r1, rx]", "lab.yaml:4:20: links[0].between[1]: there is no router 'rx'"),
        ("delay_ms: 1", "delay_ms: -1", "lab.yaml:4:35: links[0].delay_ms: must be ≥ 0"),
        ("delay_ms: 1", "delay_ms: .nan", "links[0].delay_ms"),
        ("cores: 0.5", "cores: 0", "lab.yaml:11:12: sites.near.cores: must be ≥ 0.05"),
        ("cores: 0.5", "", "sites.near.cores: is missing"),
        ("vision/detect: 2}", "Vision: 2}", "sites.near.instances"),
        ("vision/detect: 2}", "vision/detect: 0}", "sites.near.instances.vision/detect: must be ≥ 1"),
        ("vision/detect: 2}", "vision/detect: 201}", "sites.near.instances.vision/detect: must be ≤ 200"),
        ('{vision/detect: "m:f"}', "{vision/detect: m}", "lab.yaml:7:28: functions.vision/detect"),
        ("vision/detect: 2}", "a/b: 1}", "sites.near.instances.a/b: functions doesn't say what 'a/b' is"),
        ("client:", "controller:", "hosts.controller: 'controller' is a name that the lab itself uses"),
        ("client:", "near:", "sites.near: there is a host of that name"),
        (
            "{router: r1}",
            "{router: r1, port: 1}\n  c2: {router: r1, port: 1}",
            "is already used by hosts.client",
        ),
        (
            "{router: r1}",
            "{router: r1, ipv4: 10.255.0.1}",
            "address 10.255.0.1 is already used by anycast.ipv4",
        ),
        ("name: tiny", "name: tiny-lab", "lab.yaml:1:7: name:"),
        (
            "{name: vision/detect}",
            "{name: vision/detect, tenants: [x]}",
            "services[0].tenants[0]: there is no tenant",
        ),
        ("name: tiny", "name: tiny\nfoo: 1", "lab.yaml:2:6: foo: is not a known field"),
        ("name: tiny", "name: tiny\ndomains: {a: {routers: [r1, r2]}}", "domains: one domain is none"),
        (
            "name: tiny",
            "name: tiny\ndomains: {a: {routers: [r1]}, b: {routers: [r1, r9]}}",
            "domains.b.routers[0]: 'r1' is already a router of 'a'",
        ),
        (
            "name: tiny",
            "name: tiny\ndomains: {a: {routers: [r1]}, b: {routers: [r1, r9]}}",
            "domains.b.routers[1]: there is no router 'r9'",
        ),
        (
            "name: tiny",
            "name: tiny\ndomains: {a: {routers: [r1]}, b: {routers: [r1, r9]}}",
            "routers.r2: is of no domain",
        ),
        ("name: tiny", "name: [", "lab.yaml:3:1: expected"),
        (GOOD, "", "lab.yaml:1:1: (file)"),
    ],
)
def test_each_error_names_its_place(old: str, new: str, error: str) -> None:
    assert old in GOOD
    with pytest.raises(yamlfile.FileError) as caught:
        _parse(GOOD.replace(old, new, 1))
    assert error in str(caught.value)


def test_a_lab_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(yamlfile.FileError, match="No such file"):
        spec.load(tmp_path / "none.yaml")
