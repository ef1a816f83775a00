"""What a run takes at an instance, alone and beside others, by what its statuses tell of runs.

That is its work times the pace. The work is CPU time, as it has been for long, and the pace how long a second
of it takes of late: so it is no slowness when more is asked for, however much. Where runs hardly compute, all
have the same work.

Whatever runs at a site gets an equal part of its cores (processor sharing; Kleinrock, *Queueing Systems* II,
1976, §4.4): where n runs and b others want c cores, the pace is (n + b)/c, once that is above 1. So each run
less beside it makes the pace 1/c quicker, each more 1/c slower, whatever else the site does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple, Self

from cfn.cpu import Cpu
from cfn.status import InstanceStatus
from cfn.usual import REMEMBERED, lower_quartile

_LATELY_S = 0.09
"""Statuses within so long tell how fast runs are now: two, which cover a period of a quota of CPU time."""
_LATELY_ELSE = 3
"""Statuses that do where runs hardly compute."""
_COMPUTES = 0.05
"""Part of their duration that runs use the CPU for, if they compute: less is not measured well."""
_LEAST_LEFT = 0.05
"""Share of the CPU below which what is left is not told apart."""
_FREE = 4
"""Statuses of a site with CPU left by which the pace there is known: one may be from just before a rush."""
_TAKEN_FOR_USUAL = 20
"""So many runs of the usual work count in the mean, too: few tell little of how many long ones there are."""


class Share(NamedTuple):
    """What an instance shares with the others of its site.

    Attributes:
        cores: the CPU that there is.
        left: part of it that is not in use.
        instances: how many there are.
        workers: of all of them.
    """

    cores: float
    left: float
    instances: int
    workers: int


class Times(NamedTuple):
    """What a run takes now, in seconds; all 0 where nothing was measured.

    Attributes:
        usual_s: one that is not long for this function, alone.
        mean_s: of all, alone.
        crowded_s: of all, while all workers of the site run.
        best_s: of all, alone on an idle site.
        cpu_s: of the CPU, of all.
    """

    usual_s: float = 0.0
    mean_s: float = 0.0
    crowded_s: float = 0.0
    best_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Runs:
    """What ended between two statuses: how many runs, and sums over them.

    Attributes:
        at_s: when the last status was measured.
        beside_s: times that others ran beside them.
    """

    at_s: float
    count: int
    busy_s: float
    cpu_s: float
    beside_s: float

    @classmethod
    def between(cls, first: InstanceStatus, last: InstanceStatus) -> Self:
        """Those that the last status tells of and the first did not."""
        return cls(
            last.at_us / 1e6,
            last.completed - first.completed,
            (last.busy_us - first.busy_us) / 1e6,
            (last.cpu_us - first.cpu_us) / 1e6,
            (last.beside_us - first.beside_us) / 1e6,
        )


class RunTimes:
    """What the runs of an instance took."""

    def __init__(self) -> None:
        self._runs = deque[_Runs](maxlen=REMEMBERED)
        self._usual_cpu_s = 0.0
        self._recent = deque[tuple[float, _Runs]](maxlen=REMEMBERED)
        self._free = deque[float](maxlen=REMEMBERED)

    def take(self, first: InstanceStatus, last: InstanceStatus, now: float) -> None:
        """Runs have ended between two statuses, the last of which came now."""
        runs = _Runs.between(first, last)
        self._runs.append(runs)
        self._recent.append((now, runs))
        self._usual_cpu_s = last.usual_cpu_us / 1e6

    def used(self, cpu: Cpu) -> None:
        """The site's CPU was used like this up to when it was measured."""
        while self._recent and self._recent[0][0] <= cpu.at:
            _, runs = self._recent.popleft()
            if cpu.utilisation < 1 - _LEAST_LEFT and runs.cpu_s:
                self._free.append(runs.busy_s / runs.cpu_s)

    def times(self, share: Share, *, idle: bool) -> Times:
        """What a run takes now.

        An idle instance would compute in what is left of the site. Were it told of as it was last, maybe when
        the site was overloaded, no request would come to measure it again.
        """
        if not self._runs:
            return Times()
        count = sum(one.count for one in self._runs)
        cpu_s = sum(one.cpu_s for one in self._runs) / count
        if cpu_s > 0 and cpu_s * count >= _COMPUTES * sum(one.busy_s for one in self._runs):
            runs = [one for one in self._runs if one.cpu_s]
            lately = [one for one in runs if one.at_s > runs[-1].at_s - _LATELY_S]
            pace = sum(one.busy_s for one in lately) / sum(one.cpu_s for one in lately)
            best = lower_quartile(self._free) if len(self._free) >= _FREE else 1.0
            mean, usual, cpu = cpu_s, self._usual_cpu_s or cpu_s, 1.0
        else:
            lately = [*self._runs][-_LATELY_ELSE:]
            pace = median(one.busy_s / one.count for one in lately)
            best = lower_quartile(one.busy_s / one.count for one in self._runs)
            mean, usual, cpu = 1.0, 1.0, cpu_s
        busy_s, beside = sum(one.busy_s for one in lately), 0.0
        if idle:
            pace = best + (1 / max(_LEAST_LEFT, share.left) - 1) * cpu
        elif busy_s:
            beside = sum(one.beside_s for one in lately) / busy_s
        mean += (usual - mean) * _TAKEN_FOR_USUAL / (count + _TAKEN_FOR_USUAL)
        alone = max(best, pace - beside * cpu / share.cores)
        more = max(0.0, share.workers - 1 - beside)
        crowded = max(pace + more * cpu / share.cores, share.workers * cpu / share.cores)
        return Times(usual * alone, mean * alone, mean * crowded, mean * best, mean * cpu)
