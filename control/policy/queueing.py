"""How long requests wait at an instance that gets so many of them: the M/M/c queue.

The wait is Sakasegawa's approximation ("An approximation formula L_q ≃ α·ρ^β/(1 − ρ)", Annals of the
Institute of Statistical Mathematics 29, 1977), exact for one worker (Kleinrock, *Queueing Systems* I, 1975,
§3.2):

    W(x) = ρ^k / (μ·(1 − ρ))        ρ = x/μ        k = √(2(c + 1)) − 1

Times are in ms and rates in requests a ms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from control.policy.candidate import Candidate

_STEPS = 50
_EXACT = 1e-8
_NEAR = 1e-9
"""How near to idle or full a utilisation may be to begin a search from."""
_LEAST = -700.0
"""Of logits: below, e^x is no normal number any more."""


@dataclass(frozen=True)
class Queue:
    """An instance's queue.

    Attributes:
        capacity: μ, requests a ms that all its workers do.
        workers: c, at least 1; what is in between is interpolated.
    """

    capacity: float
    workers: float = 1.0

    @classmethod
    def of(cls, c: Candidate) -> Self:
        """The queue of a candidate: by Little's law its workers are those that its capacity keeps busy."""
        return cls(c.usable_rps / 1000, max(1.0, c.capacity_rps * c.service_ms / 1000))

    @cached_property
    def _k(self) -> float:
        return math.sqrt(2 * (self.workers + 1)) - 1

    def wait_ms(self, flow: float) -> float:
        """How long a request waits on average when `flow` arrives, less than the capacity."""
        busy = flow / self.capacity
        return busy**self._k / (self.capacity * (1 - busy))

    def marginal_ms(self, flow: float) -> float:
        """By how much all waits together grow with the flow: d/dx x·W(x)."""
        busy = flow / self.capacity
        k = self._k
        return busy**k * (k + 1 - k * busy) / (self.capacity * (1 - busy) ** 2)

    def bend_ms(self, flow: float) -> float:
        """By how much `marginal_ms` grows with the flow, which is above 0: d²/dx² x·W(x)."""
        busy = flow / self.capacity
        k = self._k
        by_logit = k * (1 - busy) * (1 - busy / (k + 1 - k * busy)) + 2 * busy
        return self.marginal_ms(flow) * by_logit / (flow * (1 - busy))

    def flow_of_marginal(self, marginal_ms: float, near: float = 0.0) -> float:
        """The flow at which waits grow by so much; found sooner when another one is known to be near."""
        if marginal_ms <= 0:
            return 0.0
        scaled = self.capacity * marginal_ms
        if self.workers <= 1:
            return self.capacity * (1 - 1 / math.sqrt(1 + scaled))
        k, wanted = self._k, math.log(scaled)
        logit = 0.0
        if _NEAR < near / self.capacity < 1 - _NEAR:
            logit = math.log(near / (self.capacity - near))
        # Newton's method over the logit, as in `_solved`; this is most of what a decision costs.
        for _ in range(_STEPS):
            odds = math.exp(-logit)
            busy = 1 / (1 + odds)
            idle = odds * busy
            rest = k + 1 - k * busy
            missing = wanted - k * math.log(busy) - math.log(rest) + 2 * math.log(idle)
            if abs(missing) < _EXACT:
                return self.capacity * busy
            logit += missing / (k * idle * (1 - busy / rest) + 2 * busy)
            logit = max(_LEAST, min(-_LEAST, logit))
        return self.capacity / (1 + math.exp(-logit))

    def flow_of_wait(self, wait_ms: float) -> float:
        """The flow at which a request waits for so long."""
        if wait_ms <= 0:
            return 0.0
        if math.isinf(wait_ms):
            return self.capacity
        k = self._k

        def slope(busy: float) -> float:
            return k * (1 - busy) + busy

        def value(busy: float, idle: float) -> float:
            return k * math.log(busy) - math.log(idle)

        return self.capacity * _solved(value, slope, math.log(self.capacity * wait_ms))


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
