"""Segments: requests to sites elsewhere that go by pinned paths."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableAction, P4TableEntry

from control.catalogue import Catalogue
from control.network import Network
from control.paths import Paths
from control.stages.row import row


def entities(catalogue: Catalogue, network: Network, paths: Paths, router: str) -> Iterator[P4TableEntry]:
    """Rows of segment_list: one for each site elsewhere, service and demand class of each path."""
    for index, path in enumerate(paths.pinned):
        for site in paths.sites(path, router):
            action = _action(catalogue, network, router, paths.segments(path, router, site))
            for service in paths.service_ids(path):
                for class_id in paths.class_ids(path):
                    match = {"site": site, "service": service, "class_id": class_id}
                    asked = {name: value for name, value in match.items() if value is not None}
                    yield row("segment_list", asked, action, priority=len(paths.pinned) - index)


def _action(catalogue: Catalogue, network: Network, router: str, segments: tuple[str, ...]) -> P4TableAction:
    path = network.path_via(router, segments)
    if not segments or path is None:
        return P4TableAction("direct")
    own = catalogue.routers[router]
    names = ["segment"] if len(segments) == 1 else [f"segment_{n}" for n in range(1, len(segments) + 1)]
    sids = (int(catalogue.routers[name].sid or 0) for name in segments)
    return P4TableAction(
        f"via_{len(segments)}",
        src=int(own.ipv6 or own.sid or 0),
        mtu=path.mtu,
        **dict(zip(names, sids, strict=True)),
    )
