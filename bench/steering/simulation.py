"""One run: sites, network, clients and a way to choose, in virtual time."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bench.steering.clock import Clock
from bench.steering.network import catalogue
from bench.steering.request import Request, Session
from bench.steering.server import Server
from bench.steering.site import Send, Site
from bench.steering.spec import FUNCTION, Workload
from cfn.exchange import RetryPolicy
from cfn.names import func_id
from control.catalogue import Catalogue
from control.model import InstanceKey
from control.network import Network

DRAIN_S = 30.0
"""After the clients have stopped, what is under way has so long to be answered."""
_LOOK_S = 0.5

Done = Callable[[Request], None]


class Chooser(Protocol):
    """Where requests go."""

    def hear(self) -> Send:
        """What is given the sites' adverts."""
        ...

    def steer(self, request: Request) -> None:
        """A request has come to its router: send it, now or later, or turn it away."""
        ...

    def stay(self, request: Request, key: InstanceKey) -> None:
        """A request of a session has come, to be sent to the session's instance."""
        ...

    def answered(self, request: Request) -> None:
        """The response has come to the request's router."""
        ...

    def alive(self, key: InstanceKey) -> bool:
        """Whether an instance is known to run, so that sessions can stay with it."""
        ...


@dataclass(slots=True)
class Tally:
    """What came of it all.

    Attributes:
        times_s: of the requests that count, from the first sending to the answer; infinite without one.
        cost: price of what was served, of those that count.
        moves: how often another instance answered a session than before.
        sessions: that there were.
        adverts: that sites sent.
        resent: requests that were sent again.
        span_s: time in which those that count were sent.
    """

    times_s: list[float] = field(default_factory=list[float])
    cost: float = 0.0
    moves: int = 0
    sessions: int = 0
    adverts: int = 0
    resent: int = 0
    span_s: float = 0.0


class Simulation:
    """A workload under a policy."""

    def __init__(
        self,
        workload: Workload,
        make: Callable[[Simulation], Chooser],
        *,
        policy: str = "round-robin",
        two_choices: bool = False,
        seed: int = 1,
    ) -> None:
        """Describe a run.

        Args:
            workload: what happens.
            make: the chooser, given this simulation.
            policy: of the catalogue.
            two_choices: whether its services draw twice.
            seed: of all that is random; clients have random numbers of their own, and so has what happens to
                sites, so that both do the same whatever is chosen.
        """
        self.workload = workload
        self.clock = Clock()
        self.catalogue: Catalogue = catalogue(workload, policy, two_choices=two_choices)
        self.network = Network(self.catalogue)
        self.chance = random.Random(f"choices {seed}")
        self.demand = random.Random(f"demand {seed}")
        self.events = random.Random(f"events {seed}")
        self.tally = Tally()
        self.ends_s = workload.duration_s
        self._retry = RetryPolicy()
        self._numbers = 0
        self._under_way = 0
        self._way_s: dict[tuple[str, int], float] = {}
        self._price: dict[tuple[str, int], float] = {}
        self.sites: dict[int, Site] = {}
        self.servers: dict[InstanceKey, Server] = {}
        self.by_function: dict[int, list[Server]] = {func_id(name): [] for name in workload.functions}
        self.chooser = make(self)
        hear = self.chooser.hear()
        for number, spec in enumerate(workload.sites, 1):
            site = Site(
                self.clock,
                number,
                spec,
                damping=workload.damping,
                send=hear,
                answer=self._respond,
                lose=self._lost,
            )
            self.sites[number] = site
            for server in site.servers:
                self.servers[server.key] = server
                self.by_function[server.func_id].append(server)
            for router in workload.routers:
                path = self.network.path_to_host(router, spec.name)
                if path is None:
                    raise ValueError(f"workload {workload.name}: no way from {router} to site {spec.name}")
                self._way_s[router, number] = path.delay_ms / 1000
                self._price[router, number] = spec.price + path.cost

    def run(self) -> Tally:
        """Let it all happen, and return what came of it."""
        for site in self.sites.values():
            # Agents and servers are not started in step.
            site.start(self.demand.uniform(0.0, 0.05))
        self.workload.load(self)
        self.clock.run(self.ends_s)
        self.tally.adverts = sum(site.adverts for site in self.sites.values())
        while self._under_way and self.clock.now < self.ends_s + DRAIN_S:
            self.clock.run(self.clock.now + _LOOK_S)
        # What nobody has answered by now took for ever.
        self.tally.times_s += [math.inf] * self._under_way
        self.tally.span_s = self.ends_s - self.workload.warm_up_s
        return self.tally

    def request(
        self,
        router: str,
        flow: int,
        run_s: float,
        done: Done,
        *,
        function: str = FUNCTION,
        share: float = 1.0,
        session: Session | None = None,
        counted: bool = True,
    ) -> None:
        """A client sends a request; see `Request`."""
        self._numbers += 1
        request = Request(
            self._numbers,
            func_id(function),
            router,
            flow,
            run_s,
            share,
            self.clock.now,
            done,
            session,
            counted and self.workload.warm_up_s <= self.clock.now < self.ends_s,
        )
        self._under_way += request.counted
        self._try(request)

    def way_s(self, router: str, site: int) -> float:
        """Delay from a router to a site's host, one way, in seconds."""
        return self._way_s[router, site]

    def send(self, request: Request, key: InstanceKey) -> None:
        """To the instance, from the router where it entered."""
        self.clock.after(self._way_s[request.router, key.site], self.arrive, request, key)

    def arrive(self, request: Request, key: InstanceKey) -> None:
        """It is at the instance."""
        request.key = key
        self.servers[key].arrive(request)

    def turn_away(self, request: Request) -> None:
        """A NACK goes back: nobody takes it now."""
        self._lost(request)

    def _try(self, request: Request) -> None:
        request.tries += 1
        request.steered = self.clock.now
        session = request.session
        if session and session.key and self.chooser.alive(session.key):
            self.chooser.stay(request, session.key)
        else:
            self.chooser.steer(request)

    def _respond(self, request: Request) -> None:
        self.clock.after(self._way_s[request.router, request.key.site], self._answered, request)

    def _answered(self, request: Request) -> None:
        self.chooser.answered(request)
        if request.refused:
            self._lost(request)
            return
        session, key = request.session, request.key
        if session:
            if session.key and session.key != key:
                session.moves += 1
                self.tally.moves += request.counted
            session.key = key
        request.answered = self.clock.now
        if request.counted:
            self._under_way -= 1
            self.tally.times_s.append(request.answered - request.sent)
            self.tally.cost += self._price[request.router, key.site]
        request.done(request)

    def _lost(self, request: Request) -> None:
        """No answer, or one that says later: the client sends it again when its patience is over."""
        if request.tries >= self._retry.attempts:
            if request.counted:
                self._under_way -= 1
                self.tally.times_s.append(math.inf)
            request.done(request)
            return
        self.tally.resent += 1
        wait_s = self._retry.wait_s(request.tries, self.chance.uniform)
        self.clock.at(request.steered + wait_s, self._try, request)
