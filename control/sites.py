"""The sites of the catalogue by id, and which router each is at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from control.catalogue import Catalogue, Site
from control.model import InstanceKey, Member


class Sites:
    """An index of a catalogue's sites."""

    def __init__(self, catalogue: Catalogue, routers: Iterable[str] | None = None):
        """`routers` are those that the controller drives; None for all."""
        self.routers = tuple(catalogue.routers if routers is None else routers)
        self._sites = {site.id: site for site in catalogue.sites.values()}
        self._names = {site.id: name for name, site in catalogue.sites.items()}
        self._routers = {site.id: catalogue.hosts[site.hosts[0]].router for site in catalogue.sites.values()}
        self._at: dict[str, list[int]] = {}
        for site, name in self._routers.items():
            self._at.setdefault(name, []).append(site)

    def __getitem__(self, site: int) -> Site:
        """What is declared of a site."""
        return self._sites[site]

    def __contains__(self, site: int) -> bool:
        return site in self._sites

    def __iter__(self) -> Iterator[int]:
        return iter(self._sites)

    def name(self, site: int) -> str:
        """What people call a site; its id where the catalogue has none of it."""
        return self._names.get(site, str(site))

    def at(self, router: str) -> Sequence[int]:
        """Ids of the sites at a router."""
        return self._at.get(router, ())

    def router(self, site: int) -> str:
        """The router that a site is at."""
        return self._routers[site]

    def is_own(self, site: int) -> bool:
        """Whether a site is at a router that the controller drives."""
        return self._routers[site] in self.routers

    def seen_from(self, router: str, member: Member) -> Member | None:
        """What a router binds to for a member of any router; None for a site of its own as a whole."""
        if self._routers.get(member.site) == router:
            return None if member.is_site else member
        return Member(member.site)

    def member(self, router: str, key: InstanceKey) -> Member:
        """What a router binds to for an instance to be reached: itself, or its site as a whole."""
        return Member(*key) if self._routers[key.site] == router else Member(key.site)
