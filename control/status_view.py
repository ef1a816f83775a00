"""The status as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table


def overview(status: Mapping[str, Any]) -> Group:
    """Routers, sites, and shares by router and function."""
    return Group(_routers(status), _sites(status), _shares(status))


def explanation(places: Sequence[Mapping[str, Any]]) -> Group:
    """One table for each place, with a row for each candidate and the terms of its score."""
    return Group(*(_candidates(place) for place in places))


def _routers(status: Mapping[str, Any]) -> Table:
    table = Table(
        "router", "state", "entries", "pending", "updates", "last write", "packets", title="Routers"
    )
    for name, router in status["routers"].items():
        packets = ", ".join(f"{what} {count}" for what, count in router["outcomes"].items() if count)
        state = "up" if router["up"] else "[red]down[/]"
        counts = [str(router[field]) for field in ("entries", "pending", "updates")]
        table.add_row(name, state, *counts, _age(status, router["last_write"]), packets)
    return table


def _sites(status: Mapping[str, Any]) -> Table:
    table = Table(
        "site", "advert", "cpu", "instance", "function", "load", "queue", "ms", "req/s", "of", title="Sites"
    )
    for name, site in status["sites"].items():
        advert = site["advert"]
        if advert is None:
            table.add_row(name, "[red]none[/]")
            continue
        cpu = f"{advert['cpu_utilisation']:.0%} of {advert['cpu_capacity']:g}"
        first = [name, _age(status, advert["received"]), cpu]
        for one in advert["instances"]:
            state = " draining" if one["state"] == "DRAINING" else ""
            table.add_row(
                *first,
                f"{one['instance']}{state}",
                one["function"],
                f"{one['load'] / 255:.0%}",
                str(one["queue"]),
                f"{one['service_ms']:.1f}",
                f"{one['arrival_rps']:.1f}",
                f"{one['capacity_rps']:.1f}",
            )
            first = ["", "", ""]
    return table


def _shares(status: Mapping[str, Any]) -> Table:
    table = Table(
        "router", "function", "demand", "IP", "policy", "state", "share by site", "written", title="Services"
    )
    for place in status["services"]:
        shares = "  ".join(f"{site} {share:.0%}" for site, share in place["sites"].items())
        words = [place[field] for field in ("router", "function", "demand")]
        table.add_row(
            *words,
            str(place["family"]),
            place["policy"],
            place["state"],
            shares,
            _age(status, place["written"]),
        )
    return table


_TERMS = (
    "delay_ms",
    "service_ms",
    "backlog_ms",
    "unexplained_ms",
    "arrival_rps",
    "capacity_rps",
    "usable_rps",
    "cost",
)


def _candidates(place: Mapping[str, Any]) -> Table:
    what = f"{place['function']} at {place['router']}: {place['demand']}, IPv{place['family']}"
    table = Table(
        "instance",
        *_TERMS,
        "load",
        "target",
        "share",
        "weight",
        title=f"{what}, {place['policy']} → {place['state']}",
    )
    weights = {(one["site"], one["instance"]): one["weight"] for one in place["instances"]}
    for one in place["candidates"]:
        load = f"{one['load'] / 255:.0%}" + (" [red]overloaded[/]" if one["overloaded"] else "")
        table.add_row(
            f"{one['site']}/{one['instance']}",
            *(f"{one[term]:.3g}" for term in _TERMS),
            load,
            f"{one['target']:.1%}",
            f"{one['share']:.1%}",
            str(weights.get((one["site"], one["instance"]), 0)),
        )
    return table


def _age(status: Mapping[str, Any], then: float | None) -> str:
    return "never" if then is None else f"{status['time'] - then:.1f} s ago"
