"""The catalogue: what is wrong is told with file, line, column and field; what is right is understood.

One case: pytest tests/control/test_catalogue.py -k duplicate
"""

from __future__ import annotations

import re
from pathlib import Path

import finsy as fy
import pytest

import p4src
from cfn.yamlfile import FileError
from control import catalogue as catalogues
from control.services import ServiceIndex
from tests.control.example import CATALOGUE, catalogue

SCHEMA = Path(__file__).parents[2] / "docs" / "catalogue.schema.json"


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CATALOGUE)
    found = catalogues.load(path)
    assert found.routers["r1"].mac == "02:00:00:00:01:00"
    assert found.links[0].b.port == 1
    assert found.policy == "latency"
    assert found.services[1].prefix[1] == 24
    assert found.sites["near"].token.get_secret_value() == "near-token"
    assert "near-token" not in repr(found)


# What is replaced in the good catalogue, by what, and the lines that tell so.
WRONG = [
    ("price: 2", "price: -2", ["15: sites.near.price: must be ≥ 0"]),
    ("price: 2", "price: .nan", ["15: sites.near.price: must be a finite number"]),
    ("price: 2", "price: true", ["15: sites.near.price: must be a valid number"]),
    ("price: 2, ", "", ["15: sites.near.price: is missing"]),
    (
        "price: 2",
        "prize: 2",
        ["15: sites.near.price: is missing", "15: sites.near.prize: is not a known field"],
    ),
    ('token: "near-token"', "token: short", ["15: sites.near.token: Value should have at least 8 items"]),
    ("id: 1, ipv4", "id: 16384, ipv4", ["15: sites.near.id: must be ≤ 16383"]),
    ("id: 1, ipv4", "id: 2, ipv4", ["17: sites.far.id: site id 2 is already used by sites.near.id"]),
    ("hosts: [near]", "hosts: [neer]", ["15: sites.near.hosts[0]: there is no host 'neer'"]),
    (
        "hosts: [far]",
        "hosts: [near]",
        ["17: sites.far.hosts[0]: host is already used by sites.near.hosts[0]"],
    ),
    (
        "hosts: [far]",
        "hosts: [far, client]",
        ["17: sites.far.hosts[1]: is at router 'r1', the first at 'r2'"],
    ),
    (
        ' ipv6: "fd00:fd::1",',
        "",
        ["15: sites.near: needs an address of its own in ipv6, as anycast has one"],
    ),
    ("10.253.0.1", "10.253.0.2", ["17: sites.far.ipv4: address is already used by sites.near.ipv4"]),
    ("10.253.0.1", "10.3.0.1", ["13: hosts.far.ipv4[0]: address is already used by sites.near.ipv4"]),
    (
        "quick: {id: 1,",
        "quick: {id: 1, services: [vision/see],",
        ["21: classes.quick.services[0]: there is no service 'vision/see'"],
    ),
    ("tenants: [demo]}", "tenants: [demo], lead: 255}", ["24: services[0].lead: must be ≤ 254"]),
    (
        "tenants: [demo]}",
        "tenants: [demo], two_choices: 1}",
        ["24: services[0].two_choices: must be a valid boolean"],
    ),
    ("tenants: [demo]}", "tenants: [demo], id: 0}", ["24: services[0].id: must be ≥ 1"]),
    (
        "device_id: 2",
        "device_id: 1",
        ["5: routers.r2.device_id: device_id 1 is already used by routers.r1.device_id"],
    ),
    (
        "127.0.0.1:2",
        "127.0.0.1",
        ["5: routers.r2.address: must be HOST:PORT (with a port in 1..65535), [IPv6]:PORT or unix:PATH"],
    ),
    (
        "02:00:00:00:02:00",
        "03:00:00:00:02:00",
        ["5: routers.r2.mac: must be a unicast MAC address (lowest bit of the first byte 0)"],
    ),
    (
        "02:00:00:00:02:00",
        "02:00:00:00:01:00",
        ["5: routers.r2.mac: MAC address is already used by routers.r1.mac"],
    ),
    (
        "b: {router: r2, port: 1}",
        "b: {router: r3, port: 1}",
        ["7: links[0].b.router: there is no router 'r3'"],
    ),
    (
        "b: {router: r2, port: 1}",
        "b: {router: r1, port: 9}",
        ["7: links[0].b.router: the link starts and ends at 'r1'"],
    ),
    ("port: 2}, b", "port: 1}, b", ["8: links[1].a.port: port is already used by links[0].a.port"]),
    ("port: 2}, b", "port: 511}, b", ["8: links[1].a.port: must be ≤ 510"]),
    ("loss", "lost", []),
    ("10.1.0.1", "10.255.0.1", ["10: hosts.client.ipv4[0]: address is already used by anycast.ipv4"]),
    (
        "10.1.0.1",
        "224.0.0.1",
        ["10: hosts.client.ipv4[0]: must be an address of a host (not multicast, unspecified or loopback)"],
    ),
    ("[10.1.0.1]", "[17]", ["10: hosts.client.ipv4[0]: must be text, not the int 17"]),
    ("demo: 7", "demo: 0", ["19: tenants.demo: must be ≥ 1"]),
    (
        "hosts: [near],",
        "hosts: [near], data_agent: {ipv4: 10.3.0.1},",
        ["15: sites.near.data_agent.ipv4: no host of the site has the address 10.3.0.1"],
    ),
    ("demo: 7", "demo: {}", ["19: tenants.demo.id: is missing"]),
    ("demo: 7", "demo: {id: 7, other: {id: 7}}", ["19: tenants.demo.other: is not a known field"]),
    ("demo: 7", "demo: 7, b: {id: 7}", ["19: tenants.b: tenant id 7 is already used by tenants.demo"]),
    (
        "demo: 7",
        "demo: {id: 7, key: 00112233}",
        ["19: tenants.demo.key: must be text"],
    ),
    (
        "demo: 7",
        "demo: {id: 7, key: a-secret-of-mine}",
        ["19: tenants.demo.key: must be a key of 16 hexadecimal digits, as text"],
    ),
    (
        "demo: 7",
        "demo: {id: 7, rate: {per_s: 10, burst: 5, peak_per_s: 9}}",
        ["19: tenants.demo.rate: peak_per_s 9 is below per_s 10"],
    ),
    ("tenants: [demo]}", "tenants: [demo], flow_s: 256}", ["24: services[0].flow_s: must be ≤ 255"]),
    ("tenants: [demo]", "tenants: [dem]", ["24: services[0].tenants[0]: there is no tenant 'dem'"]),
    ("tenants: [demo]", "tenants: all", ["24: services[0].tenants: must be 'any'"]),
    ("[1, 20]", "[20, 1]", ["21: classes.quick.latency_ms: must be [lowest, highest], not [20, 1]"]),
    ("[1, 20]", "[0, 20]", ["21: classes.quick.latency_ms[0]: must be ≥ 1"]),
    ("classes: []", "classes: [slow]", ["25: services[1].classes[0]: there is no class 'slow'"]),
    (
        "policy: round-robin",
        "policy: fastest",
        ["25: services[1].policy: must be 'latency', 'cost', 'mix', 'least-load'"],
    ),
    ("video/*", "vision/detect", ["25: services[1].name: FuncID is already used by services[0].name"]),
    (
        "policy: round-robin",
        "policy: cost, tune: true",
        ["25: services[1].tune: the policy cost has no parameters that can be learned"],
    ),
    ("policy: round-robin", "policy: mix, tune: true", []),
    ("select: request", "select: packet", ["25: services[1].select: must be 'flow' or 'request'"]),
    (
        "  r1: {",
        "  1r: {",
        ["4: routers.1r: '1r' is no name: a letter, then at most 31 letters, digits, '_' or '-'"],
    ),
    (
        'anycast: {ipv4: 10.255.0.1, ipv6: "fd00:cf::1"}',
        "anycast: {}",
        ["1: anycast: needs ipv4, ipv6 or both"],
    ),
    ("tenants: {demo: 7}", "tenants: [demo]", ["19: tenants: must be a mapping"]),
    ("tenants: {demo: 7}", "tenants: {demo: 7", ["20: expected ',' or '}', but got ':'"]),
    ("tenants: {demo: 7}", "gateway: {ipv4: 10.0.0.9}", ["19: found duplicate key"]),
]


