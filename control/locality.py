"""Who holds which inputs and results, as the sites last told: what routers prefer a request to go to.

Each router is told one holder of an item, the one nearest to it. Where there are more items than a router
has rows for, the ones that a site told of last stay.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set
from typing import Generic, NamedTuple, TypeVar

from control.catalogue import Catalogue
from control.network import Network
from control.sites import Sites

K = TypeVar("K", bound=Hashable)


class ResultKey(NamedTuple):
    """A result, by what it was computed from: FuncID and DataIn (16 bytes)."""

    func_id: int
    data_in: bytes


class Held(NamedTuple):
    """What a site holds: inputs by their identifier (16 bytes), and results of pure functions."""

    inputs: frozenset[bytes] = frozenset()
    results: frozenset[ResultKey] = frozenset()


class Holders(Generic[K]):
    """Sites by what they hold."""

    def __init__(self, limit: int):
        """`limit` is how many items a router has rows for."""
        self._limit = limit
        self._of: dict[K, set[int]] = {}
        self._known: frozenset[K] = frozenset()

    @property
    def known(self) -> frozenset[K]:
        """Items that routers are told of."""
        return self._known

    def __getitem__(self, item: K) -> Set[int]:
        """The sites that hold an item; nobody where it is not among the newest."""
        return self._of[item] if item in self._known else frozenset()

    def replace(self, site: int, before: Set[K], after: Set[K]) -> set[K]:
        """A site holds this instead of that; items whose holders this may have changed."""
        changed = set(before ^ after)
        for item in before - after:
            self._of[item].discard(site)
            if not self._of[item]:
                del self._of[item]
        for item in after - before:
            # Told of anew, so that it is among the newest.
            self._of[item] = self._of.pop(item, set()) | {site}
        known = frozenset(list(self._of)[-self._limit :])
        changed |= known ^ self._known
        self._known = known
        return changed


class Moved(NamedTuple):
    """Items whose holders may have changed, and whether other sites hold something now."""

    inputs: set[bytes]
    results: set[ResultKey]
    sites: bool


class Locality:
    """What all sites hold."""

    def __init__(self, inputs: int, results: int):
        """How many of each a router has rows for."""
        self.inputs = Holders[bytes](inputs)
        self.results = Holders[ResultKey](results)
        self._held: dict[int, Held] = {}

    @property
    def sites(self) -> frozenset[int]:
        """Ids of the sites that hold something."""
        return frozenset(self._held)

    def tell(self, site: int, held: Held) -> Moved:
        """A site holds this and nothing else."""
        before = self._held.pop(site, Held())
        if held.inputs or held.results:
            self._held[site] = held
        return Moved(
            self.inputs.replace(site, before.inputs, held.inputs),
            self.results.replace(site, before.results, held.results),
            (before == Held()) != (held == Held()),
        )


def nearest_first(catalogue: Catalogue, network: Network, sites: Sites, router: str) -> Mapping[int, int]:
    """Each site's place in the order of their distance from a router."""

    def distance(site: int) -> tuple[float, int]:
        path = network.path_to_router(router, sites.router(site))
        delays = [catalogue.hosts[host].delay_ms for host in sites[site].hosts]
        return (path.delay_ms + min(delays) if path else float("inf"), site)

    return {site: place for place, site in enumerate(sorted(sites, key=distance))}
