"""What a router's tables should hold, one module a stage of the program. Pure: finsy entities out.

The order of match fields, values and names are those of the program's P4Info; finsy encodes by it and refuses
what doesn't fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from control.catalogue import Catalogue
from control.entries import Entity
from control.network import Network
from control.services import ServiceIndex
from control.sites import Sites
from control.stages import admit, classify, demand, digests, icmp, locality, own


def common_entities(catalogue: Catalogue, services: ServiceIndex) -> Iterator[Entity]:
    """What follows from the catalogue and is the same at all routers."""
    yield from admit.entities(catalogue, services)
    yield from demand.entities(catalogue, services)
    yield from digests.entities()


def static_entities(catalogue: Catalogue, network: Network, sites: Sites, router: str) -> Iterator[Entity]:
    """All else that follows from the catalogue alone; routes follow from what links are like, too."""
    yield from classify.entities(catalogue, sites, router)
    yield from own.entities(catalogue, router)
    yield from locality.agents(catalogue, network, router)
    yield from icmp.entities(network, router)
