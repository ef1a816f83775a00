"""Learn a policy's parameters on line, and never do worse than with those of the start for long.

Time is cut into periods, each with one setting of the parameters (`Knob`, scaled to 0–1), at the end of which
a value is told, the lower the better. A Gaussian process explains the logarithms of values by what the
setting does and by a level that drifts whatever the setting, both of which it forgets (Bogunovic, Scarlett,
Cevher, "Time-varying Gaussian process bandit optimization", AISTATS 2016). What counts of a setting is its
difference to the start's, which has no level in it. Settings are drawn by Thompson sampling (Thompson,
Biometrika 25, 1933), near the one that is known to be best.

What it costs to learn is bounded. The start's setting has its turn again and again, and at once when a value
is much worse. Another one stays only as long as it is better than the start's with a probability of `_SURE`.
Trials have an account: what they were worse than the start's, in periods of its value, is at most `_ALLOWED`
of all periods and `_ADVANCE`, but for the last trial.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist, median
from typing import Any, Literal

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from threadpoolctl import ThreadpoolController

Role = Literal["start", "trial", "kept"]
Point = tuple[float, ...]
"""A setting: each parameter on its scale, 0–1."""

_EFFECT = 0.3
"""What settings do to the logarithm of values: standard deviation."""
_LEVEL = 0.5
"""How far the level goes, likewise."""
_LENGTH = 0.35
"""Settings that are so far from each other are of another kind."""
_LEVEL_PERIODS = 4.0
_EFFECT_PERIODS = 60.0
"""After so many periods the level, and what settings do, are others."""
_KEPT_VALUES = 80
_CANDIDATES = 128
_NEAR = 0.3
_SURE = 0.9
_START_EVERY = 2, 6
"""The start's turn comes after so many periods: when nothing better is known, and when it is."""
_SURPRISE = 3.0
"""Standard deviations."""
_ALLOWED = 0.03
_ADVANCE = 1.0
_NOISE = 0.1
_NOISES = 0.02, 0.5
_ENOUGH = 4
_JITTER = 1e-8
_EVERYWHERE = 1e6

