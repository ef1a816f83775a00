"""What keeps samples.

One case: pytest tests/cfn/collectors/test_collector.py -k stale
"""

from __future__ import annotations

from cfn.collectors.collector import SampleStore
from cfn.metrics.sample import Sample


def test_the_last_sample_of_each_metric_counts() -> None:
    store = SampleStore()
    store.put([Sample("a", 1, 1), Sample("a", 2, 1, instance=7)], 10.0)
    store.put([Sample("a", 3, 1)], 10.0)
    assert store.site() == {"a": Sample("a", 3, 1)}
    assert store.instance(7) == {"a": Sample("a", 2, 1, instance=7)}
    assert store.instance(8) == {}


def test_what_is_stale_is_forgotten() -> None:
    store = SampleStore()
    store.put([Sample("a", 1, 1), Sample("a", 2, 1, instance=7)], 10.0)
    store.put([Sample("b", 1, 1)], 11.0)
    store.forget_stale(10.0)
    assert store.site().keys() == {"b"}
    assert store.instance(7) == {}
