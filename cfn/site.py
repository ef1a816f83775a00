"""What the instances of a site say of themselves, turned into what the site advertises.

Pure: statuses and times come in, views go out; sockets and clocks are `cfn.agent`'s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from cfn.cpu import Cpu
from cfn.run_times import RunTimes, Share, Times
from cfn.status import InstanceStatus

WINDOW_US = 1_000_000
"""Span over which rates are measured."""
SILENT_AFTER_S = 2.0
"""An instance that has not reported for so long is not advertised any more."""
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
    error_rps: float
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
        for known in self._instances.values():
            known.run_times.used(cpu)
        workers = sum(known.last.workers for known in self._instances.values())
        share = Share(cpu.cores, 1 - cpu.utilisation, len(self._instances), workers)
        views = (self._instances[number].view(share) for number in sorted(self._instances))
        return tuple(replace(view, draining=True) if draining else view for view in views)


class _History:
    """What one run of an instance's server has reported: of late, and what its runs took before."""

    def __init__(self) -> None:
        self.heard = 0.0
        self._statuses: deque[InstanceStatus] = deque()
        self.run_times = RunTimes()

    @property
    def last(self) -> InstanceStatus:
        return self._statuses[-1]

    def take(self, status: InstanceStatus, now: float) -> None:
        self.heard = now
        if self._statuses and status.completed > self.last.completed:
            self.run_times.take(self.last, status, now)
        self._statuses.append(status)
        # One status from before the window stays, so that the window is covered whole.
        while len(self._statuses) > 2 and self._statuses[1].at_us <= status.at_us - WINDOW_US:
            self._statuses.popleft()

    def view(self, share: Share) -> InstanceView:
        """The instance as it stands."""
        first, last = self._statuses[0], self._statuses[-1]
        span_s = (last.at_us - first.at_us) / 1e6
        completed_rps = (last.completed - first.completed) / span_s if span_s else 0.0
        times = self.run_times.times(share, idle=not completed_rps)
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
            error_rps=(last.failed - first.failed) / span_s if span_s else 0.0,
            capacity_rps=_capacity_rps(last.workers, times, completed_rps, share),
            concurrency=last.workers,
            draining=last.state == "draining",
            also=last.also,
        )


def _capacity_rps(workers: int, times: Times, completed_rps: float, share: Share) -> float:
    """Requests a second that workers and CPU allow.

    By the CPU, that is what it does now and what spare cores would add, or what it gets beside others that
    want them as much, whichever is more.
    """
    if not times.mean_s:
        return 0.0
    by_workers = workers / times.mean_s
    if not times.cpu_s:
        return by_workers
    spare = share.cores * share.left / share.instances
    by_cpu = max(completed_rps + spare / times.cpu_s, workers / times.crowded_s)
    return max(_LEAST_CAPACITY * workers / times.best_s, min(by_workers, by_cpu))
