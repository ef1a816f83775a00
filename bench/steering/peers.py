"""Balancers that decide by request, with what they know where the request enters the network.

Each router counts and remembers for itself. Which instances run, all learn from adverts, as late as the
product's controller does.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from bench.steering.controller import REACTION_S
from bench.steering.request import Request
from bench.steering.simulation import Simulation
from bench.steering.site import Send
from cfn.proto import advert_pb2 as pb
from control.model import InstanceKey


class Peer(ABC):
    """A `Chooser` that picks one of the instances that are known to run."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.chance = simulation.chance
        self.told: dict[InstanceKey, pb.Instance] = {}
        self._sites = {site.name: number for number, site in enumerate(simulation.workload.sites, 1)}
        self._known: defaultdict[int, list[InstanceKey]] = defaultdict(list)

    def hear(self) -> Send:
        """See `Chooser.hear`."""
        return lambda advert: self.simulation.clock.after(REACTION_S, self._take, advert)

    def alive(self, key: InstanceKey) -> bool:
        """See `Chooser.alive`."""
        return key in self.told

    def steer(self, request: Request) -> None:
        """See `Chooser.steer`."""
        there = self._known[request.func_id]
        if there:
            self.simulation.send(request, self.pick(request, there))
        else:
            self.simulation.turn_away(request)

    def stay(self, request: Request, key: InstanceKey) -> None:
        """See `Chooser.stay`."""
        self.simulation.send(request, key)

    def answered(self, request: Request) -> None:
        """See `Chooser.answered`; most learn nothing from it."""
        return

    @abstractmethod
    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """Choose one of these."""

    def round_trip_s(self, request: Request, key: InstanceKey) -> float:
        """From the request's router to an instance and back."""
        return 2 * self.simulation.way_s(request.router, key.site)

    def nearest(self, request: Request, among: Sequence[InstanceKey]) -> InstanceKey:
        """The one of these with the least network delay, at random among equals."""
        least = min(self.round_trip_s(request, key) for key in among)
        return self.chance.choice([key for key in among if self.round_trip_s(request, key) == least])

    def _take(self, advert: pb.Advert) -> None:
        site = self._sites[advert.site]
        for key in [key for key in self.told if key.site == site]:
            del self.told[key]
        for instance in advert.instances:
            self.told[InstanceKey(site, instance.instance)] = instance
        self._known.clear()
        for key in sorted(self.told):
            self._known[self.told[key].func_id].append(key)


class Random(Peer):
    """Any, with the same probability; the field trial's baseline."""

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        return self.chance.choice(there)


class RoundRobin(Peer):
    """Each in turn."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self._turns = Counter[tuple[str, int]]()

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        place = request.router, request.func_id
        self._turns[place] += 1
        return there[self._turns[place] % len(there)]


class Ecmp(Peer):
    """By a hash of the flow (RFC 2992): a client's requests stay together."""

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        return there[zlib.crc32(f"{request.router} {request.flow}".encode()) % len(there)]


class Nearest(Peer):
    """The least network delay, as anycast routing has it."""

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        return self.nearest(request, there)


class LeastLoad(Peer):
    """The one that told the least load in its last advert."""

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        least = min(self.told[key].load for key in there)
        return self.nearest(request, [key for key in there if self.told[key].load == least])


class Counting(Peer):
    """Counts the requests under way to each instance, by router."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self.under_way = Counter[tuple[str, InstanceKey]]()
        self._where: dict[Request, InstanceKey] = {}

    def steer(self, request: Request) -> None:
        """See `Chooser.steer`."""
        # One that was lost is given up when its client sends it again.
        self._leave(request)
        super().steer(request)

    def answered(self, request: Request) -> None:
        """See `Chooser.answered`."""
        self._leave(request)

    def stay(self, request: Request, key: InstanceKey) -> None:
        """See `Chooser.stay`."""
        self._leave(request)
        self.enter(request, key)
        super().stay(request, key)

    def enter(self, request: Request, key: InstanceKey) -> None:
        """It is sent there."""
        self._where[request] = key
        self.under_way[request.router, key] += 1

    def _leave(self, request: Request) -> None:
        key = self._where.pop(request, None)
        if key is not None:
            self.under_way[request.router, key] -= 1


class TwoChoices(Counting):
    """Two at random, and of them the one with fewer requests under way from here.

    Mitzenmacher, "The power of two choices in randomized load balancing", IEEE Trans. Par. Distr. Syst.
    12(10), 2001; with requests under way as in Envoy's LEAST_REQUEST.
    """

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        draws = self.chance.sample(there, min(2, len(there)))
        key = min(draws, key=lambda key: self.under_way[request.router, key])
        self.enter(request, key)
        return key


class BoundedQueue(Counting):
    """Join the shortest of bounded queues, JBSQ(n): `AHEAD` wait at an instance at most, the rest waits here.

    Kogias et al., "R2P2: Making RPCs first-class datacenter citizens", USENIX ATC 2019, §4.
    """

    AHEAD = 1

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self._waiting: defaultdict[tuple[str, int], deque[Request]] = defaultdict(deque)

    def steer(self, request: Request) -> None:
        """See `Chooser.steer`."""
        self._leave(request)
        self._waiting[request.router, request.func_id].append(request)
        self._release(request)

    def answered(self, request: Request) -> None:
        """See `Chooser.answered`."""
        super().answered(request)
        self._release(request)

    def pick(self, request: Request, there: Sequence[InstanceKey]) -> InstanceKey:
        """See `Peer.pick`."""
        least = min(self._depth(request, key) for key in there)
        return self.nearest(request, [key for key in there if self._depth(request, key) == least])

    def _release(self, like: Request) -> None:
        waiting = self._waiting[like.router, like.func_id]
        while waiting:
            room = [
                key for key in self._known[like.func_id] if self._depth(waiting[0], key) < self._bound(key)
            ]
            if not room:
                if not self._known[like.func_id]:
                    self.simulation.turn_away(waiting.popleft())
                return
            request = waiting.popleft()
            key = self.pick(request, room)
            self.enter(request, key)
            self.simulation.send(request, key)

    def _depth(self, request: Request, key: InstanceKey) -> int:
        return self.under_way[request.router, key]

    def _bound(self, key: InstanceKey) -> int:
        return self.told[key].concurrency + self.AHEAD
