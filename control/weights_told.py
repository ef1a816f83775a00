"""Telling what changed in what routers do with requests, as events for people."""

from __future__ import annotations

from collections.abc import Mapping

from control.decided import ANY_SITE, Group, Spot, Verdict
from control.events import EventLog
from control.steering import Change, Steering


def tell(changes: Mapping[Spot, Change], steering: Steering, events: EventLog) -> None:
    """An event `weights` for each change of who is bound to, for functions that there still are."""
    for spot, (before, after) in changes.items():
        if spot.draw.cohort in steering.cohorts and _weights(before) != _weights(after):
            events("weights", **_told(spot, before, after, steering))


def _told(spot: Spot, before: Verdict | None, after: Verdict | None, steering: Steering) -> dict[str, object]:
    services, (router, draw) = steering.services, spot
    cohort = steering.cohorts[draw.cohort]
    told: dict[str, object] = {
        "router": router,
        "function": services.name(cohort.first),
        "demand": services.class_name(draw.class_id),
        "family": draw.family,
        "before": _shown(before, steering),
        "after": _shown(after, steering),
    }
    if len(cohort.functions) > 1:
        told["functions"] = len(cohort.functions)
    if draw.scope != ANY_SITE:
        told["scope"] = steering.sites.name(draw.scope)
    return told


def _weights(verdict: Verdict | None) -> Verdict | None:
    return Group(verdict.weights) if isinstance(verdict, Group) else verdict


def _shown(verdict: Verdict | None, steering: Steering) -> dict[str, float] | None:
    return steering.by_site(verdict) if isinstance(verdict, Group) else None
