"""The interface of a collector, and what keeps its samples while they are fresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cfn.metrics.sample import Sample, Samples

NOTHING: Samples = {}


class CollectorError(Exception):
    """A collector got nothing this time; the text names the place and says why."""


class Collector(Protocol):
    """Something that measures, or asks whoever has measured."""

    @property
    def name(self) -> str:
        """What people know it by, such as a URL."""
        ...

    async def collect(self) -> Sequence[Sample]:
        """What is so now. May be cancelled at any time, and is when it takes too long.

        Raises:
            CollectorError: nothing came of it.
        """
        ...


class SampleStore:
    """The last samples of each collector, for as long as they are fresh.

    Where two collectors tell of the same metric, the one that told last counts. Times are seconds of one
    monotonic clock.
    """

    def __init__(self) -> None:
        self._site: dict[str, tuple[Sample, float]] = {}
        self._instances: dict[int, dict[str, tuple[Sample, float]]] = {}

    def put(self, samples: Sequence[Sample], fresh_until: float) -> None:
        """Take samples in."""
        for sample in samples:
            of = self._site if sample.instance is None else self._instances.setdefault(sample.instance, {})
            of[sample.metric] = (sample, fresh_until)

    def forget_stale(self, now: float) -> None:
        """Drop what is not fresh any more."""
        self._site = _fresh(self._site, now)
        left = {number: _fresh(held, now) for number, held in self._instances.items()}
        self._instances = {number: held for number, held in left.items() if held}

    def site(self) -> Samples:
        """Those of the site as a whole, by metric."""
        return {name: sample for name, (sample, _) in self._site.items()}

    def instance(self, number: int) -> Samples:
        """Those of one instance, by metric."""
        held = self._instances.get(number)
        return {name: sample for name, (sample, _) in held.items()} if held else NOTHING


def _fresh(held: dict[str, tuple[Sample, float]], now: float) -> dict[str, tuple[Sample, float]]:
    return {name: (sample, until) for name, (sample, until) in held.items() if until > now}
