"""Prequal: probe, and choose by requests in flight and latency.

Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance: introducing Prequal", USENIX
NSDI 2024, §4, with the parameters of its evaluation (§5). Latency here counts the way there and back too, as
sites are not in one data centre. A probe is used once: the paper's formula for how often one is reused (§4)
needs more replicas than its pool has probes, and there are fewer here.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.steering.peers import Peer
from bench.steering.request import Request
from bench.steering.simulation import Simulation
from control.model import InstanceKey

PER_REQUEST = 3
POOL = 16
OLDEST_S = 1.0
HOT_QUANTILE = 2**-0.25
_FEWEST = 2
"""With fewer probes in the pool a replica is chosen at random."""
_REMEMBERED = 16


@dataclass(slots=True)
class _Probe:
    key: InstanceKey
    in_flight: int
    latency_s: float
    at: float


class Prequal(Peer):
    """A pool of probes for each router and function; the hot-cold lexicographic rule."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self._pools: defaultdict[tuple[str, int], list[_Probe]] = defaultdict(list)
        self._seen: defaultdict[tuple[InstanceKey, int], deque[float]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )
        self._worst_next = False

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        now = self.simulation.clock.now
        pool = self._pools[request.router, request.func_id]
        pool[:] = [probe for probe in pool if now - probe.at <= OLDEST_S and probe.key in self.told]
        for key in self.chance.sample(there, min(PER_REQUEST, len(there))):
            self.simulation.clock.after(self.round_trip_s(request, key) / 2, self._probe, request, key)
        if len(pool) < _FEWEST:
            return self.chance.choice(there)
        hot = self._hot_from(pool)
        chosen = min(pool, key=lambda probe: _rank(probe, hot))
        pool.remove(chosen)
        self._remove_one(pool, hot)
        return chosen.key

    def answered(self, request: Request) -> None:
        """See `Chooser.answered`."""
        if not request.refused:
            self._seen[request.key, request.ahead].append(request.ended - request.arrived)

    def _probe(self, request: Request, key: InstanceKey) -> None:
        """A probe is at the replica, which answers what it has in flight, and the latency at that number."""
        server = self.simulation.servers[key]
        if not server.up:
            return
        way_s = self.round_trip_s(request, key)
        in_flight = server.in_flight
        self.simulation.clock.after(
            way_s / 2, self._keep, request, key, in_flight, self._latency_s(key, in_flight) + way_s
        )

    def _latency_s(self, key: InstanceKey, in_flight: int) -> float:
        known = [ahead for whose, ahead in self._seen if whose == key]
        if not known:
            return 0.0
        return median(self._seen[key, min(known, key=lambda ahead: abs(ahead - in_flight))])

    def _keep(self, request: Request, key: InstanceKey, in_flight: int, latency_s: float) -> None:
        pool = self._pools[request.router, request.func_id]
        if len(pool) >= POOL:
            pool.remove(min(pool, key=lambda probe: probe.at))
        pool.append(_Probe(key, in_flight, latency_s, self.simulation.clock.now))

    def _hot_from(self, pool: Sequence[_Probe]) -> int:
        """Requests in flight beyond which a replica is hot."""
        counts = sorted(probe.in_flight for probe in pool)
        return counts[min(len(counts) - 1, math.floor(HOT_QUANTILE * len(counts)))]

    def _remove_one(self, pool: list[_Probe], hot: int) -> None:
        """Each request takes one probe out: the oldest and the worst in turn."""
        if pool:
            worst = max(pool, key=lambda probe: _rank(probe, hot))
            pool.remove(worst if self._worst_next else min(pool, key=lambda probe: probe.at))
            self._worst_next = not self._worst_next


def _rank(probe: _Probe, hot: int) -> tuple[bool, float]:
    """The least is the best: cold ones by latency, then hot ones by requests in flight."""
    is_hot = probe.in_flight > hot
    return is_hot, probe.in_flight if is_hot else probe.latency_s
