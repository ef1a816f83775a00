"""What sites can compute.

One case: pytest tests/control/test_compute.py -k grade
"""

from __future__ import annotations

import pytest

from cfn.yamlfile import FileError
from control.compute import Capability, Compute, compute_of
from control.model import Resources, SiteAdvert
from tests.control.example import CATALOGUE, catalogue

FAR = "compute: {logic: 2, neural: 3}"


def declared(compute: str):
    return catalogue(CATALOGUE.replace(FAR, f"compute: {compute}")).sites["far"]


@pytest.mark.parametrize(
    ("capability", "grade"),
    [
        ({"gflops": 499.9}, 1),
        ({"gflops": 500}, 2),
        ({"gflops": 9_999}, 2),
        ({"gflops": 10_000}, 3),
        ({"tops": 10}, 3),
        ({"gflops": 999_999}, 3),
        ({"tops": 1000}, 4),
    ],
)
def test_the_grade_follows_from_the_capability(capability, grade: int) -> None:
    assert Capability(**capability).grade == grade


def test_a_site_declares_capabilities_or_grades() -> None:
    site = declared("{logic: 2, neural: {tops: 26}, parallel: {gflops: 400}}")
    assert site.grades == {"logic": 2, "neural": 3, "parallel": 1}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("{logic: {}}", r"sites\.far\.compute\.logic: needs either gflops or tops"),
        ("{logic: {gflops: 1, tops: 1}}", r"sites\.far\.compute\.logic: needs either gflops or tops"),
        (
            "{logic: {gflops: 0}}",
            r"sites\.far\.compute\.logic\.gflops: must be > 0",
        ),
        ("{logic: 5}", r"sites\.far\.compute\.logic: must be ≤ 4"),
        ("{quantum: 1}", r"sites\.far\.compute\.quantum"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(wrong: str, why: str) -> None:
    with pytest.raises(FileError, match=why):
        declared(wrong)


def test_what_is_left_follows_from_what_is_declared_and_what_is_told() -> None:
    site = declared("{logic: 2, neural: {tops: 26}}")
    told = SiteAdvert("far", 1, 1, 5.0, resources=Resources(1000, {"neural": 0.25, "parallel": 0.5}))
    found = compute_of(site.compute, told)
    assert found == {
        "logic": Compute(2, None, None),
        "neural": Compute(3, 26_000.0, 0.25),
        "parallel": Compute(None, None, 0.5),
    }
    assert [one.left_giga for one in found.values()] == [None, 19_500.0, None]
    assert compute_of(site.compute, None)["neural"] == Compute(3, 26_000.0, None)


def test_energy_is_a_part_of_the_cost() -> None:
    text = CATALOGUE.replace("price: 1, token", "price: 1, energy_j: 360, energy_price: 5000, token")
    assert catalogue(text).sites["far"].cost == pytest.approx(1.5)
    assert catalogue().sites["far"].cost == 1
