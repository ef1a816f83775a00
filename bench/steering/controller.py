"""The controller, in virtual time: adverts and reports in, groups of the routers out.

It is the product's without its connections (`control.program`), tables and all; what it would have written
to routers, the simulated ones are told.
"""

from __future__ import annotations

from collections.abc import Mapping

import finsy as fy

import p4src
from bench.steering.clock import Clock
from bench.steering.network import token
from bench.steering.router import Group, Router
from cfn.proto import advert_pb2 as pb
from control import decided
from control.advert_check import check
from control.catalogue import Catalogue
from control.events import EventLog
from control.measurements import Report
from control.model import InstanceKey, Member
from control.program import Changes, Program

REACTION_S = 0.0034
"""From an advert that leaves its agent to the first packet by the new weight: `make bench-reaction`, p50."""


class Controller:
    """Decides for all routers."""

    def __init__(self, clock: Clock, catalogue: Catalogue, routers: Mapping[str, Router]):
        self._clock = clock
        self._catalogue = catalogue
        self._routers = routers
        self._program = Program(catalogue, fy.P4Schema(p4src.P4INFO), clock.seconds, 0.0, EventLog())
        self.sites = self._program.sites
        self._install(self._program.start({}))

    def alive(self, key: InstanceKey) -> bool:
        """Whether routers have a row for this instance."""
        return key in self._program.cohorts.at(key.site)

    def alike(self, func_id: int) -> int:
        """What routers know a function by, together with those that are steered alike."""
        return self._program.cohorts.of(func_id)

    def hear(self, advert: pb.Advert) -> None:
        """An agent has sent this; routers go by it after `REACTION_S`."""
        self._clock.after(REACTION_S, self._take, advert)

    def report(self, router: str, member: Member, load: int, queue: int, response_us: int) -> None:
        """A router's digest of a member has come."""
        self._program.report(router, Report(member, load, queue, response_us))

    def _take(self, advert: pb.Advert) -> None:
        told = check(advert, token(advert.site), self._catalogue)
        self._install(self._program.take(told))
        self._clock.after(told.ttl_s, self._expire)

    def _expire(self) -> None:
        self._install(self._program.expire())

    def _install(self, changes: Changes) -> None:
        for router, verdicts in changes.items():
            for draw, verdict in verdicts.items():
                group = verdict if isinstance(verdict, decided.Group) else decided.Group()
                self._routers[router].install(draw.cohort, draw.scope, Group(group))
