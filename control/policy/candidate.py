"""What a policy sees of an instance, as one ingress router sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from cfn.load import FULLY_BUSY, MAX_LOAD
from control.model import InstanceKey

_LEFT_WHEN_FULL = 0.02
_OVERLOAD = 0.9
_BACKLOG = 5.0
"""A queue that takes longer than this many service times is an overload, whatever the load says."""

LONG_S = 60.0
"""Whoever has been known for so long has settled; by how much longer makes no difference."""

BEST_NORM = 10
"""Of a CATS metric of level 2."""
_BUSIEST = 0.95
"""The average queue grows without bound as utilisation nears 1; what waits beyond that is told as a queue."""
_SERVICE_MS = 10.0
_CAPACITY_RPS = 100.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance that may be chosen.

    How old the knowledge is does not count when two are compared: shares don't depend on it, only how fast
    they are moved (`stability`).

    Attributes:
        key: site and instance id.
        delay_ms: network delay from the ingress to its host, one way.
        service_ms: time a usual request takes a worker; 0 when unknown.
        capacity_rps: requests a second it could do; 0 when unknown.
        arrival_rps: requests a second it gets, from all ingress routers.
        load: 0–255.
        queue: requests that wait.
        cost: price of a request: the site's, and that of the path.
        response_ms: response time that the ingress measured lately, or None.
        utilisation: share of its workers' time that is busy, 0–1.
        completed_rps: requests a second that it answers.
        error_rps: requests a second among them that fail.
        measured: whether its service time and capacity are its own, and not taken from others.
        within_ms: mean response time that the demand class asks for; infinite when none.
        norm_fi: its CATS metric of level 2, 0–10, 10 best; None when it tells none.
        known_s: for how long its site has told of it; whole seconds, at most `LONG_S`.
        age_s: since when its site's last advert is here.
        interval_s: between its site's adverts, smoothed; 0 until there were two.
    """

    key: InstanceKey
    delay_ms: float
    service_ms: float = 0.0
    capacity_rps: float = 0.0
    arrival_rps: float = 0.0
    load: int = 0
    queue: int = 0
    cost: float = 0.0
    response_ms: float | None = None
    utilisation: float = 0.0
    completed_rps: float = 0.0
    error_rps: float = 0.0
    measured: bool = True
    within_ms: float = math.inf
    norm_fi: int | None = None
    known_s: float = LONG_S
    age_s: float = field(default=0.0, compare=False)
    interval_s: float = field(default=0.0, compare=False)

    @property
    def unloaded_ms(self) -> float:
        """Response time with nothing else to do: the way there and back, and the service."""
        return 2 * self.delay_ms + self.service_ms

    @property
    def room(self) -> float:
        """Share of its capacity to be given, 0–1: all of it until requests wait, then less and less."""
        spare = (MAX_LOAD - self.load) / (MAX_LOAD - FULLY_BUSY)
        return max(_LEFT_WHEN_FULL, min(1.0, spare))

    @property
    def usable_rps(self) -> float:
        """The capacity it should be given, requests a second."""
        return self.capacity_rps * self.room

    @property
    def backlog_ms(self) -> float:
        """How long a new request waits for those in the queue."""
        return 1000 * self.queue / self.capacity_rps

    @property
    def wait_ms(self) -> float:
        """The most that a wait is explained for by what is told."""
        return 1000 * ahead(self.load, self.queue) / self.capacity_rps

    @property
    def overloaded(self) -> bool:
        """Whether it must lose traffic at once."""
        return (
            self.load >= _OVERLOAD * MAX_LOAD
            or (self.load >= FULLY_BUSY and self.arrival_rps >= self.capacity_rps)
            or self.backlog_ms > _BACKLOG * self.service_ms
        )


def ahead(load: int, queue: int) -> float:
    """Requests that a new one may find waiting, at most, by the load and the queue that are told.

    Those that are told, or as many as wait on average at that load (M/M/1, ρ/(1 − ρ); Kleinrock, *Queueing
    Systems* I, 1975, §3.2), whichever is more.
    """
    busy = min(_BUSIEST, load / FULLY_BUSY)
    return max(float(queue), busy / (1 - busy))


def complete(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Fill in what is not known yet: an instance that was never measured is taken for one like the others.

    One that tells nothing but how good it is, by its `norm_fi`, is taken for one of so much less capacity.
    """
    if all(c.service_ms > 0 and c.capacity_rps > 0 for c in candidates):
        return list(candidates)
    service = [c.service_ms for c in candidates if c.service_ms > 0]
    capacity = [c.capacity_rps for c in candidates if c.capacity_rps > 0]
    service_ms = median(service) if service else _SERVICE_MS
    capacity_rps = median(capacity) if capacity else _CAPACITY_RPS
    return [
        c
        if c.service_ms > 0 and c.capacity_rps > 0
        else replace(
            c,
            service_ms=c.service_ms or service_ms,
            capacity_rps=c.capacity_rps or capacity_rps * _as_good(c),
            measured=False,
        )
        for c in candidates
    ]


def _as_good(c: Candidate) -> float:
    """By what an unknown capacity is less than that of others."""
    return 1.0 if c.norm_fi is None else max(_LEFT_WHEN_FULL, c.norm_fi / BEST_NORM)
