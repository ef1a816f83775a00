"""Requests steered as the product does it: groups from the controller, a race in each router."""

from __future__ import annotations

from bench.steering.controller import Controller
from bench.steering.request import Request
from bench.steering.router import Router
from bench.steering.simulation import Simulation
from bench.steering.site import Send
from control.decided import ANY_SITE
from control.model import InstanceKey, Member


class Steered:
    """A `Chooser`: routers in front, a controller behind them."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        catalogue, clock = simulation.catalogue, simulation.clock
        self._routers = {name: Router(name, simulation.chance, self._report) for name in catalogue.routers}
        self.controller = Controller(clock, catalogue, self._routers)
        self._sites = self.controller.sites
        service = catalogue.services[0]
        self._lead = service.lead if service.two_choices else None

    def hear(self) -> Send:
        """See `Chooser.hear`."""
        return self.controller.hear

    def alive(self, key: InstanceKey) -> bool:
        """See `Chooser.alive`."""
        return self.controller.alive(key)

    def steer(self, request: Request) -> None:
        """See `Chooser.steer`."""
        simulation = self._simulation
        member = self._routers[request.router].bind(
            self.controller.alike(request.func_id), ANY_SITE, self._lead, simulation.clock.now
        )
        if member is None:
            simulation.turn_away(request)
        elif not member.is_site:
            simulation.send(request, InstanceKey(*member))
        else:
            way_s = simulation.way_s(request.router, member.site)
            simulation.clock.after(way_s, self._at_site, request, member.site)

    def stay(self, request: Request, key: InstanceKey) -> None:
        """See `Chooser.stay`."""
        self._simulation.send(request, key)

    def answered(self, request: Request) -> None:
        """See `Chooser.answered`."""
        key = request.key
        now = self._simulation.clock.now
        member = self._sites.member(request.router, key)
        if member.is_site:
            home = self._routers[self._sites.router(key.site)]
            home.learn(Member(*key), request.load, request.queue, None, now)
        router = self._routers[request.router]
        router.learn(member, request.load, request.queue, now - request.steered, now)

    def _at_site(self, request: Request, site: int) -> None:
        """The site's own router chooses among its instances. Its host is taken to be next to it."""
        simulation = self._simulation
        router = self._routers[self._sites.router(site)]
        member = router.bind(self.controller.alike(request.func_id), site, self._lead, simulation.clock.now)
        if member is None:
            simulation.turn_away(request)
        else:
            simulation.arrive(request, InstanceKey(*member))

    def _report(self, router: str, member: Member, load: int, queue: int, response_us: int) -> None:
        self.controller.report(router, member, load, queue, response_us)
