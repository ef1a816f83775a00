"""Envoy's load-aware locality balancing; a baseline.

A locality is a site, and the local one is the nearest. A site weighs its number of instances times the
headroom that their mean utilisation leaves. But everything stays local as long as the local utilisation is at
most `_THRESHOLD` above the mean of the instances elsewhere, save for a small part that keeps what is known of
those fresh. Within a site all get the same. ("Load-aware locality load balancing" in Envoy's documentation,
section "Weight computation"; the values are its defaults. Its smoothing over 5 s is left out: shares move in
steps here.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from control.policy.candidate import Candidate
from control.policy.shares import normalised

_THRESHOLD = 0.1
"""`utilization_variance_threshold`."""
_PROBES = 0.03
"""`remote_probe_fraction`."""
_LOCAL = 0
_SAME_MS = 1e-6


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    nearest = min((c.delay_ms for c in candidates), default=0.0)
    local = {c.key.site for c in candidates if c.delay_ms <= nearest + _SAME_MS}
    # Site 0 does not exist; sites equally near are one locality.
    of = [_LOCAL if c.key.site in local else c.key.site for c in candidates]
    busy: dict[int, list[float]] = {}
    for site, c in zip(of, candidates, strict=True):
        busy.setdefault(site, []).append(c.utilisation)
    weights = _weights(busy)
    return normalised([weights[site] / len(busy[site]) for site in of])


def _weights(busy: dict[int, list[float]]) -> dict[int, float]:
    """The weight of each locality, given the utilisations of its instances."""
    weights = {site: len(found) * max(0.0, 1 - fmean(found)) for site, found in busy.items()}
    total = math.fsum(weights.values())
    remote = {site: len(found) for site, found in busy.items() if site != _LOCAL}
    if total <= 0:
        return {site: float(len(found)) for site, found in busy.items()}
    if not remote:
        return weights
    elsewhere = fmean(one for site in remote for one in busy[site])
    if fmean(busy[_LOCAL]) <= elsewhere + _THRESHOLD:
        weights = {site: total if site == _LOCAL else 0.0 for site in busy}
    missing = max(0.0, _PROBES * total - math.fsum(weights[site] for site in remote))
    moved = min(missing, weights[_LOCAL])
    instances = sum(remote.values())
    return {_LOCAL: weights[_LOCAL] - moved} | {
        site: weights[site] + moved * count / instances for site, count in remote.items()
    }
