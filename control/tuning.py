"""Services whose policy's parameters are learned: when a period is over, and what came of it.

What counts is the mean of the response times that routers measure, by the shares that members have; for `mix`
the price besides, each in proportion to what it was when it began. All of it is soft state: a controller that
starts begins with what the catalogue says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from control.catalogue import Catalogue, Service
from control.events import EventLog
from control.measurements import Measurements
from control.policy import Parameters
from control.policy.shares import of_weights
from control.steering import Decision, Steering
from control.tuner import Knob, Point, Tuner

PERIOD_S = 10.0
_SETTLING_S = 3.0
"""At the beginning of a period: weights are still on their way, and measured times are of before."""
_LEAST = 4
"""Looks without which a period is not over."""

_VARIABILITY = Knob("variability", 0.25, 4.0, logarithmic=True)
_PACE = Knob("pace", 0.25, 4.0, logarithmic=True)
_HEADROOM = Knob("headroom", 0.5, 0.95)
KNOBS: Mapping[str, tuple[Knob, ...]] = {
    "latency": (_VARIABILITY, _PACE),
    "mix": (_VARIABILITY, _PACE, _HEADROOM),
}
"""What is learned of each policy."""


@dataclass(slots=True)
class _Tuned:
    """A service, and the period it is in."""

    start: Parameters
    cost_weight: float
    knobs: tuple[Knob, ...]
    tuner: Tuner
    began: float
    looks: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    first: tuple[float, float] | None = None

    def parameters(self, point: Point) -> Parameters:
        """What a setting stands for."""
        values = {knob.name: knob.value(at) for knob, at in zip(self.knobs, point, strict=True)}
        return replace(self.start, **values)

    def value(self) -> float:
        """What the period came to so far: response time and price, in proportion to the first period's."""
        time, price = (fmean(one) for one in zip(*self.looks, strict=True))
        if self.first is None:
            self.first = time, price
        weight = self.cost_weight if self.first[1] > 0 else 0.0
        return (1 - weight) * time / self.first[0] + (weight * price / self.first[1] if weight else 0.0)


class Tuning:
    """All services that are tuned."""

    def __init__(
        self,
        catalogue: Catalogue,
        steering: Steering,
        measurements: Measurements,
        clock: Callable[[], float],
        events: EventLog,
    ):
        """`clock` gives seconds, monotonic."""
        self._steering = steering
        self._measurements = measurements
        self._clock = clock
        self._events = events
        self._tuned = {service.name: self._begin(service) for service in catalogue.services if service.tune}

    def _begin(self, service: Service) -> _Tuned:
        policy, start = self._steering.services.policy(service), self._steering.services.parameters(service)
        knobs = KNOBS[policy]
        point = tuple(knob.place(getattr(start, knob.name)) for knob in knobs)
        weight = service.cost_weight if policy == "mix" else 0.0
        return _Tuned(start, weight, knobs, Tuner(point), self._clock())

    def look(self) -> dict[str, Parameters]:
        """Measure; call it about twice a second.

        Returns:
            By name of service, the parameters that it is to have from now on, where there are new ones.
        """
        found: dict[str, Parameters] = {}
        now = self._clock()
        for name, one in self._tuned.items():
            since_s = now - one.began
            if since_s < _SETTLING_S:
                continue
            measured = self._measured(name)
            if measured is not None:
                one.looks.append(measured)
            if len(one.looks) >= _LEAST and (since_s >= PERIOD_S or one.tuner.is_bad(one.value())):
                found |= self._over(name, one, now)
        return found

    def _over(self, name: str, one: _Tuned, now: float) -> dict[str, Parameters]:
        before, kept = one.tuner.turn, one.tuner.kept
        turn = one.tuner.told(one.value())
        one.began, one.looks = now, []
        if one.tuner.kept != kept:
            told = one.parameters(one.tuner.kept or one.tuner.start)
            event = "tuning-returned" if one.tuner.kept is None else "tuning-kept"
            self._events(event, service=name, **_shown(told, one.knobs))
        return {name: one.parameters(turn.point)} if turn.point != before.point else {}

    def _measured(self, name: str) -> tuple[float, float] | None:
        """Mean response time (ms) and price of the service's requests, of the routers that measured some."""
        found = [each for router, one in self._decisions(name) if (each := self._of(router, one))]
        if not found:
            return None
        times, prices = zip(*found, strict=True)
        return fmean(times), fmean(prices)

    def _decisions(self, name: str) -> Iterator[tuple[str, Decision]]:
        different = {(router, id(one)): one for router, one in self._steering.tuned_decisions(name)}
        return ((router, one) for (router, _), one in different.items())

    def _of(self, router: str, decision: Decision) -> tuple[float, float] | None:
        times = {member: self._measurements.response_ms(router, member) for member in decision.weights}
        measured = {member: ms for member, ms in times.items() if ms}
        shares = of_weights({member: decision.weights[member] for member in measured})
        if not shares:
            return None
        time = math.fsum(share * measured[member] for member, share in shares.items())
        return time, math.fsum(decision.shares[c.key] * c.cost for c in decision.candidates)

    def tree(self) -> dict[str, Any]:
        """What is tuned, for the status."""
        return {
            name: {
                "role": one.tuner.turn.role,
                "parameters": _shown(one.parameters(one.tuner.turn.point), one.knobs),
                "start": _shown(one.start, one.knobs),
                "kept": one.tuner.kept and _shown(one.parameters(one.tuner.kept), one.knobs),
                "periods": one.tuner.periods,
                "owed": round(one.tuner.owed, 3),
            }
            for name, one in self._tuned.items()
        }


def _shown(parameters: Parameters, knobs: tuple[Knob, ...]) -> dict[str, float]:
    return {knob.name: round(getattr(parameters, knob.name), 3) for knob in knobs}
