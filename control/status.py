"""What the controller tells of itself: one JSON-able tree for people, live views and benches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import finsy as fy
from google.protobuf.json_format import MessageToDict

from cfn.metrics.score import Score
from cfn.proto import advert_pb2 as pb
from control.compute import compute_of
from control.controller import Controller
from control.decided import ANY_SITE, Place, Unmet
from control.link_report import link_report
from control.model import Instance, InstanceKey, Member
from control.policy.candidate import Candidate
from control.policy.latency import unexplained_ms
from control.policy.shares import Shares, gathered, of_weights
from control.quality import communication
from control.sites import Sites
from control.steering import Decision
from control.usage_report import usage_report

_FRESH_S = 0.5
_READ_S = 1.0


class Status:
    """Builds the tree; counters are read from the routers when asked, at most every half second."""

    def __init__(self, controller: Controller):
        self._controller = controller
        self._started = time.time()
        self._read_at = 0.0
        self._bound: dict[str, dict[Member, int]] = {}
        self._outcomes: dict[str, dict[str, int]] = {}

    async def tree(self) -> dict[str, Any]:
        """Everything; times are in seconds since the Unix epoch."""
        await self._read_counters()
        control = self._controller
        return {
            "time": time.time(),
            "started": self._started,
            "counters_at": self._read_at,
            "reaction_ms": _quantiles(control.reactions_ms),
            "keys": {"sealing": ring.sealing, "epochs": sorted(ring.keys)}
            if (ring := control.program.ring)
            else None,
            "sites": {name: self._site(name) for name in control.catalogue.sites},
            "routers": {name: self._router(name) for name in control.targets},
            "bgp": control.exchange.status() if control.exchange else None,
            "links": link_report(control.catalogue, control.program.links),
            "tuning": control.program.tuning.tree() if control.program.tuning else {},
            "services": [self._decision(p, d) for p, d in sorted(control.program.steering.decisions.items())],
            "events": list(control.events.last),
        }

    def explain(self, function: str, router: str | None = None) -> list[dict[str, Any]]:
        """Why a function (by name or FuncID) is steered as it is, with the terms of every candidate."""
        steering = self._controller.program.steering
        return [
            self._decision(place, decision)
            | {"candidates": [self._candidate(place, decision, c) for c in decision.candidates]}
            for place, decision in sorted(steering.decisions.items())
            if steering.services.name(place.steered.func_id) == function and router in (None, place.router)
        ]

    async def usage(self) -> list[dict[str, Any]]:
        """What tenants used of services at sites since the routers started.

        Raises:
            RuntimeError: not all routers are connected, so that the counts would not be all.
        """
        sessions = {name: target.session for name, target in self._controller.targets.items()}
        down = [name for name, session in sessions.items() if session is None]
        if down:
            raise RuntimeError(f"not connected to {', '.join(down)}")
        try:
            async with asyncio.timeout(_READ_S * 2):
                counts = await asyncio.gather(*(one.usage() for one in sessions.values() if one))
        except fy.P4ClientError as error:
            raise RuntimeError(f"a router does not tell its counters: {error}") from error
        return usage_report(self._controller.catalogue, self._controller.program.steering.services, counts)

    async def _read_counters(self) -> None:
        if time.time() - self._read_at < _FRESH_S:
            return

        async def read(name: str) -> None:
            placements = self._controller.program.routers[name].placements
            slots = {member: placement.slot for member, placement in placements.items()}
            session = self._controller.targets[name].session
            if session is not None:
                try:
                    async with asyncio.timeout(_READ_S):
                        self._bound[name] = await session.bound(slots)
                        self._outcomes[name] = await session.outcomes()
                except (TimeoutError, fy.P4ClientError):
                    # The last counts stand; `up` and `counters_at` tell what to think of them.
                    return

        await asyncio.gather(*(read(name) for name in self._controller.targets))
        self._read_at = time.time()

    def _site(self, name: str) -> dict[str, Any]:
        site, held = self._controller.catalogue.sites[name], self._controller.program.store.get(name)
        told: dict[str, Any] = {
            "id": site.id,
            "price": site.price,
            "cost": site.cost,
            "energy_j": site.energy_j,
            "storage_gb": site.storage_gb,
            "compute": {
                kind: {**asdict(one), "left_giga": one.left_giga}
                for kind, one in compute_of(site.compute, held.advert if held else None).items()
            },
            "advert": None,
        }
        if held:
            now, mono = time.time(), time.monotonic()
            told["advert"] = {
                "received": now - (mono - held.received),
                "expires": now + (held.expires - mono),
                "way": held.advert.way,
                "incarnation": held.advert.incarnation,
                "sequence": held.advert.sequence,
                "cpu_utilisation": held.advert.cpu_utilisation,
                "cpu_capacity": held.advert.cpu_capacity,
                "metrics": _metrics(held.advert.metrics),
                "profile": MessageToDict(pb.Profile.FromString(held.advert.profile)),
                "resources": held.advert.resources and asdict(held.advert.resources),
                "instances": [self._instance(one) for one in held.advert.instances.values()],
            }
        return told

    def _instance(self, one: Instance) -> dict[str, Any]:
        return {
            "instance": _instance_id(one.key),
            "function": self._controller.program.steering.services.name(one.func_id),
            "functions": len(one.functions),
            "state": "DRAINING" if one.draining else "UP",
            "ipv4": one.ipv4 and str(one.ipv4),
            "ipv6": one.ipv6 and str(one.ipv6),
            "load": one.load,
            "queue": one.queue,
            "service_ms": one.service_ms,
            "arrival_rps": one.arrival_rps,
            "error_rps": one.error_rps,
            "capacity_rps": one.capacity_rps,
            "metrics": _metrics(one.metrics),
        }

    def _router(self, name: str) -> dict[str, Any]:
        installer = self._controller.installers[name]
        return {
            "up": self._controller.targets[name].session is not None,
            "entries": len(installer.tables),
            "pending": installer.tables.pending + len(self._controller.program.due),
            "updates": installer.progress.updates,
            "refused": installer.progress.refused,
            "last_write": installer.progress.last_write,
            "outcomes": self._outcomes.get(name, {}),
        }

    def _decision(self, place: Place, decision: Decision) -> dict[str, Any]:
        program = self._controller.program
        services, steered = program.steering.services, place.steered
        spot = program.steering.spot(place)
        member_of = {key: program.sites.member(place.router, key) for key in decision.target}
        target = gathered(decision.target, member_of)
        scope = None if steered.scope == ANY_SITE else program.sites.name(steered.scope)
        return {
            "router": place.router,
            "scope": scope,
            "function": services.name(steered.func_id),
            "demand": services.class_name(steered.class_id),
            "family": steered.family,
            "policy": decision.policy,
            "state": _state(decision),
            "unmet": decision.verdict.part.lower() if isinstance(decision.verdict, Unmet) else None,
            "written": self._controller.installers[place.router].progress.written.get(spot.draw)
            if spot
            else None,
            "sites": program.steering.by_site(decision.verdict),
            "members": [
                self._member(place, decision, target, member)
                for member in sorted(target.keys() | decision.weights)
            ],
        }

    def _member(
        self, place: Place, decision: Decision, target: Shares[Member], member: Member
    ) -> dict[str, Any]:
        program = self._controller.program
        measured = program.measurements.get(place.router, member)
        told = program.responses.told(place.router, member)
        weights = decision.weights
        racer = next((one for one in decision.races if one.member == member), None)
        return {
            "site": program.sites.name(member.site),
            "instance": None if member.is_site else member.instance,
            "weight": weights.get(member, 0),
            "share": of_weights(weights).get(member, 0.0),
            "target": target.get(member, 0.0),
            "bound": self._bound.get(place.router, {}).get(member),
            "response_ms": measured and measured.response_ms,
            "told_ms": told and told.response_ms,
            "disagrees": program.responses.disagrees(place.router, member),
            "seen_load": measured and measured.load,
            "seen_queue": measured and measured.queue,
            "expected_us": racer and racer.expected._asdict(),
            "rivals": [_name(program.sites, rival) for rival in racer.rivals] if racer else [],
        }

    def _way(self, place: Place, c: Candidate) -> dict[str, Any] | None:
        """What the way to a candidate is like, while its site still tells of it."""
        program = self._controller.program
        held = program.store.get(program.sites.name(c.key.site))
        instance = held and held.advert.instances.get(c.key)
        quality = instance and program.expectation.quality(place.router, instance, place.steered)
        return quality and {**quality._asdict(), **_metrics([communication(quality)])}

    def _candidate(self, place: Place, decision: Decision, c: Candidate) -> dict[str, Any]:
        return {
            "site": self._controller.program.sites.name(c.key.site),
            "instance": _instance_id(c.key),
            "delay_ms": c.delay_ms,
            "service_ms": c.service_ms,
            "backlog_ms": c.backlog_ms,
            "response_ms": c.response_ms,
            "unexplained_ms": unexplained_ms(c),
            "capacity_rps": c.capacity_rps,
            "usable_rps": c.usable_rps,
            "arrival_rps": c.arrival_rps,
            "load": c.load,
            "queue": c.queue,
            "cost": c.cost,
            "norm_fi": c.norm_fi,
            "way": self._way(place, c),
            "overloaded": c.overloaded,
            "target": decision.target[c.key],
            "share": decision.shares[c.key],
        }


def _name(sites: Sites, member: Member) -> str:
    """A site's, or that of an instance."""
    site = sites.name(member.site)
    return site if member.is_site else f"{site}/{member.instance}"


def _instance_id(key: InstanceKey) -> int | None:
    """None for what stands for all instances of a function."""
    return None if key.is_site else key.instance


def _state(decision: Decision) -> str:
    if isinstance(decision.verdict, Unmet):
        return "unmet"
    return "steered" if decision.weights else "no capacity"


def _metrics(scores: Iterable[Score]) -> dict[str, dict[str, int]]:
    """By name, each with its level."""
    return {
        one.type.name.lower(): {"level": one.type.level, "value": one.value, "window_ms": one.window_ms}
        for one in scores
    }


def _quantiles(values: Iterable[float]) -> dict[str, float | int | None]:
    """Count, last, p50 and p99 (nearest rank)."""
    order = list(values)
    last = order[-1] if order else None
    order.sort()
    return {
        "count": len(order),
        "last": last,
        "p50": order[(len(order) - 1) // 2] if order else None,
        "p99": order[int((len(order) - 1) * 0.99)] if order else None,
    }
