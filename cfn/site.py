"""What the instances of a site say of themselves, turned into what the site advertises.

Pure: statuses and times come in, views go out; sockets and clocks are `cfn.agent`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from statistics import fmean, median
from typing import NamedTuple, Self

from cfn.cpu import Cpu
from cfn.status import InstanceStatus

WINDOW_US = 1_000_000
"""Span over which rates are measured."""
SILENT_AFTER_S = 2.0
"""An instance that has not reported for so long is not advertised any more."""
_REMEMBERED = 100
"""Statuses with runs that tell what runs take."""
_LATELY = 2
"""Those that tell how fast runs are now: of a quota of CPU time, a whole period."""
_LATELY_ELSE = 3
"""Those that do where runs hardly compute."""
_COMPUTES = 0.05
"""Part of their duration that runs use the CPU for, if they compute: less is not measured well."""
_LEAST_LEFT = 0.05
"""Share of the CPU below which what is left is not told apart."""
_LEAST_CAPACITY = 0.01
"""Share of its capacity on an idle site that an instance has at least, since 0 means unknown."""


@dataclass(frozen=True, slots=True)
class InstanceView:
    """An instance as the site advertises it; units as in `advert.proto`."""

    func_id: int
    instance: int
    ipv4: IPv4Address | None
    ipv6: IPv6Address | None
    load: int
    queue: int
    service_time_us: float
    arrival_rps: float
    completed_rps: float
    capacity_rps: float
    concurrency: int
    draining: bool
    also: tuple[int, ...] = ()


class StaleStatusError(ValueError):
    """A status that says less than what is known; the text says how."""


class SiteState:
    """The instances of a site, by number. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._instances: dict[int, _History] = {}

    def take(self, status: InstanceStatus, now: float) -> None:
        """An instance has reported.

        Raises:
            StaleStatusError: it is older than what is known, or another server has the instance's number.
        """
        known = self._instances.get(status.instance)
        if known and status.started_us < known.last.started_us:
            raise StaleStatusError(f"instance {status.instance}: a server that started later has this number")
        if known and status.started_us == known.last.started_us:
            if status.at_us <= known.last.at_us:
                raise StaleStatusError(f"instance {status.instance}: the status is older than the last one")
        elif status.state != "gone":
            known = self._instances[status.instance] = _History()
        if status.state == "gone":
            self._instances.pop(status.instance, None)
        elif known:
            known.take(status, now)

    def forget_silent(self, now: float) -> list[int]:
        """Drop the instances that have not reported for `SILENT_AFTER_S`; returns their numbers."""
        silent = [number for number, known in self._instances.items() if now - known.heard > SILENT_AFTER_S]
        for number in silent:
            del self._instances[number]
        return silent

    def next_silence(self) -> float | None:
        """When an instance will have been silent for too long, if none reports before."""
        return min((known.heard + SILENT_AFTER_S for known in self._instances.values()), default=None)

    def view(self, cpu: Cpu, *, draining: bool) -> tuple[InstanceView, ...]:
        """All instances, by number; `draining` when the whole site is.

        What is left of the site's CPU is thought of as shared by its instances.
        """
        left = 1 - cpu.utilisation
        spare = cpu.cores * left / max(1, len(self._instances))
        views = (self._instances[number].view(left, spare) for number in sorted(self._instances))
        return tuple(replace(view, draining=True) if draining else view for view in views)


@dataclass(frozen=True, slots=True)
class _Runs:
    """What ended between two statuses: how many runs, the sum of their durations, and of their CPU times."""

    count: int
    busy_s: float
    cpu_s: float

    @classmethod
    def between(cls, first: InstanceStatus, last: InstanceStatus) -> Self:
        """Those that the last status tells of and the first did not."""
        busy_us, cpu_us = last.busy_us - first.busy_us, last.cpu_us - first.cpu_us
        return cls(last.completed - first.completed, busy_us / 1e6, cpu_us / 1e6)


