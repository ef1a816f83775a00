"""Measured response times held against what adverts tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from control.adverts import AdvertStore
from control.events import EventLog
from control.expectation import Expectation, Told
from control.measurements import Measurements
from control.model import Instance, Member, SiteAdvert
from control.sites import Sites

LASTING_S = 2.0
"""A disagreement is told of when it has lasted this long: by then an advert was no longer late."""
_LOOK_S = 0.5
_LATE_S = 0.5
"""What was measured may be told of so much later."""


class Responses:
    """What routers measure, in the light of adverts."""

    def __init__(
        self,
        measurements: Measurements,
        expectation: Expectation,
        sites: Sites,
        store: AdvertStore,
        clock: Callable[[], float],
    ):
        self._measurements = measurements
        self._expectation = expectation
        self.sites = sites
        self.store = store
        self._clock = clock
        self._told: dict[tuple[str, Member], tuple[SiteAdvert, Told | None]] = {}
        self._slowest: dict[tuple[str, Member], tuple[float, float]] = {}
        self._looked: dict[tuple[str, Member], float] = {}
        self._since: dict[tuple[str, Member], float] = {}
        self._said: set[tuple[str, Member]] = set()

    def response_ms(self, router: str, instance: Instance) -> float | None:
        """The response time of an instance: that of its member, or its part of what is one site's as a whole.

        A site's is the mean over all that runs there; an instance takes of it what it should by the adverts.
        One that tells of more speed than when it was measured is believed as far as what it told then was so.
        """
        member = self.sites.member(router, instance.key)
        last = self._measurements.get(router, member)
        if last is None or last.response_ms is None:
            return None
        whole = self.told(router, member)
        if whole is None:
            return last.response_ms
        slowest_ms = self._slowest_ms(router, member, last.at, whole)
        part = self._expectation.told(router, [instance]) if member.is_site else None
        return last.response_ms * (part or whole).response_ms / slowest_ms

    def told(self, router: str, member: Member) -> Told | None:
        """What adverts give for a member's response time at a router."""
        held = self.store.get(self.sites.name(member.site))
        if held is None:
            return None
        advert, told = self._told.get((router, member), (None, None))
        if advert is not held.advert:
            there = (one for one in held.advert.instances.values() if member.is_site or one.key == member)
            told = self._expectation.told(router, there)
            self._told[router, member] = held.advert, told
        return told

    def _slowest_ms(self, router: str, member: Member, at: float, told: Told) -> float:
        """The slowest response time that adverts gave when a member was measured, or give now."""
        since, slowest_ms = self._slowest.get((router, member), (at, 0.0))
        if since != at:
            slowest_ms = 0.0
        if not slowest_ms or self._clock() - at <= _LATE_S:
            slowest_ms = max(told.response_ms, slowest_ms)
            self._slowest[router, member] = at, slowest_ms
        return max(slowest_ms, told.response_ms)

    def disagrees(self, router: str, member: Member) -> bool:
        """Whether the measured time has been far from what adverts give for a while."""
        since = self._since.get((router, member))
        return since is not None and self._clock() - since >= LASTING_S

    def look(self, router: str, member: Member, events: EventLog) -> None:
        """Compare, after a report came in; tell when a disagreement has lasted, and when it is over."""
        place, now = (router, member), self._clock()
        if now - self._looked.get(place, -_LOOK_S) < _LOOK_S:
            return
        self._looked[place] = now
        measured, told = self._measurements.response_ms(router, member), self.told(router, member)
        if measured is None or told is None:
            return
        if told.explains(measured):
            self._since.pop(place, None)
        else:
            self._since.setdefault(place, now)
        disagrees = self.disagrees(router, member)
        if disagrees == (place in self._said):
            return
        (self._said.add if disagrees else self._said.discard)(place)
        events(
            "response-disagrees" if disagrees else "response-agrees",
            router=router,
            site=self.sites.name(member.site),
            instance=None if member.is_site else member.instance,
            measured_ms=round(measured, 3),
            told_ms=round(told.response_ms, 3),
        )

    def forget_all_but(self, router: str, alive: Iterable[Member]) -> None:
        """Drop what is known of members that are gone."""
        there = set(alive)
        known = self._told.keys() | self._looked.keys() | self._slowest.keys()
        for place in [place for place in known if place[0] == router and place[1] not in there]:
            self._told.pop(place, None)
            self._slowest.pop(place, None)
            self._looked.pop(place, None)
            self._since.pop(place, None)
            self._said.discard(place)