@pytest.mark.parametrize(
    ("good", "bad", "told"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_wrong_is_told_where_it_stands(good: str, bad: str, told: list[str]) -> None:
    text = CATALOGUE.replace(good, bad, 1)
    if not told:
        assert catalogue(text)
        return
    with pytest.raises(FileError) as error:
        catalogue(text)
    # The column is looked at below.
    found = [re.sub(r"^catalogue.yaml:(\d+):\d+", r"\1", line) for line in error.value.lines]
    for line in told:
        assert any(one.startswith(line) for one in found), found


@pytest.mark.parametrize(
    ("good", "bad", "value"), [("price: 2", "price: -2", "-2, token"), ("port: 3", "port: x", "x, mac")]
)
def test_the_column_is_where_the_value_stands(good: str, bad: str, value: str) -> None:
    text = CATALOGUE.replace(good, bad, 1)
    with pytest.raises(FileError) as error:
        catalogue(text)
    _, line, column, *_ = error.value.lines[0].split(":")
    assert text.splitlines()[int(line) - 1][int(column) - 1 :].startswith(value)


def test_several_errors_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        CATALOGUE.replace("price: 2", "price: -2")
        .replace("demo: 7", "demo: 70000")
        .replace("port: 3", "port: 0")
    )
    with pytest.raises(FileError) as error:
        catalogue(text)
    assert [line.split(": ")[1] for line in error.value.lines] == [
        "hosts.client.port",
        "sites.near.price",
        "tenants.demo",
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "a: &a [*a]", "? [x]\n: y", "\0", "routers: {1: 2}", "--- a\n--- b"]
)
def test_no_text_crashes_it(text: str) -> None:
    with pytest.raises(FileError):
        catalogue(text)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        catalogues.load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not UTF-8"):
        catalogues.load(tmp_path / "binary.yaml")


