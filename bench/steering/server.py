"""An instance: a queue and workers, which share the site's cores with whatever else runs there.

What runs at a site gets the cores in proportion to what it asks for, as a fair scheduler gives them out
(processor sharing; Kleinrock, *Queueing Systems* II, 1976, §4.4). All runs of a site go on at one rate, so a
clock of its own, which goes at this rate, tells when each ends.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from ipaddress import IPv4Address

from bench.steering.clock import Clock
from bench.steering.request import Request
from bench.steering.spec import SiteSpec
from cfn.load import Utilisation, load_of
from cfn.status import InstanceStatus
from cfn.usual import Usual
from control.model import InstanceKey

_SHARED = 1e-12


class Cores:
    """The cores of a site; a `CpuSource` too."""

    def __init__(self, clock: Clock, cores: float) -> None:
        self._clock = clock
        self._cores = cores
        self._asked = 0.0
        self._background = 0.0
        self._rate = 1.0
        self._own = 0.0
        self._used_s = 0.0
        self._at = 0.0
        self._number = 0
        self._ends: list[tuple[float, int, Server, Request]] = []
        self._awaited = -1

    def cores(self) -> float:
        """How many there are."""
        return self._cores

    def used_s(self) -> float:
        """Time of theirs that was used, in seconds."""
        self._pass()
        return self._used_s

    def burden(self, background: float) -> None:
        """Something else asks for so many cores from now on."""
        self._pass()
        self._background = background
        self._settle()

    def rate(self, more: float = 0.0) -> float:
        """How fast runs go on, 0–1, if `more` cores were asked for than now."""
        asked = self._asked + self._background + more
        return min(1.0, self._cores / asked) if asked > _SHARED else 1.0

    def remaining_s(self, server: Server) -> list[float]:
        """What is left of each run of an instance, in seconds of an idle site."""
        self._pass()
        return [end - self._own for end, _, whose, _ in self._ends if whose is server]

    def start(self, server: Server, request: Request, run_s: float) -> None:
        """Begin a run; `Server.ended` is told of its end."""
        self._pass()
        self._number += 1
        heapq.heappush(self._ends, (self._own + run_s, self._number, server, request))
        self._asked += request.share
        self._settle()

    def drop(self, server: Server) -> None:
        """End all runs of an instance without result."""
        self._pass()
        mine = [each for each in self._ends if each[2] is server]
        self._ends = [each for each in self._ends if each[2] is not server]
        heapq.heapify(self._ends)
        self._asked -= sum(each[3].share for each in mine)
        self._settle()

    def _pass(self) -> None:
        elapsed = self._clock.now - self._at
        self._own += elapsed * self._rate
        self._used_s += elapsed * min(self._cores, self._asked + self._background)
        self._at = self._clock.now

    def _settle(self) -> None:
        self._rate = self.rate()
        self._awaited += 1
        if self._ends:
            self._clock.after((self._ends[0][0] - self._own) / self._rate, self._end, self._awaited)

    def _end(self, awaited: int) -> None:
        if awaited != self._awaited:
            return
        self._pass()
        _, _, server, request = heapq.heappop(self._ends)
        self._asked -= request.share
        self._settle()
        server.ended(request)


class Server:
    """One instance."""

    def __init__(
        self,
        clock: Clock,
        site: SiteSpec,
        *,
        cores: Cores,
        key: InstanceKey,
        func_id: int,
        address: IPv4Address,
        answer: Callable[[Request], None],
        lose: Callable[[Request], None],
    ) -> None:
        """Come up idle.

        Args:
            clock: virtual time.
            site: that it belongs to.
            cores: of the site.
            key: its site and number.
            func_id: what it runs.
            address: where it listens.
            answer: given each request that is over, with what the response reports filled in.
            lose: given each request that is never answered.
        """
        self.key = key
        self.func_id = func_id
        self.cores = cores
        self.spec = site
        self.up = True
        self.queue: deque[Request] = deque()
        self.running = 0
        self._clock = clock
        self._address = address
        self._answer = answer
        self._lose = lose
        self._began: dict[Request, tuple[float, float]] = {}
        self._reset()

    @property
    def in_flight(self) -> int:
        """Requests that run or wait."""
        return self.running + len(self.queue)

    def arrive(self, request: Request) -> None:
        """Take a request, or answer it BUSY; an instance that is down answers nothing."""
        if not self.up:
            self._lose(request)
            return
        self._arrived += 1
        request.arrived = self._clock.now
        request.ahead = self.in_flight
        if self.running < self.spec.workers:
            self._start(request)
        elif len(self.queue) < self.spec.queue_limit:
            self.queue.append(request)
        else:
            self._respond(request, refused=True)

    def ended(self, request: Request) -> None:
        """The cores are done with a request."""
        now = self._clock.now
        request.ended = now
        self.running -= 1
        began, worked_s = self._began.pop(request)
        self._beside_s += self._utilisation.worked_s(now) - worked_s - (now - began)
        self._utilisation.change(-1, now)
        self._completed += 1
        self._busy_s += now - began
        cpu_s = request.run_s / self.spec.speed * request.share
        self._cpu_s += cpu_s
        self._usual_cpu_s.add(cpu_s)
        if self.queue:
            self._start(self.queue.popleft())
        self._respond(request, refused=False)

    def stop(self) -> None:
        """Go down with everything that runs or waits."""
        self.up = False
        lost = [*self._began, *self.queue]
        self.queue.clear()
        self._began.clear()
        self.running = 0
        self.cores.drop(self)
        for request in lost:
            self._lose(request)

    def restart(self) -> None:
        """Come up again, as a new server."""
        self.up = True
        self._reset()

    def load(self) -> int:
        """The load 0–255 of late."""
        if self.spec.lies:
            return 0
        return load_of(self._utilisation.value(self._clock.now), len(self.queue))

    def status(self) -> InstanceStatus:
        """What it tells the site's agent."""
        lies = self.spec.lies
        return InstanceStatus(
            started_us=self._started_us,
            at_us=round(self._clock.now * 1e6),
            func_id=self.func_id,
            instance=self.key.instance,
            ipv4=self._address,
            state="up" if self.up else "gone",
            load=self.load(),
            queue=0 if lies else len(self.queue),
            workers=self.spec.workers,
            arrived=self._arrived,
            completed=self._completed,
            failed=0,
            busy_us=round(self._busy_s * (5e5 if lies else 1e6)),
            cpu_us=round(self._cpu_s * (5e5 if lies else 1e6)),
            beside_us=max(0, round(self._beside_s * (5e5 if lies else 1e6))),
            usual_cpu_us=round(self._usual_cpu_s.value * (5e5 if lies else 1e6)),
        )

    def _reset(self) -> None:
        now = self._clock.now
        self._started_us = round(now * 1e6)
        self._utilisation = Utilisation(self.spec.workers, now)
        self._arrived = 0
        self._completed = 0
        self._busy_s = 0.0
        self._cpu_s = 0.0
        self._beside_s = 0.0
        self._usual_cpu_s = Usual()

    def _start(self, request: Request) -> None:
        now = self._clock.now
        self.running += 1
        self._began[request] = now, self._utilisation.worked_s(now)
        self._utilisation.change(+1, now)
        self.cores.start(self, request, request.run_s / self.spec.speed)

    def _respond(self, request: Request, *, refused: bool) -> None:
        request.refused = refused
        lies = self.spec.lies
        request.load = 0 if lies else load_of(self.running / self.spec.workers, len(self.queue))
        request.queue = 0 if lies else self.in_flight
        self._answer(request)
