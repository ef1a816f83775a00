import pytest
import typer

from bench import steering
from bench.devices import DEVICES
from bench.forwarding import Cores, Sample
from bench.stats import Spread
from bench.switch import chosen, pick_cores, ratio, table


@pytest.mark.parametrize(
    ("available", "expected"), [({0, 1}, Cores(0, 1)), ({5, 2, 3}, Cores(2, 5)), ({4}, Cores(4, 4))]
)
def test_source_and_device_have_a_core_each_where_there_are_two(available: set[int], expected: Cores) -> None:
    assert pick_cores(available) == expected


def test_devices_are_chosen_by_name() -> None:
    assert chosen(None) == list(DEVICES)
    assert [device.name for device in chosen(["kernel", "bare"])] == ["bare", "kernel"]


def test_an_unknown_device_is_told() -> None:
    with pytest.raises(typer.BadParameter, match="tofino: not of embedded, bmv2, bare, kernel"):
        chosen(["bare", "tofino"])


def test_a_device_that_forwarded_nothing_has_no_ratio() -> None:
    assert ratio(Spread(1.0, 1.0, 1.0), Spread(0.0, 0.0, 0.0)) == ""
    assert ratio(None, Spread(2.0, 2.0, 2.0)) == ""
    assert ratio(Spread(3.0, 1.0, 9.0), Spread(2.0, 2.0, 2.0)) == "1.50"


def test_table_tells_what_is_not_installed() -> None:
    samples = {device.name: [Sample(3e6, 1e6, "xdp")] for device in DEVICES[1:]}
    spreads = {name: Spread.of([sample.forwarded for sample in taken]) for name, taken in samples.items()}
    shown = table(steering.workload(), DEVICES, samples, spreads)
    assert list(shown.columns[1].cells) == ["not installed", "1000.0", "1000.0", "1000.0"]
    assert list(shown.columns[4].cells)[1:] == ["3000.0"] * 3
