"""Sites as tables for a terminal: what they can compute, what of that is in use, and their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table

_LEVELS = {
    "compute_norm": "computing",
    "communication_norm": "communication",
    "service_norm": "service",
    "composed_norm": "composed",
    "norm_fi": "norm_fi",
}
_GB = 1e9


def sites(status: Mapping[str, Any]) -> Group:
    """Compute by type, resources, and metrics; a row for each site."""
    return Group(_compute(status), _resources(status), _metrics(status))


def _compute(status: Mapping[str, Any]) -> Table:
    table = Table("site", "type", "grade", "GFLOPS", "used", "left", title="Compute")
    for name, site in status["sites"].items():
        for kind, one in site["compute"].items():
            used = "–" if one["used"] is None else f"{one['used']:.0%}"
            table.add_row(
                name, kind, _shown(one["grade"]), _shown(one["giga"]), used, _shown(one["left_giga"])
            )
            name = ""  # noqa: PLW2901 - told in the first row of a site
    return table


def _resources(status: Mapping[str, Any]) -> Table:
    table = Table(
        "site", "memory GB", "storage GB", "power W", "J/request", "price", "cost", title="Resources"
    )
    for name, site in status["sites"].items():
        told = (site["advert"] or {}).get("resources") or {}
        memory, storage = _left(told, "memory"), _left(told, "storage")
        declared = site["storage_gb"]
        table.add_row(
            name,
            memory or "–",
            storage or ("–" if declared is None else f"{declared:g}"),
            _shown(told.get("power_w") or None),
            _shown(site["energy_j"] or None),
            f"{site['price']:g}",
            f"{site['cost']:g}",
        )
    return table


def _metrics(status: Mapping[str, Any]) -> Table:
    table = Table("site", *_LEVELS.values(), "of ms", title="Metrics, 0 to 10")
    for name, site in status["sites"].items():
        told = (site["advert"] or {}).get("metrics") or {}
        values = [str(told[level]["value"]) if level in told else "–" for level in _LEVELS]
        windows = sorted({one["window_ms"] for one in told.values()})
        table.add_row(name, *values, "–".join(map(str, windows[:1] + windows[1:][-1:])))
    return table


def _left(told: Mapping[str, Any], what: str) -> str | None:
    there = told.get(what)
    return f"{told[f'{what}_left'] / _GB:.1f} of {there / _GB:.1f}" if there else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
