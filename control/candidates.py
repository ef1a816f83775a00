"""What each router sees of the instances that requests can be bound to.

Most of it is the same at all routers and is looked up once; a router adds the way there and what it measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from cfn.load import utilisation_of
from control.decided import ANY_SITE, Steered
from control.expectation import Expectation, Ways
from control.model import FAMILIES, Instance, InstanceKey, Member
from control.policy.candidate import LONG_S, Candidate, complete
from control.responses import Responses


class Known(NamedTuple):
    """What is known of an instance, whichever router asks; fields as in `Candidate`.

    Attributes:
        hosts: where it is, by family; None without an address.
        cost: the site's part of it.
    """

    instance: Instance
    hosts: Mapping[int, str | None]
    cost: float
    utilisation: float
    known_s: float
    age_s: float
    interval_s: float


class Candidates:
    """Makes candidates of instances."""

    def __init__(self, expectation: Expectation, responses: Responses, clock: Callable[[], float]):
        self._expectation = expectation
        self._responses = responses
        self._sites = responses.sites
        self._clock = clock

    def known(self, instances: Iterable[Instance]) -> list[Known]:
        """What is known of these."""
        return [
            Known(
                one,
                {family: self._expectation.host(one, family) for family in FAMILIES},
                self._sites[one.key.site].cost,
                utilisation_of(one.load, one.queue),
                *self._age(one.key),
            )
            for one in instances
        ]

    def ways(self, router: str, known: Iterable[Known], asked: Steered) -> Ways:
        """By which way requests that ask for this reach each of these instances from a router."""
        via = self._expectation.via
        return tuple((one.hosts[asked.family], via(router, one.instance.key.site, asked)) for one in known)

    def seen(
        self, router: str, known: Sequence[Known], ways: Ways, asked: Steered, placed: Set[Member]
    ) -> tuple[Candidate, ...]:
        """Those that a router can bind to by these ways, as it sees them."""
        takers = [one for one in zip(known, ways, strict=True) if not one[0].instance.draining]
        if asked.scope != ANY_SITE and not takers:
            # A site that drains still serves what others sent it before they knew.
            takers = list(zip(known, ways, strict=True))
        found: list[Candidate] = []
        for one, (host, via) in takers:
            instance = one.instance
            path = host and self._expectation.path_by(router, host, via)
            if not path or self._sites.member(router, instance.key) not in placed:
                continue
            found.append(
                Candidate(
                    key=instance.key,
                    delay_ms=path.delay_ms,
                    service_ms=instance.service_ms,
                    capacity_rps=instance.capacity_rps,
                    arrival_rps=instance.arrival_rps,
                    load=instance.load,
                    queue=instance.queue,
                    cost=one.cost + path.cost,
                    response_ms=self._responses.response_ms(router, instance),
                    utilisation=one.utilisation,
                    completed_rps=instance.completed_rps,
                    error_rps=instance.error_rps,
                    norm_fi=self._expectation.norm_fi(router, instance, asked),
                    known_s=one.known_s,
                    age_s=one.age_s,
                    interval_s=one.interval_s,
                )
            )
        return tuple(complete(found))

    def _age(self, key: InstanceKey) -> tuple[float, float, float]:
        """How old what is known of an instance is: `known_s`, `age_s` and `interval_s`."""
        held = self._responses.store.get(self._sites.name(key.site))
        if held is None:
            return 0.0, 0.0, 0.0
        now = self._clock()
        known_s = float(min(LONG_S, now - held.since.get(key, now)) // 1)
        return known_s, now - held.received, held.interval_s
