"""How long requests wait at an instance that gets so many of them: the M/M/c queue.

The wait is Sakasegawa's approximation ("An approximation formula L_q ≃ α·ρ^β/(1 − ρ)", Annals of the
Institute of Statistical Mathematics 29, 1977), exact for one worker (Kleinrock, *Queueing Systems* I, 1975,
§3.2):

    W(x) = ρ^k / (μ·(1 − ρ))        ρ = x/μ        k = √(2(c + 1)) − 1

Times are in ms and rates in requests a ms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from control.policy.candidate import Candidate

_KEPT = 4096
_STEPS = 50
_EXACT = 1e-8
_CLOSE = 1e-4
"""A step of Newton's method from here leaves an error of about the square of it."""
_NEAR = 1e-9
"""How near to idle or full a utilisation may be to begin a search from."""
_LEAST = -700.0
"""Of logits: below, e^x is no normal number any more."""


@dataclass(frozen=True, slots=True)
class Queue:
    """An instance's queue.

    Attributes:
        capacity: μ, requests a ms that all its workers do.
        workers: c, at least 1; what is in between is interpolated.
        k: the exponent that follows from them.
    """

    capacity: float
    workers: float = 1.0
    k: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", math.sqrt(2 * (self.workers + 1)) - 1)

    @staticmethod
    def of(c: Candidate) -> Queue:
        """The queue of a candidate: by Little's law its workers are those that its capacity keeps busy."""
        return _queue(c.usable_rps, c.capacity_rps, c.service_ms)

    def wait_ms(self, flow: float) -> float:
        """How long a request waits on average when `flow` arrives, less than the capacity."""
        busy = flow / self.capacity
        return busy**self.k / (self.capacity * (1 - busy))

    def marginal_ms(self, flow: float) -> float:
        """By how much all waits together grow with the flow: d/dx x·W(x)."""
        busy = flow / self.capacity
        k = self.k
        return busy**k * (k + 1 - k * busy) / (self.capacity * (1 - busy) ** 2)

    def flow_of_wait(self, wait_ms: float) -> float:
        """The flow at which a request waits for so long."""
        if wait_ms <= 0:
            return 0.0
        if math.isinf(wait_ms):
            return self.capacity
        k = self.k

        def slope(busy: float) -> float:
            return k * (1 - busy) + busy

        def value(busy: float, idle: float) -> float:
            return k * math.log(busy) - math.log(idle)

        return self.capacity * _solved(value, slope, math.log(self.capacity * wait_ms))


@lru_cache(_KEPT)
def _queue(usable_rps: float, capacity_rps: float, service_ms: float) -> Queue:
    # The same at all routers.
    return Queue(usable_rps / 1000, max(1.0, capacity_rps * service_ms / 1000))


def flows_of_marginal(
    queues: Iterable[Queue], marginals_ms: Iterable[float], near: Iterable[float]
) -> list[float]:
    """The flows at which waits grow by so much (`marginal_ms`), by queue.

    They are found sooner where others are known that are near, 0 for none. This is most of what a decision
    costs, so it is done for many at a time.
    """
    log, exp = math.log, math.exp
    flows: list[float] = []
    for queue, marginal_ms, flow in zip(queues, marginals_ms, near, strict=True):
        capacity, k = queue.capacity, queue.k
        if marginal_ms <= 0:
            flows.append(0.0)
            continue
        scaled = capacity * marginal_ms
        if queue.workers <= 1:
            flows.append(capacity * (1 - 1 / math.sqrt(1 + scaled)))
            continue
        wanted = log(scaled)
        if _NEAR < flow / capacity < 1 - _NEAR:
            logit = log(flow / (capacity - flow))
        else:
            # What it tends to when next to nothing flows, and when next to all does.
            logit = max((wanted - log(k + 1)) / k, wanted / 2)
        # Newton's method over the logit, as in `_solved`.
        for _ in range(_STEPS):
            odds = exp(-logit)
            busy = 1 / (1 + odds)
            idle = odds * busy
            rest = k + 1 - k * busy
            missing = wanted - k * log(busy) - log(rest) + 2 * log(idle)
            logit += missing / (k * idle * (1 - busy / rest) + 2 * busy)
            if -_CLOSE < missing < _CLOSE:
                break
            if not _LEAST < logit < -_LEAST:
                logit = max(_LEAST, min(-_LEAST, logit))
        flows.append(capacity / (1 + exp(-logit)))
    return flows


def bends_ms(queues: Iterable[Queue], flows: Iterable[float]) -> Iterator[float]:
    """By how much `marginal_ms` grows with flows that are above 0: d²/dx² x·W(x)."""
    for queue, flow in zip(queues, flows, strict=True):
        k, busy = queue.k, flow / queue.capacity
        rest, free = k + 1 - k * busy, 1 - busy
        marginal_ms = busy**k * rest / (queue.capacity * free**2)
        by_logit = k * free * (1 - busy / rest) + 2 * busy
        yield marginal_ms * by_logit / (flow * free)


def _solved(value: Callable[[float, float], float], slope: Callable[[float], float], wanted: float) -> float:
    """The utilisation at which an increasing function of it has a value.

    Newton's method over its logit, in which the logarithms of waits are nearly straight lines.

    Args:
        value: of the utilisation and 1 minus it.
        slope: its derivative by the logit, of the utilisation.
        wanted: the value.
    """
    logit = 0.0
    for _ in range(_STEPS):
        busy = 1 / (1 + math.exp(-logit))
        idle = 1 / (1 + math.exp(logit))
        missing = wanted - value(busy, idle)
        if abs(missing) < _EXACT:
            break
        logit = max(_LEAST, min(-_LEAST, logit + missing / slope(busy)))
    return 1 / (1 + math.exp(-logit))
