"""What function servers report of their instances, and the site's CPU meter, as raw metrics."""

from __future__ import annotations

from cfn.cpu import Cpu
from cfn.load import WINDOW_S
from cfn.metrics.sample import Sample, Samples, Source, Statistic, whole
from cfn.site import WINDOW_US, InstanceView

_PPM = 1_000_000
_LOAD_MS = round(WINDOW_S * 1000)
_TIMES_MS = WINDOW_US // 1000


def of_instance(view: InstanceView) -> Samples:
    """The load of an instance, what waits for each of its workers, and the time that a request takes there.

    That time is of a request that comes now: those in the queue are served first, by all workers.
    """
    workers = view.concurrency
    found = {
        "service_load": Sample("service_load", view.load, _LOAD_MS, instance=view.instance),
        "service_backlog": Sample(
            "service_backlog",
            _rounded(1000 * view.queue, workers),
            _LOAD_MS,
            Statistic.CURRENT,
            instance=view.instance,
        ),
    }
    if view.service_time_us:
        service_us = whole(view.service_time_us)
        found["response_time"] = Sample(
            "response_time",
            service_us + _rounded(service_us * view.queue, workers),
            _TIMES_MS,
            source=Source.ESTIMATION,
            instance=view.instance,
        )
    return found


def of_cpu(cpu: Cpu) -> Samples:
    """The site's CPU, once it was measured."""
    if not cpu.window_s:
        return {}
    window_ms = max(1, whole(cpu.window_s * 1000))
    used = Sample("compute_logic_utilisation", whole(cpu.utilisation * _PPM), window_ms)
    return {used.metric: used}


def _rounded(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)
