"""From the metrics and resources of an advert to what is known of them, or to the reason why not.

A metric of a type that is not known is left out and named; the rest of the message counts. What is known and
wrong refuses the message as a whole.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from cfn.metrics.score import BEST, MetricType, Score
from cfn.proto import advert_pb2 as pb
from control.model import COMPUTE_TYPES, ComputeType, Resources
from control.refused import Refused

_TYPES = {int(kind): kind for kind in MetricType}
MOST_METRICS = 64
"""In one list."""
MOST_PROFILE = 16_384
"""Bytes of a profile."""
_WHOLE = 1_000_000
"""Parts of which `used_ppm` counts."""


def scores(where: str, told: Collection[pb.Metric], ignored: list[str]) -> tuple[Score, ...]:
    """The metrics of a site or an instance, in the order of their types.

    Args:
        where: what the list is called in the advert.
        told: the list.
        ignored: gets the place of each metric whose type is not known.

    Raises:
        Refused: a value is above 10, a window is missing, or a metric is there twice; there are too many.
    """
    _few(where, told)
    found: dict[MetricType, Score] = {}
    for index, metric in enumerate(told):
        kind = _TYPES.get(metric.type)
        if kind is None:
            ignored.append(f"{where}[{index}].type: {metric.type}")
        elif metric.value > BEST:
            raise Refused(f"{where}[{index}].value: {metric.value} is not in 0..{BEST}")
        elif kind in found:
            raise Refused(f"{where}[{index}].type: {kind.name} is told of twice")
        else:
            _window(f"{where}[{index}]", metric.window_ms)
            found[kind] = _score(kind, metric.value, metric.window_ms)
    return tuple(found[kind] for kind in sorted(found)) if len(found) > 1 else tuple(found.values())


def resources(message: pb.Advert, ignored: list[str]) -> Resources | None:
    """What a site has and uses, if it tells.

    Raises:
        Refused: more is used or left than there is, a window is missing, or a type is there twice.
    """
    if not message.HasField("resources"):
        return None
    told = message.resources
    _few("resources.compute", told.compute)
    _window("resources", told.window_ms)
    used: dict[ComputeType, float] = {}
    for index, compute in enumerate(told.compute):
        where = f"resources.compute[{index}]"
        name = COMPUTE_TYPES.get(compute.type)
        if name is None:
            ignored.append(f"{where}.type: {compute.type}")
        elif compute.used_ppm > _WHOLE:
            raise Refused(f"{where}.used_ppm: {compute.used_ppm} is not in 0..{_WHOLE}")
        elif name in used:
            raise Refused(f"{where}.type: {name} is told of twice")
        else:
            used[name] = compute.used_ppm / _WHOLE
    for what in ("memory", "storage"):
        there, left = getattr(told, what), getattr(told, f"{what}_left")
        if left > there:
            raise Refused(f"resources.{what}_left: {left} is more than {there}")
    return Resources(
        window_ms=told.window_ms,
        used=used,
        memory=told.memory,
        memory_left=told.memory_left,
        storage=told.storage,
        storage_left=told.storage_left,
        power_w=told.power_mw / 1000,
    )


def profile(message: pb.Advert) -> bytes:
    """How the site says that its metrics were made.

    Raises:
        Refused: it is too long.
    """
    size = message.profile.ByteSize()
    if size > MOST_PROFILE:
        raise Refused(f"profile: {size} bytes are more than {MOST_PROFILE}")
    return message.profile.SerializeToString()


def _few(where: str, told: Collection[object]) -> None:
    if len(told) > MOST_METRICS:
        raise Refused(f"{where}: more than {MOST_METRICS}")


def _window(where: str, window_ms: int) -> None:
    if not window_ms:
        raise Refused(f"{where}.window_ms: is missing")


@lru_cache(maxsize=4096)
def _score(kind: MetricType, value: int, window_ms: int) -> Score:
    """One object for all instances that have the same."""
    return Score(kind, value, window_ms)
