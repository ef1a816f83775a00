"""Reports of function servers as raw metrics.

One case: pytest tests/cfn/collectors/test_functions.py -k queue
"""

from __future__ import annotations

from cfn.collectors import functions
from cfn.cpu import Cpu
from cfn.site import SiteState
from tests.cfn.statuses import status


def values(*statuses) -> dict[str, int]:
    state = SiteState()
    for number, each in enumerate(statuses):
        state.take(each, float(number))
    (view,) = state.view(Cpu(4.0), draining=False)
    found = functions.of_instance(view)
    assert all(sample.metric == name and sample.instance == 1 for name, sample in found.items())
    return {name: sample.value for name, sample in found.items()}


def test_an_instance_that_has_served_nothing_has_no_response_time() -> None:
    assert values(status(1, at_s=1.0, load=7)) == {"service_load": 7, "service_backlog": 0}


def test_the_queue_counts_by_worker_and_adds_to_the_response_time() -> None:
    found = values(
        status(1, at_s=1.0, workers=2),
        status(1, at_s=2.0, workers=2, arrived=10, completed=10, busy_us=40_000, queue=3),
    )
    assert found == {"service_load": 0, "service_backlog": 1500, "response_time": 4_000 + 6_000}


def test_the_cpu_is_a_sample_once_it_was_measured() -> None:
    assert functions.of_cpu(Cpu(4.0, 0.5)) == {}
    (sample,) = functions.of_cpu(Cpu(4.0, 0.5, 0.2501)).values()
    assert (sample.metric, sample.value, sample.window_ms) == ("compute_logic_utilisation", 500_000, 250)
