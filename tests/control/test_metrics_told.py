"""Metrics of adverts in the event log and the status.

One case: pytest tests/control/test_metrics_told.py -k unknown
"""

from __future__ import annotations

from rich.console import Console

from cfn.proto import advert_pb2 as pb
from control import status_view
from control.controller import Controller
from control.events import EventLog
from control.status import Status
from tests.control.example import NEAR, catalogue, instance, message

TOKEN = "near-token"  # noqa: S105


def advert(sequence: int, *metrics: pb.Metric) -> pb.Advert:
    told = message("near", sequence, [instance(NEAR)])
    told.metrics.extend(metrics)
    told.instances[0].metrics.add(type=pb.Metric.NORM_FI, value=9, window_ms=200)
    return told


def metric(kind: int, value: int = 3) -> pb.Metric:
    return pb.Metric(type=kind, value=value, window_ms=1000)  # type: ignore[arg-type] - unknown ones too


async def test_metrics_and_resources_are_shown() -> None:
    controller = Controller(catalogue(), EventLog())
    told = advert(1, metric(pb.Metric.COMPUTE_NORM, 4), metric(pb.Metric.NORM_FI, 6))
    told.resources.CopyFrom(pb.Resources(window_ms=1000, storage=100, storage_left=40))
    controller.take(told, TOKEN)
    tree = await Status(controller).tree()
    shown = tree["sites"]["near"]["advert"]
    assert shown["metrics"] == {
        "compute_norm": {"level": 1, "value": 4, "window_ms": 1000},
        "norm_fi": {"level": 2, "value": 6, "window_ms": 1000},
    }
    assert shown["resources"]["storage_left"] == 40
    assert shown["instances"][0]["metrics"]["norm_fi"]["value"] == 9
    console = Console(width=200)
    with console.capture() as page:
        console.print(status_view.overview(tree))
    (row,) = [line for line in page.get().splitlines() if "near" in line and "ago" in line]
    cells = [cell.strip() for cell in row.split("│")]
    assert (cells[4], cells[-2]) == ("6", "9")


def test_an_unknown_metric_is_told_once_until_it_is_another() -> None:
    controller = Controller(catalogue(), EventLog())
    for sequence, kinds in enumerate([(77,), (77,), (5,), (5, 78), (5, 78)], 1):
        controller.take(advert(sequence, *map(metric, kinds)), TOKEN)
    told = [event["unknown"] for event in controller.events.last if event["event"] == "metrics-ignored"]
    assert told == [("metrics[0].type: 77",), ("metrics[1].type: 78",)]
    assert len([event for event in controller.events.last if event["event"] == "advert"]) == 5
