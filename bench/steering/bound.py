"""The omniscient bound: each request goes where it would be answered first.

It knows at once what runs, waits and is on its way everywhere, and how long each request takes; only what
clients and sites will do later it doesn't know. Where all requests take the same time, on equal, equally
near instances of one worker, nothing that sends each request somewhere at once is better: no worker idles
while a request waits, as if there were one queue for all workers (G/D/c). Elsewhere it is greedy, and may
lose to a policy that leaves room for what comes later, or be unfair to few for the good of many.
"""

from __future__ import annotations

import heapq
from collections import defaultdict

from bench.steering.request import Request
from bench.steering.server import Server
from bench.steering.simulation import Simulation
from bench.steering.site import Send
from control.model import InstanceKey


class Omniscient:
    """A `Chooser` that joins the instance with the least time to the answer, the network's included."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._coming: defaultdict[InstanceKey, dict[Request, float]] = defaultdict(dict)

    def hear(self) -> Send:
        """See `Chooser.hear`: it needs no adverts."""
        return lambda _advert: None

    def stay(self, request: Request, key: InstanceKey) -> None:
        """See `Chooser.stay`; what is on its way is work ahead of others."""
        way_s = self.simulation.way_s(request.router, key.site)
        self._coming[key][request] = self.simulation.clock.now + way_s
        self.simulation.send(request, key)

    def answered(self, request: Request) -> None:
        """See `Chooser.answered`."""

    def alive(self, key: InstanceKey) -> bool:
        """See `Chooser.alive`: it knows at once."""
        return self.simulation.servers[key].up

    def steer(self, request: Request) -> None:
        """See `Chooser.steer`."""
        servers = [server for server in self.simulation.by_function[request.func_id] if server.up]
        if not servers:
            self.simulation.turn_away(request)
            return
        best = min(servers, key=lambda server: self._answer_s(request, server))
        self.stay(request, best.key)

    def _answer_s(self, request: Request, server: Server) -> float:
        """From now to the answer, if nothing else comes."""
        now, key = self.simulation.clock.now, server.key
        way_s = self.simulation.way_s(request.router, key.site)
        coming = self._coming[key]
        for one in [one for one, at in coming.items() if at <= now]:
            del coming[one]
        spec = server.spec
        run_s = request.run_s / spec.speed
        ahead = [one.run_s / spec.speed for one in (*server.queue, *coming)]
        running = server.cores.remaining_s(server)
        if len(running) + len(ahead) < spec.workers:
            rate = server.cores.rate(request.share + sum(one.share for one in coming))
            return 2 * way_s + run_s / rate
        rate = server.cores.rate(max(0, spec.workers - len(running)) * request.share)
        free = [left_s / rate for left_s in running] + [0.0] * (spec.workers - len(running))
        heapq.heapify(free)
        for each_s in ahead:
            heapq.heappush(free, heapq.heappop(free) + each_s / rate)
        return max(way_s, heapq.heappop(free)) + run_s / rate + way_s