_LIBRARIES = ThreadpoolController()
"""Threads for matrices as small as these only wait for each other."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter: its name, its bounds, and whether it is its logarithm that counts."""

    name: str
    low: float
    high: float
    logarithmic: bool = False

    def value(self, at: float) -> float:
        """The parameter, given its place on the scale 0–1."""
        if self.logarithmic:
            return self.low * (self.high / self.low) ** at
        return self.low + at * (self.high - self.low)

    def place(self, value: float) -> float:
        """The place on the scale of a parameter."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Turn:
    """A period: what is set in it, and why."""

    point: Point
    role: Role


@dataclass(frozen=True, slots=True)
class _Seen:
    turn: Turn
    at: int
    log: float


class Tuner:
    """Says what to set next, given what came of it before.

    Attributes:
        start: the setting to begin with.
        kept: the one that is better; None while none is known to be.
        turn: what is set now.
        periods: that are over.
        owed: by how much trials were worse than the start's setting, in periods of its value.
    """

    def __init__(self, start: Point, seed: int = 0):
        """`start` is the setting to begin with and to compare with; `seed` is of what is tried."""
        self.start = start
        self._random = np.random.default_rng(seed)
        self._seen: deque[_Seen] = deque(maxlen=_KEPT_VALUES)
        self.periods = 0
        self.owed = 0.0
        self._surprised = False
        self.kept: Point | None = None
        self.turn = Turn(start, "start")

    def is_bad(self, value: float) -> bool:
        """Whether a value is so much worse than the start's last one that the period should end."""
        last = self._last_start()
        return self.turn.role != "start" and last is not None and math.log(value) - last > math.log(2)

    def told(self, value: float) -> Turn:
        """The value of the period that is over, above 0; what comes next."""
        log = math.log(value)
        last = self._last_start()
        if self.turn.role == "trial" and last is not None:
            self.owed += max(0.0, math.exp(min(log - last, 50.0)) - 1)
        noise = self._noise()
        self._surprised = (
            self.turn.role == "kept" and last is not None and log - last > _SURPRISE * math.sqrt(2) * noise
        )
        self.periods += 1
        self._seen.append(_Seen(self.turn, self.periods, log))
        with _LIBRARIES.limit(limits=1):
            model = _Model(self._seen, noise)
            self.kept = self._best(model)
            self.turn = self._next(model)
        return self.turn

    def _next(self, model: _Model) -> Turn:
        since = next((back for back, one in enumerate(reversed(self._seen)) if one.turn.role == "start"), 99)
        if self._surprised or since + 1 >= _START_EVERY[self.kept is not None]:
            return Turn(self.start, "start")
        tried = self._seen[-1].turn.role == "trial"
        if not tried and self.owed <= _ADVANCE + _ALLOWED * self.periods:
            return Turn(self._drawn(model), "trial")
        return Turn(self.start, "start") if self.kept is None else Turn(self.kept, "kept")

    def _drawn(self, model: _Model) -> Point:
        centre = np.array(self.kept or self.start)
        shape = (_CANDIDATES, len(self.start))
        points = np.clip(centre + self._random.uniform(-_NEAR, _NEAR, shape), 0.0, 1.0)
        drawn = model.draw(points, self.periods + 1, self._random)
        return tuple(float(x) for x in points[int(np.argmin(drawn))])

    def _best(self, model: _Model) -> Point | None:
        """The setting that is most surely better than the start's, of those seen; None when none is."""
        points = sorted({one.turn.point for one in self._seen} - {self.start})
        if not points:
            return None
        mean, deviation = model.better(points, self.start, self.periods + 1)
        sure = [
            (m, point)
            for m, d, point in zip(mean, deviation, points, strict=True)
            if NormalDist(m, max(d, 1e-9)).cdf(0.0) >= _SURE
        ]
        return min(sure)[1] if sure else None

    def _last_start(self) -> float | None:
        return next((one.log for one in reversed(self._seen) if one.turn.role == "start"), None)

    def _noise(self) -> float:
        """Standard deviation of the logarithm of a value, by how the start's differ from one to the next."""
        starts = [one.log for one in self._seen if one.turn.role == "start"]
        steps = [abs(after - before) for before, after in pairwise(starts)]
        if len(steps) < _ENOUGH:
            return _NOISE
        return min(_NOISES[1], max(_NOISES[0], median(steps) / 0.6745 / math.sqrt(2)))


class _Model:
    """What settings do, and the level, given what was seen."""

    def __init__(self, seen: Sequence[_Seen], noise: float):
        dimensions = len(seen[0].turn.point)
        # The library's annotations know of neither a scale for each dimension nor the lack of an optimiser.
        rbf: Any = RBF
        regressor: Any = GaussianProcessRegressor
        effect = ConstantKernel(_EFFECT**2) * rbf([_LENGTH] * dimensions + [_EFFECT_PERIODS])
        level = ConstantKernel(_LEVEL**2) * rbf([_EVERYWHERE] * dimensions + [_LEVEL_PERIODS])
        self._fit = regressor(effect + level, alpha=noise**2, optimizer=None)
        logs = np.array([one.log for one in seen])
        self._fit.fit(np.array([[*one.turn.point, one.at] for one in seen]), logs - logs.mean())

    def better(self, points: Sequence[Point], start: Point, at: int) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of what each point's value is over the start's, as logarithms."""
        mean, covariance = self._fit.predict(
            np.array([[*point, at] for point in (*points, start)]), return_cov=True
        )
        variance = np.diag(covariance)[:-1] + covariance[-1, -1] - 2 * covariance[:-1, -1]
        return list(mean[:-1] - mean[-1]), list(np.sqrt(np.maximum(variance, 0.0)))

    def draw(self, points: Any, at: int, random: np.random.Generator) -> Any:
        """What the points' values may be."""
        mean, covariance = self._fit.predict(
            np.column_stack([points, np.full(len(points), at)]), return_cov=True
        )
        root = np.linalg.cholesky(covariance + _JITTER * np.eye(len(points)))
        return mean + root @ random.standard_normal(len(points))
