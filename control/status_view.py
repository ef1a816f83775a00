"""The status as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table


def overview(status: Mapping[str, Any]) -> Group:
    """Routers, BGP peers if any, sites, shares by router and function, and what is tuned if anything."""
    peers = [_peers(status)] if status["bgp"] else []
    tuned = [_tuning(status)] if status["tuning"] else []
    return Group(_routers(status), *peers, _sites(status), _shares(status), *tuned)


def explanation(places: Sequence[Mapping[str, Any]]) -> Group:
    """One table for each place, with a row for each candidate and the terms of its score."""
    return Group(*(_candidates(place) for place in places))


def usage(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What tenants used, a row for each service and site."""
    table = Table("tenant", "service", "site", title="Usage")
    for name in ("requests", "bytes", "cost"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row["tenant"],
            row["service"],
            row["site"],
            str(row["requests"]),
            str(row["bytes"]),
            f"{row['cost']:g}",
        )
    return table


def links(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Declared against measured, a row for each link; the measured values of either end."""
    table = Table("link", "state", title="Links")
    for name in ("declared ms", "used ms", "measured ms", "jitter ms", "loss", "Mbit/s"):
        table.add_column(name, justify="right")
    for row in rows:
        ends = row["measured"]
        table.add_row(
            f"{row['a']} – {row['b']}",
            row["state"],
            f"{row['declared']['delay_ms']:g}",
            f"{row['used_ms']:.3g}",
            *(
                " / ".join("–" if one is None else f"{one[name]:.3g}" for one in ends)
                for name in ("delay_ms", "jitter_ms", "loss")
            ),
            "–" if row["declared"]["rate_mbps"] is None else f"{row['declared']['rate_mbps']:g}",
        )
    return table


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


def _peers(status: Mapping[str, Any]) -> Table:
    table = Table("peer", "AS", "state", "since", "routes", title="BGP")
    for peer in status["bgp"]:
        state = "up" if peer["up"] else "[red]down[/]"
        since = _age(status, peer["since"]) if peer["up"] else ""
        table.add_row(peer["address"], str(peer["asn"]), state, since, str(peer["routes"]))
    return table


def _sites(status: Mapping[str, Any]) -> Table:
    table = Table(
        "site",
        "advert",
        "cpu",
        "score",
        "instance",
        "function",
        "load",
        "queue",
        "ms",
        "req/s",
        "of",
        "score",
        title="Sites",
    )
    for name, site in status["sites"].items():
        advert = site["advert"]
        if advert is None:
            table.add_row(name, "[red]none[/]")
            continue
        cpu = f"{advert['cpu_utilisation']:.0%} of {advert['cpu_capacity']:g}"
        first = [name, _age(status, advert["received"]), cpu, _score(advert["metrics"])]
        for one in advert["instances"]:
            state = " draining" if one["state"] == "DRAINING" else ""
            table.add_row(
                *first,
                f"{_number(one)}{state}",
                one["function"],
                f"{one['load'] / 255:.0%}",
                str(one["queue"]),
                f"{one['service_ms']:.1f}",
                f"{one['arrival_rps']:.1f}",
                f"{one['capacity_rps']:.1f}",
                _score(one["metrics"]),
            )
            first = ["", "", "", ""]
    return table


def _score(metrics: Mapping[str, Any]) -> str:
    """The value of level 2."""
    return str(metrics["norm_fi"]["value"]) if "norm_fi" in metrics else ""


def _shares(status: Mapping[str, Any]) -> Table:
    table = Table(
        *("router", "sent to", "function", "demand", "IP", "policy", "state", "share by site", "written"),
        title="Services",
    )
    for place in status["services"]:
        odd = {one["site"] for one in place["members"] if one["disagrees"]}
        shares = "  ".join(
            f"{site} {share:.0%}" + (" [red]disagrees[/]" if site in odd else "")
            for site, share in place["sites"].items()
        )
        table.add_row(
            place["router"],
            place["scope"] or "any",
            place["function"],
            place["demand"],
            str(place["family"]),
            place["policy"],
            " ".join(filter(None, [place["state"], place["unmet"]])),
            shares,
            _age(status, place["written"]),
        )
    return table


def _tuning(status: Mapping[str, Any]) -> Table:
    table = Table("service", "period", "now", "parameters", "at the start", "better", "owed", title="Tuning")
    for name, one in status["tuning"].items():
        shown = (_settings(one[what]) for what in ("parameters", "start", "kept"))
        table.add_row(name, str(one["periods"]), one["role"], *shown, f"{one['owed']:.2f}")
    return table


def _settings(parameters: Mapping[str, float] | None) -> str:
    return "  ".join(f"{name} {value:g}" for name, value in (parameters or {}).items()) or "–"


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
    """A column a candidate, so that the terms fit a terminal of 80 columns."""
    sent_to = f" sent to {place['scope']}" if place["scope"] else ""
    what = f"{place['function']} at {place['router']}{sent_to}: {place['demand']}, IPv{place['family']}"
    candidates = place["candidates"]
    weights = {(one["site"], one["instance"]): one["weight"] for one in place["members"]}
    table = Table("", title=f"{what}, {place['policy']} → {place['state']}")
    for one in candidates:
        table.add_column(f"{one['site']}/{_number(one)}", justify="right")
    for term in _TERMS:
        table.add_row(term, *(f"{one[term]:.3g}" for one in candidates))
    for term in ("jitter_ms", "loss", "rate_mbps"):
        found = [(one["way"] or {}).get(term) for one in candidates]
        table.add_row(term, *("" if value is None else f"{value:.3g}" for value in found))
    ways = [(one["way"] or {}).get("communication_norm") for one in candidates]
    table.add_row("communication", *("" if way is None else str(way["value"]) for way in ways))
    norms = (one["norm_fi"] for one in candidates)
    table.add_row("norm_fi", *("" if value is None else str(value) for value in norms))
    measured = (one["response_ms"] for one in candidates)
    table.add_row("measured_ms", *("" if ms is None else f"{ms:.3g}" for ms in measured))
    table.add_row("load", *(f"{one['load'] / 255:.0%}" for one in candidates))
    table.add_row("overloaded", *("[red]yes[/]" if one["overloaded"] else "no" for one in candidates))
    for share in ("target", "share"):
        table.add_row(share, *(f"{one[share]:.1%}" for one in candidates))
    for what, whole in (("weight", False), ("weight of site", True)):
        found = [weights.get((one["site"], None if whole else one["instance"])) for one in candidates]
        if any(found):
            table.add_row(what, *("" if weight is None else str(weight) for weight in found))
    return table


def _number(one: Mapping[str, Any]) -> str:
    return "all" if one["instance"] is None else str(one["instance"])


def _age(status: Mapping[str, Any], then: float | None) -> str:
    return "never" if then is None else f"{status['time'] - then:.1f} s ago"
