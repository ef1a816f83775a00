"""A site: its instances, and the agent that advertises them, in virtual time.

What the agent knows, what it makes of it and when it tells it is the product's (`cfn.site`, `cfn.metrics`,
`cfn.damping`); this does what `cfn.agent` and `cfn.server` do around it with sockets and timers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.steering.clock import Clock
from bench.steering.network import PER_HOST, address
from bench.steering.request import Request
from bench.steering.server import Cores, Server
from bench.steering.spec import SiteSpec
from cfn.advert_sender import to_message
from cfn.collectors import functions
from cfn.cpu import Cpu, CpuMeter
from cfn.damping import Damping, Schedule, Views
from cfn.metrics.assess import assess
from cfn.metrics.profile import DEFAULT
from cfn.names import func_id
from cfn.proto import advert_pb2 as pb
from cfn.site import SiteState
from cfn.status import REPORT_AT_LEAST_S, REPORT_INTERVAL_S
from control.model import InstanceKey

TTL_S = 3.5
"""Validity of an advert, but three of the timer's intervals at least, so that a slow timer expires none."""

Send = Callable[[pb.Advert], None]


class Site:
    """One site."""

    def __init__(
        self,
        clock: Clock,
        number: int,
        spec: SiteSpec,
        *,
        damping: Damping,
        send: Send,
        answer: Callable[[Request], None],
        lose: Callable[[Request], None],
    ) -> None:
        """Describe a site; it says nothing before `start`.

        Args:
            clock: virtual time.
            number: its id.
            spec: what it has.
            damping: of its adverts.
            send: takes adverts to the controller.
            answer: takes responses to their clients.
            lose: is given requests that are never answered.
        """
        if spec.instances * len(spec.functions) >= PER_HOST:
            raise ValueError(f"site {spec.name}: has no addresses for so many instances")
        self.number = number
        self.spec = spec
        self.cores = Cores(clock, spec.cores)
        self.adverts = 0
        self._clock = clock
        self._send = send
        self._state = SiteState()
        self._meter = CpuMeter(self.cores, clock.now)
        self._schedule = Schedule(damping)
        self._ttl_ms = round(1000 * max(TTL_S, 3 * damping.timer_s))
        self._awaited = 0
        self._told: dict[Server, tuple[float, Any]] = {}
        names = [name for name in spec.functions for _ in range(spec.instances)]
        self.servers = [
            Server(
                clock,
                spec,
                cores=self.cores,
                key=InstanceKey(number, instance),
                func_id=func_id(name),
                address=address(number, instance),
                answer=answer,
                lose=lose,
            )
            for instance, name in enumerate(names, 1)
        ]

    def start(self, after_s: float) -> None:
        """Report and advertise from then on, for ever."""
        self._clock.after(after_s, self._report)

    def stop(self) -> None:
        """All instances go down, and say so as the last they do."""
        for server in self.servers:
            server.stop()
        self._tell()

    def restart(self) -> None:
        """All instances come up again; they report when it is time."""
        for server in self.servers:
            server.restart()

    def _report(self) -> None:
        self._tell()
        self._clock.after(REPORT_INTERVAL_S, self._report)

    def _tell(self) -> None:
        now, news = self._clock.now, False
        for server in self.servers:
            status = server.status()
            content = (status.state, status.load, status.queue, status.arrived, status.completed)
            at, last = self._told.get(server, (0.0, None))
            if (content != last or now - at >= REPORT_AT_LEAST_S) and (server.up or last):
                self._state.take(status, now)
                self._told[server] = now, content if server.up else None
                news = True
        if news:
            self._advertise()

    def _advertise(self) -> None:
        now = self._clock.now
        cpu = self._meter.measure(now)
        views = self._state.view(cpu, draining=False)
        due = self._schedule.due(views, cpu=cpu.utilisation)
        if now >= due:
            self._schedule.sent(views, now, cpu=cpu.utilisation)
            self.adverts += 1
            self._send(self._advert(views, cpu))
            due = self._schedule.due(views, cpu=cpu.utilisation)
        self._awaited += 1
        self._clock.at(due, self._wake, self._awaited)

    def _advert(self, views: Views, cpu: Cpu) -> pb.Advert:
        advert = pb.Advert(
            site=self.spec.name,
            incarnation=1,
            sequence=self.adverts,
            ttl_ms=self._ttl_ms,
            cpu_utilisation=cpu.utilisation,
            cpu_capacity=cpu.cores,
            instances=[to_message(view) for view in views],
        )
        instances = [functions.of_instance(view) for view in views]
        assess(DEFAULT, functions.of_cpu(cpu), instances).put_into(advert)
        return advert

    def _wake(self, awaited: int) -> None:
        if awaited == self._awaited:
            self._advertise()
