from bench import ingress
from bench.devices import DEVICES
from bench.forwarding import Sample
from bench.throughput import table


def test_table_tells_what_is_not_installed() -> None:
    samples = {device.name: [Sample(3e6, 1e6, "xdp")] for device in DEVICES[1:]}
    shown = table(ingress.workload(), DEVICES, samples)
    assert list(shown.columns[1].cells) == ["not installed", "1000.0", "1000.0", "1000.0"]
    assert list(shown.columns[4].cells)[1:] == ["3000.0"] * 3
    assert list(shown.columns[5].cells)[1:] == [""] * 3


def test_table_compares_with_the_first_device() -> None:
    samples = {
        device.name: [Sample(3e6, pps, "xdp")] for device, pps in zip(DEVICES, (4, 1, 0, 2), strict=True)
    }
    shown = table(ingress.workload(), DEVICES, samples)
    assert list(shown.columns[5].cells) == ["1.00", "4.00", "", "2.00"]
