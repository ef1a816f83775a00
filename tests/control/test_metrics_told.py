"""Metrics of adverts in the event log and the status.

One case: pytest tests/control/test_metrics_told.py -k unknown
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from cfn.metrics.assess import assess
from cfn.metrics.profile import DEFAULT
from cfn.metrics.sample import LARGEST, RAW, Sample, Samples
from cfn.proto import advert_pb2 as pb
from control import sites_view, status_view
from control.advert_check import check
from control.controller import Controller
from control.events import EventLog
from control.status import Status
from tests.control.example import CATALOGUE, NEAR, catalogue, instance, message

TOKEN = "near-token"  # noqa: S105


def advert(sequence: int, *metrics: pb.Metric) -> pb.Advert:
    told = message("near", sequence, [instance(NEAR)])
    told.metrics.extend(metrics)
    told.instances[0].metrics.add(type=pb.Metric.NORM_FI, value=9, window_ms=200)
    return told


def metric(kind: int, value: int = 3) -> pb.Metric:
    return pb.Metric(type=kind, value=value, window_ms=1000)  # type: ignore[arg-type] - unknown ones too


def rows(page: RenderableType, having: str) -> list[list[str]]:
    """Cells of the rows about the near site that have this text."""
    console = Console(width=200)
    with console.capture() as captured:
        console.print(page)
    lines = [line for line in captured.get().splitlines() if "near" in line and having in line]
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]


async def test_metrics_and_resources_are_shown() -> None:
    text = CATALOGUE.replace("compute: {logic: 2}}", "compute: {logic: {gflops: 1000}}}", 1)
    controller = Controller(catalogue(text), EventLog())
    told = advert(1, metric(pb.Metric.COMPUTE_NORM, 4), metric(pb.Metric.NORM_FI, 6))
    busy = pb.Resources.Compute(type=pb.Resources.Compute.LOGIC, used_ppm=250_000)
    told.resources.CopyFrom(
        pb.Resources(window_ms=1000, compute=[busy], storage=10**11, storage_left=4 * 10**10, power_mw=1500)
    )
    told.profile.CopyFrom(DEFAULT.message)
    controller.take(told, TOKEN)
    tree = await Status(controller).tree()
    shown = tree["sites"]["near"]["advert"]
    assert shown["metrics"] == {
        "compute_norm": {"level": 1, "value": 4, "window_ms": 1000},
        "norm_fi": {"level": 2, "value": 6, "window_ms": 1000},
    }
    assert shown["profile"]["inputs"][0] == {
        "metric": "compute_logic_utilisation",
        "category": "COMPUTE_NORM",
        "function": "MIN_MAX",
        "parameters": ["1000000", "0"],
        "weight": 4,
    }
    assert shown["resources"]["storage_left"] == 4 * 10**10
    assert shown["instances"][0]["metrics"]["norm_fi"]["value"] == 9
    (row,) = rows(status_view.overview(tree), "ago")
    assert (row[3], row[-1]) == ("6", "9")
    (compute,) = rows(sites_view.sites(tree), "logic")
    (resources,) = rows(sites_view.sites(tree), "40.0 of 100.0")
    metrics = rows(sites_view.sites(tree), "1000")[-1]
    assert compute == ["near", "logic", "2", "1000", "25%", "750"]
    assert resources == ["near", "–", "40.0 of 100.0", "1.5", "–", "2", "2"]
    assert metrics == ["near", "4", "–", "–", "–", "6", "1000"]


def test_an_unknown_metric_is_told_once_until_it_is_another() -> None:
    controller = Controller(catalogue(), EventLog())
    for sequence, kinds in enumerate([(77,), (77,), (5,), (5, 78), (5, 78)], 1):
        controller.take(advert(sequence, *map(metric, kinds)), TOKEN)
    told = [event["unknown"] for event in controller.events.last if event["event"] == "metrics-ignored"]
    assert told == [("metrics[0].type: 77",), ("metrics[1].type: 78",)]
    assert len([event for event in controller.events.last if event["event"] == "advert"]) == 5


DECLARED = catalogue()
AMOUNT = st.one_of(st.integers(0, 10**6), st.integers(0, LARGEST), st.just(LARGEST))


def samples(names: list[str]) -> st.SearchStrategy[Samples]:
    value = st.tuples(AMOUNT, st.one_of(st.integers(1, 10_000), st.integers(1, 10**12)))
    told = st.dictionaries(st.sampled_from(names), value)
    return told.map(lambda found: {name: Sample(name, *one) for name, one in found.items()})


@given(samples(list(RAW)), samples([name for name in RAW if name.startswith(("service", "response"))]))
def test_whatever_an_agent_measures_is_believed(site: Samples, of_instance: Samples) -> None:
    told = message("near", 1, [instance(NEAR)])
    found = assess(DEFAULT, site, [of_instance])
    found.put_into(told)
    believed = check(pb.Advert.FromString(told.SerializeToString()), TOKEN, DECLARED)
    assert (believed.metrics, believed.instances[NEAR].metrics) == (found.site, *found.instances)
    assert believed.ignored == ()
