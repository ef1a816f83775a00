"""What a link or a path is like, and its communication metric (L1).

The controller is the C-NMA of draft-ietf-cats-framework: probes and the catalogue are its raw metrics.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import NamedTuple

from cfn.metrics.levels import categories, scores
from cfn.metrics.profile import DEFAULT
from cfn.metrics.sample import Sample, Source, whole
from cfn.metrics.score import MetricType, Score


class Quality(NamedTuple):
    """One direction of a link, or a way along several.

    Attributes:
        delay_ms: one way.
        jitter_ms: how much that varies.
        loss: share of the packets that is lost.
        rate_mbps: bit rate, None when nothing is known to bound it.
        window_ms: over how long jitter and loss were measured; 0 where they are declared.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    rate_mbps: float | None = None
    window_ms: int = 0

    def then(self, other: Quality) -> Quality:
        """This way and then the other one.

        Delays add; jitter does as what varies independently, by its squares; the narrower rate is left.
        """
        rates = [rate for rate in (self.rate_mbps, other.rate_mbps) if rate is not None]
        return Quality(
            self.delay_ms + other.delay_ms,
            math.hypot(self.jitter_ms, other.jitter_ms),
            1 - (1 - self.loss) * (1 - other.loss),
            min(rates, default=None),
            max(self.window_ms, other.window_ms),
        )


def along(links: Iterable[Quality]) -> Quality:
    """The way along these links."""
    return reduce(Quality.then, links, Quality())


@lru_cache(maxsize=4096)
def communication(quality: Quality) -> Score:
    """Its metric of level 1, normalised as docs/metrics.md says."""
    window_ms = max(1, quality.window_ms)
    source = Source.MEASURED if quality.window_ms else Source.NOMINAL
    values = {
        "network_delay": whole(quality.delay_ms * 1000),
        "network_jitter": whole(quality.jitter_ms * 1000),
        "network_loss": whole(quality.loss * 1e6),
    }
    if quality.rate_mbps is not None:
        values["network_bandwidth"] = whole(quality.rate_mbps * 1000)
    samples = {name: Sample(name, value, window_ms, source=source) for name, value in values.items()}
    told = scores(DEFAULT, categories(DEFAULT, samples), {})
    return next(score for score in told if score.type is MetricType.COMMUNICATION_NORM)
