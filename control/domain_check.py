"""What must hold between domains, and between them and the rest of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfn.yamlfile import Problem

if TYPE_CHECKING:
    from control.catalogue import Catalogue
    from control.domain import Domain, Speaker


def problems(catalogue: Catalogue) -> Iterator[Problem]:
    """Everything that is inconsistent, domain by domain."""
    first: dict[str, str] = {}
    for name, domain in catalogue.domains.items():
        for index, router in enumerate(domain.routers):
            path = ("domains", name, "routers", index)
            if router not in catalogue.routers:
                yield Problem(path, f"there is no router {router!r}")
            elif router in first:
                yield Problem(path, f"{router!r} is already a router of {first[router]!r}")
            first.setdefault(router, name)
        if domain.bgp:
            yield from _speaker(catalogue, name, domain, domain.bgp)
    for router in catalogue.routers if catalogue.domains else ():
        if router not in first:
            yield Problem(("routers", router), "is of no domain")
    yield from _cookies(catalogue)


def _speaker(catalogue: Catalogue, name: str, domain: Domain, bgp: Speaker) -> Iterator[Problem]:
    where = ("domains", name, "bgp")
    if bgp.address.version == 6 and bgp.router_id is None:
        yield Problem((*where, "router_id"), "is needed, as the address is no IPv4 address")
    if bgp.min_interval_s > bgp.timer_s:
        yield Problem((*where, "min_interval_s"), "is more than timer_s")
    yield from _families(catalogue, name, domain, bgp)
    known: set[object] = set()
    for index, peer in enumerate(bgp.peers):
        path = (*where, "peers", index)
        if peer.address in known:
            yield Problem((*path, "address"), f"{peer.address} is told of twice")
        known.add(peer.address)
        if peer.hops and peer.asn == domain.asn:
            yield Problem((*path, "hops"), "TTL security is for other systems' speakers")
        for at, other in enumerate(peer.domains or ()):
            if other not in catalogue.domains:
                yield Problem((*path, "domains", at), f"there is no domain {other!r}")
            elif other == name:
                yield Problem((*path, "domains", at), "nobody else tells of a domain's own sites")
        if peer.domains is None and not catalogue.domains_told_by(name, peer):
            yield Problem(
                path, f"there is no other domain in AS {peer.asn}: say which `domains` it may tell of"
            )


def _families(catalogue: Catalogue, name: str, domain: Domain, bgp: Speaker) -> Iterator[Problem]:
    if domain.more_routes and domain.more_routes.version != bgp.address.version:
        yield Problem(
            ("domains", name, "more_routes"), f"is not of the family of the speaker's, {bgp.address}"
        )
    for site in catalogue.sites_of(name):
        if getattr(catalogue.sites[site], f"ipv{bgp.address.version}") is None:
            yield Problem(
                ("sites", site), f"needs an IPv{bgp.address.version} address, as the speaker has one"
            )
    for index, peer in enumerate(bgp.peers):
        if peer.address.version != bgp.address.version:
            path = ("domains", name, "bgp", "peers", index, "address")
            yield Problem(path, f"is not of the family of the speaker's, {bgp.address}")


def _cookies(catalogue: Catalogue) -> Iterator[Problem]:
    cookies = catalogue.cookies
    if cookies and cookies.seal not in cookies.keys:
        yield Problem(("cookies", "seal"), f"there is no key of epoch {cookies.seal}")
    if cookies is None and len(catalogue.domains) > 1:
        yield Problem(("cookies",), "is needed, as controllers of several domains share the keys")
