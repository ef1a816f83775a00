"""What routers are told of inputs and results, as sites tell what they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import finsy as fy

from control.adoption import Adopted
from control.catalogue import Catalogue
from control.entries import Entry, wanted
from control.locality import Held, Holders, Locality, ResultKey, nearest_first
from control.model import SiteAdvert
from control.network import Network
from control.router_program import RouterProgram
from control.services import ServiceIndex
from control.sites import Sites
from control.stages import locality

_Item = TypeVar("_Item", bytes, ResultKey)


class DataProgram:
    """Rows of `input_holder` and `result_holder`, and which sites `member` has rows for, at all routers."""

    def __init__(
        self,
        catalogue: Catalogue,
        services: ServiceIndex,
        sites: Sites,
        routers: Mapping[str, RouterProgram],
        schema: fy.P4Schema,
    ):
        """`routers` by name."""
        self._catalogue = catalogue
        self._services = services
        self._sites = sites
        self._routers = routers
        self._schema = schema
        self._locality = Locality(
            schema.tables["input_holder"].size or 0, schema.tables["result_holder"].size or 0
        )
        self._orders: dict[str, Mapping[int, int]] = {}

    def measure(self, network: Network) -> None:
        """Take what is nearest from this network."""
        self._orders = {
            router: nearest_first(self._catalogue, network, self._sites, router) for router in self._routers
        }
        self._want(self._locality.inputs, self._locality.inputs.known, locality.input_holder)
        self._want(self._locality.results, self._locality.results.known, locality.result_holder)

    def adopt(self, found: Iterable[Adopted]) -> set[int]:
        """Go on from what routers have installed.

        Returns:
            Ids of the sites that it tells of.
        """
        inputs: defaultdict[int, set[bytes]] = defaultdict(set)
        results: defaultdict[int, set[ResultKey]] = defaultdict(set)
        for one in found:
            for data_in, site in one.inputs.items():
                inputs[site].add(data_in)
            for result, site in one.results.items():
                results[site].add(result)
        there = {site for site in inputs.keys() | results.keys() if site in self._sites}
        for site in there:
            self._tell(site, Held(frozenset(inputs[site]), frozenset(results[site])))
        return there

    def take(self, site: int, advert: SiteAdvert) -> None:
        """A site tells what it holds."""
        results = frozenset(ResultKey(one.func_id, one.data_in) for one in advert.results)
        self._tell(site, Held(advert.inputs, results))

    def forget(self, site: int) -> None:
        """A site is silent."""
        self._tell(site, Held())

    def _tell(self, site: int, held: Held) -> None:
        results = frozenset(one for one in held.results if self._is_pure(one.func_id))
        moved = self._locality.tell(site, held._replace(results=results))
        self._want(self._locality.inputs, moved.inputs, locality.input_holder)
        self._want(self._locality.results, moved.results, locality.result_holder)
        if moved.sites:
            for one in self._routers.values():
                one.prefer(self._locality.sites)

    def _want(
        self, holders: Holders[_Item], items: Iterable[_Item], row: Callable[[_Item, int], fy.P4TableEntry]
    ) -> None:
        entries: dict[tuple[_Item, int], list[Entry]] = {}
        for item in items:
            sites = holders[item]
            for router, one in self._routers.items():
                if not sites:
                    one.tables.want(("holder", item), [])
                    continue
                site = min(sites, key=self._orders[router].__getitem__)
                if (item, site) not in entries:
                    entries[item, site] = wanted([row(item, site)], self._schema)
                one.tables.want(("holder", item), entries[item, site])

    def _is_pure(self, func_id: int) -> bool:
        service = self._services.of(func_id)
        return service is not None and service.pure