class _Times(NamedTuple):
    """What a run takes now, in seconds.

    Attributes:
        usual_s: one that is not long for this function.
        mean_s: of all.
        best_s: of all, on an idle site.
        cpu_s: of the CPU, of all.
    """

    usual_s: float
    mean_s: float
    best_s: float
    cpu_s: float


class _History:
    """What one run of an instance's server has reported: of late, and what its runs took before."""

    def __init__(self) -> None:
        self.heard = 0.0
        self._statuses: deque[InstanceStatus] = deque()
        self._runs = deque[_Runs](maxlen=_REMEMBERED)

    @property
    def last(self) -> InstanceStatus:
        return self._statuses[-1]

    def take(self, status: InstanceStatus, now: float) -> None:
        self.heard = now
        if self._statuses and status.completed > self.last.completed:
            self._runs.append(_Runs.between(self.last, status))
        self._statuses.append(status)
        # One status from before the window stays, so that the window is covered whole.
        while len(self._statuses) > 2 and self._statuses[1].at_us <= status.at_us - WINDOW_US:
            self._statuses.popleft()

    def view(self, left: float, spare: float) -> InstanceView:
        """The instance as it stands; `left` of the site's CPU as a share, `spare` for it in cores."""
        first, last = self._statuses[0], self._statuses[-1]
        span_s = (last.at_us - first.at_us) / 1e6
        completed_rps = (last.completed - first.completed) / span_s if span_s else 0.0
        times = (
            _times([*self._runs], left, idle=not completed_rps) if self._runs else _Times(0.0, 0.0, 0.0, 0.0)
        )
        return InstanceView(
            func_id=last.func_id,
            instance=last.instance,
            ipv4=last.ipv4,
            ipv6=last.ipv6,
            load=last.load,
            queue=last.queue,
            service_time_us=times.usual_s * 1e6,
            arrival_rps=(last.arrived - first.arrived) / span_s if span_s else 0.0,
            completed_rps=completed_rps,
            capacity_rps=_capacity_rps(last.workers, times, completed_rps, spare),
            concurrency=last.workers,
            draining=last.state == "draining",
            also=last.also,
        )


def _times(runs: Sequence[_Runs], left: float, *, idle: bool) -> _Times:
    """What a run takes now, by what runs took before.

    That is its work times the pace. The work is CPU time, as it has been for long, and the pace how long a
    second of it takes of late: so it is no slowness when more is asked for, however much. Where runs hardly
    compute, all have the same work and the pace is that of several statuses.

    An idle instance would compute in what is `left` of the site. Were it told of as it was last, maybe when
    the site was overloaded, no request would come to measure it again.
    """
    count = sum(one.count for one in runs)
    cpu_s = sum(one.cpu_s for one in runs)
    computes = cpu_s > 0 and cpu_s >= _COMPUTES * sum(one.busy_s for one in runs)
    worked = [(one, work) for one in runs if (work := one.cpu_s if computes else float(one.count))]
    works = [work for _, work in worked]
    paces = [one.busy_s / work for one, work in worked]
    best = _lower_quartile(paces)
    if idle:
        pace = best + (1 / max(_LEAST_LEFT, left) - 1) * cpu_s / sum(works)
    elif computes:
        pace = fmean(paces[-_LATELY:], works[-_LATELY:])
    else:
        pace = median(paces[-_LATELY_ELSE:])
    usual = _lower_quartile([work / one.count for one, work in worked])
    mean = sum(works) / count
    return _Times(usual * pace, mean * pace, mean * best, cpu_s / count)


def _lower_quartile(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 4]


def _capacity_rps(workers: int, times: _Times, completed_rps: float, spare: float) -> float:
    """Requests a second that workers and CPU allow: what it does now, and what spare cores would add."""
    if not times.mean_s:
        return 0.0
    by_workers = workers / times.mean_s
    if not times.cpu_s:
        return by_workers
    by_cpu = completed_rps + spare / times.cpu_s
    return max(_LEAST_CAPACITY * workers / times.best_s, min(by_workers, by_cpu))
