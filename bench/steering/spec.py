"""What is simulated: sites, the network between them, and what clients do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cfn.damping import Damping

if TYPE_CHECKING:
    from bench.steering.simulation import Simulation

FUNCTION = "bench/task"
"""What is asked for where nothing else is said."""


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """A site.

    Attributes:
        name: as in the catalogue.
        router: which it is at.
        delay_ms: from the router to its host, one way.
        workers: requests that an instance runs at once.
        cores: of the site; requests that run, and what else it computes, share them evenly.
        instances: of each function.
        queue_limit: requests that may wait at an instance; the next is answered BUSY.
        speed: how many times as fast as the workload's times say it computes.
        price: of a request.
        functions: that it runs.
        lies: it says that it is idle and takes half of its service time, in adverts and in responses.
    """

    name: str
    router: str
    delay_ms: float = 0.0
    workers: int = 1
    cores: float = 1.0
    instances: int = 1
    queue_limit: int = 64
    speed: float = 1.0
    price: float = 1.0
    functions: tuple[str, ...] = (FUNCTION,)
    lies: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Between two routers; one way."""

    a: str
    b: str
    delay_ms: float
    price: float = 0.0


@dataclass(frozen=True, slots=True)
class Workload:
    """A network, its sites, and what happens there.

    Attributes:
        name: in results.
        routers: names; clients are at some of them.
        links: between routers.
        sites: where requests can be served.
        load: starts the clients, and whatever else happens.
        duration_s: how long clients send.
        bound_ms: a request that takes longer is of no use.
        functions: that there are services for.
        damping: of adverts.
        warm_up_s: requests sent before are not counted.
        policies: run by default; all where empty.
    """

    name: str
    routers: tuple[str, ...]
    links: tuple[Link, ...]
    sites: tuple[SiteSpec, ...]
    load: Callable[[Simulation], None]
    duration_s: float = 30.0
    bound_ms: float = 20.0
    functions: tuple[str, ...] = (FUNCTION,)
    damping: Damping = field(default_factory=Damping)
    warm_up_s: float = 2.0
    policies: tuple[str, ...] = ()
