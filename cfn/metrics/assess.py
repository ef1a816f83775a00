"""What an advert says of a site and its instances, by the samples that were collected.

A category of an instance comes from its own samples where it has any of that category. Where it has none it
is the site's, and not told again: what instances share, such as the processor, is measured once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cfn.metrics.levels import categories, mean, scores
from cfn.metrics.profile import Profile
from cfn.metrics.sample import LONGEST_MS, Samples
from cfn.metrics.score import Score
from cfn.proto import advert_pb2 as pb

_COMPUTE = {
    "compute_logic_utilisation": pb.Resources.Compute.LOGIC,
    "compute_parallel_utilisation": pb.Resources.Compute.PARALLEL,
    "compute_neural_utilisation": pb.Resources.Compute.NEURAL,
}
_AMOUNTS = {
    "memory_size": "memory",
    "memory_left": "memory_left",
    "storage_size": "storage",
    "storage_left": "storage_left",
    "power": "power_mw",
}
_WHOLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is told of a site.

    Attributes:
        profile: how it was made.
        site: metrics of the site as a whole.
        instances: of each instance, in the order they were given in.
        samples: the site's raw samples.
    """

    profile: Profile
    site: tuple[Score, ...]
    instances: tuple[tuple[Score, ...], ...]
    samples: Samples

    def put_into(self, advert: pb.Advert) -> None:
        """Add it to an advert, whose instances are in the same order."""
        advert.metrics.extend(_messages(self.site))
        for instance, told in zip(advert.instances, self.instances, strict=True):
            instance.metrics.extend(_messages(told))
        resources = resources_message(self.samples)
        if resources is not None:
            advert.resources.CopyFrom(resources)
        if self.site or any(self.instances):
            advert.profile.CopyFrom(self.profile.message)


def assess(profile: Profile, site: Samples, instances: Sequence[Samples]) -> Assessment:
    """Everything of a site at once.

    Args:
        profile: how to normalise.
        site: samples of the site as a whole.
        instances: those of each instance.
    """
    shared = categories(profile, site)
    own = [categories(profile, samples) for samples in instances]
    # What is measured of instances only, such as the service, is the mean of theirs for the site.
    of_site = {**mean(own), **shared}
    told = tuple(scores(profile, each, shared) for each in own)
    return Assessment(profile, scores(profile, of_site, {}), told, site)


def resources_message(samples: Samples) -> pb.Resources | None:
    """What the site has and uses; None when nothing of that was measured."""
    told = [samples[name] for name in (*_COMPUTE, *_AMOUNTS) if name in samples]
    if not told:
        return None
    amounts = {field: samples[name].value for name, field in _AMOUNTS.items() if name in samples}
    for what in ("memory", "storage"):
        # Half of it, which a collector that failed in between leaves, says nothing.
        if not {what, f"{what}_left"} <= amounts.keys() or amounts[f"{what}_left"] > amounts[what]:
            amounts.pop(what, None)
            amounts.pop(f"{what}_left", None)
    return pb.Resources(
        window_ms=min(LONGEST_MS, max(sample.window_ms for sample in told)),
        compute=[
            pb.Resources.Compute(type=kind, used_ppm=min(_WHOLE, samples[name].value))
            for name, kind in _COMPUTE.items()
            if name in samples
        ],
        **amounts,
    )


def _messages(told: Sequence[Score]) -> list[pb.Metric]:
    return [_message(one) for one in told]


@lru_cache(maxsize=4096)
def _message(score: Score) -> pb.Metric:
    """One message for all that have the same; adding it to an advert copies it."""
    return pb.Metric(type=score.type.value, value=score.value, window_ms=score.window_ms)