def test_the_example_of_the_documentation_is_right() -> None:
    text = SCHEMA.with_name("catalogue.md").read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    assert catalogue(example).services[0].classes == ("interactive",)


def test_every_field_is_in_the_documentation() -> None:
    text = SCHEMA.with_name("catalogue.md").read_text()
    models = (catalogues.Catalogue, catalogues.Router, catalogues.Link, catalogues.Host, catalogues.Site)
    models = (*models, catalogues.Tenant, catalogues.Rate)
    for model in (*models, catalogues.DemandClass, catalogues.Service):
        for field in model.model_fields:
            assert f"`{field}" in text, f"{model.__name__}.{field}"


def test_the_published_schema_is_the_real_one() -> None:
    assert SCHEMA.read_text() == catalogues.json_schema() + "\n"


def test_no_more_tenants_may_sign_than_a_router_can_tell_replays_of() -> None:
    size = fy.P4Schema(p4src.P4INFO).tables["tenant_key"].size
    keyed = [f"t{number}: {{id: {number}, key: '0011223344556677'}}" for number in range(1, size + 2)]
    text = CATALOGUE.replace("tenants: {demo: 7}", "tenants: {demo: 7000, %s}")
    assert len(catalogue(text % ", ".join(keyed[:-1])).tenants) == size + 1
    with pytest.raises(FileError, match=f"tenants.t{size + 1}: more than {size} tenants have a key"):
        catalogue(text % ", ".join(keyed))


def test_a_key_is_not_shown() -> None:
    key = "fedcba9876543210"
    one = catalogue(CATALOGUE.replace("demo: 7", f"demo: {{id: 7, key: {key}}}"))
    assert key not in repr(one)
    signing = one.tenants_by_name["demo"].signing_key
    assert signing is not None
    assert (signing.k0, signing.k1) == (0x98BADCFE, 0x10325476)


def test_classes_and_services_that_name_each_other_agree() -> None:
    text = CATALOGUE.replace("quick: {id: 1,", "quick: {id: 1, services: [video/*],")
    bad = text.replace("tenants: [demo]}", "tenants: [demo], classes: [quick]}")
    with pytest.raises(
        FileError, match=r"services\[0\].classes\[0\]: the class 'quick' names services without"
    ):
        catalogue(bad)
    services = ServiceIndex(catalogue(text))
    detect, video = catalogue(text).services
    assert services.class_ids(detect) == [0, 2]
    assert services.class_ids(video.model_copy(update={"classes": None})) == [0, 1, 2]


def test_a_service_keeps_its_number_when_others_come_and_go() -> None:
    names = [f"stable/f{number}" for number in range(200)]
    declared = "".join(f"  - {{name: {name}}}\n" for name in names)
    one = catalogue(CATALOGUE + declared)
    numbers = {service.name: ServiceIndex(one).id(service) for service in one.services}
    assert len(set(numbers.values())) == len(numbers)
    assert 0 not in numbers.values()
    fewer = catalogue(CATALOGUE + "".join(f"  - {{name: {name}}}\n" for name in reversed(names[50:])))
    kept = {service.name: ServiceIndex(fewer).id(service) for service in fewer.services}
    assert kept == {name: numbers[name] for name in kept}


def test_a_declared_number_wins() -> None:
    taken = ServiceIndex(catalogue()).id(catalogue().services[0])
    text = CATALOGUE.replace("name: video/*,", f"name: video/*, id: {taken},")
    services = catalogue(text).services
    assert [ServiceIndex(catalogue(text)).id(service) for service in services] == [taken + 1, taken]
