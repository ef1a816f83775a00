"""The links as the status tells of them: declared, measured, and gone by."""

from __future__ import annotations

from typing import Any

from control.catalogue import Catalogue, Link
from control.links import Links, Measured
from control.probe_frame import addresses


def link_report(catalogue: Catalogue, links: Links) -> list[dict[str, Any]]:
    """Each link with what the routers at both ends measure."""
    return [
        {
            "a": f"{link.a.router}:{link.a.port}",
            "b": f"{link.b.router}:{link.b.port}",
            "declared": {
                "delay_ms": link.delay_ms,
                "jitter_ms": link.jitter_ms,
                "loss": link.loss,
                "rate_mbps": link.rate_mbps,
            },
            "used_ms": links.used_ms[index],
            "state": _state(catalogue, link, *(found := [links.measured(end) for end in (link.a, link.b)])),
            "measured": [one and _told(one) for one in found],
        }
        for index, link in enumerate(catalogue.links)
    ]


def _state(catalogue: Catalogue, link: Link, *measured: Measured | None) -> str:
    if addresses(catalogue.routers[link.a.router], catalogue.routers[link.b.router]) is None:
        return "not probed: the routers have no addresses of the same family"
    return "measured" if any(measured) else "silent"


def _told(one: Measured) -> dict[str, float]:
    return {"delay_ms": one.delay_ms, "jitter_ms": one.jitter_ms, "loss": one.loss}
