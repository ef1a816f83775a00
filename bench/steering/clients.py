"""What clients do: wait between requests, come at random, keep sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.steering.request import Request, Session
from bench.steering.simulation import Simulation
from bench.steering.spec import FUNCTION

Work = Callable[[], float]
"""How long the next request takes on an idle site of speed 1, in seconds."""


@dataclass(slots=True)
class Closed:
    """A client that sends its next request a pause after the answer (a terminal of a closed network)."""

    simulation: Simulation
    router: str
    flow: int
    think_s: Callable[[], float]
    work_s: Work
    share: float = 1.0

    def start(self, after_s: float) -> None:
        """Send the first request so much later."""
        self.simulation.clock.after(after_s, self._send)

    def _send(self) -> None:
        if self.simulation.clock.now < self.simulation.ends_s:
            self.simulation.request(self.router, self.flow, self.work_s(), self._done, share=self.share)

    def _done(self, _request: Request) -> None:
        self.simulation.clock.after(self.think_s(), self._send)


@dataclass(slots=True)
class Poisson:
    """Many clients, each with one request at a random time: a Poisson process whose rate may change.

    Attributes:
        simulation: where.
        router: that they are at.
        rate_rps: requests a second at a time.
        most_rps: what that never exceeds; requests are thinned out from it (Lewis and Shedler, "Simulation of
            nonhomogeneous Poisson processes by thinning", Naval Research Logistics 26(3), 1979).
        work_s: of each.
        function: that each asks for.
        share: of a core that each wants.
        counted: in response times.
    """

    simulation: Simulation
    router: str
    rate_rps: Callable[[float], float]
    most_rps: float
    work_s: Work
    function: Callable[[], str] = lambda: FUNCTION
    share: float = 1.0
    counted: bool = True
    _flow: int = 0

    def start(self) -> None:
        """Send from now on."""
        self._next()

    def _next(self) -> None:
        simulation = self.simulation
        simulation.clock.after(simulation.demand.expovariate(self.most_rps), self._come)

    def _come(self) -> None:
        simulation = self.simulation
        now = simulation.clock.now
        if now >= simulation.ends_s:
            return
        self._next()
        if simulation.demand.random() * self.most_rps < self.rate_rps(now):
            self._flow += 1
            simulation.request(
                self.router,
                self._flow,
                self.work_s(),
                _nothing,
                function=self.function(),
                share=self.share,
                counted=self.counted,
            )


@dataclass(slots=True)
class Sessions:
    """Sessions that come at random; each sends a number of requests at even times, and keeps its cookie."""

    simulation: Simulation
    router: str
    per_s: float
    requests: int
    every_s: float
    work_s: Work
    _flow: int = 0

    def start(self) -> None:
        """Let sessions come from now on."""
        self._next()

    def _next(self) -> None:
        simulation = self.simulation
        simulation.clock.after(simulation.demand.expovariate(self.per_s), self._come)

    def _come(self) -> None:
        if self.simulation.clock.now >= self.simulation.ends_s:
            return
        self._next()
        self._flow += 1
        self.simulation.tally.sessions += 1
        self._send(Session(), self._flow, self.requests)

    def _send(self, session: Session, flow: int, left: int) -> None:
        simulation = self.simulation
        if simulation.clock.now >= simulation.ends_s:
            return
        simulation.request(self.router, flow, self.work_s(), _nothing, session=session)
        if left > 1:
            simulation.clock.after(self.every_s, self._send, session, flow, left - 1)


def _nothing(_request: Request) -> None:
    """Nobody waits for it."""
