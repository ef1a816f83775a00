"""Follows the controller's event log: which weights it wrote when, and on which site's advert."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from topo.summary import Sample


class EventTail:
    """Reads what has been appended to an event log since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the events that are new; a line that is still being written waits for the next time."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield json.loads(line)


class Weights:
    """The weights of sites at one ingress router, the mean over all that it steers there."""

    def __init__(self, router: str, sites: Sequence[str]) -> None:
        self._router = router
        self._sites = sites
        self._shares: dict[tuple[Any, ...], Mapping[str, float]] = {}
        self._adverts: dict[str, float] = {}
        self.loads: Mapping[str, float] = dict.fromkeys(sites, 0.0)
        """Set from outside: how much of its CPU each site uses, 0 to 1."""

    def apply(self, event: dict[str, Any]) -> list[Sample]:
        """Take an event; an advert, told after the weights that it changed, gives a sample of each site."""
        if event["event"] == "weights" and event["router"] == self._router and "scope" not in event:
            place = event["function"], event["demand"], event["family"]
            self._shares[place] = event["after"] or {}
        elif event["event"] == "advert":
            self._adverts[event["site"]] = event["time"]
            return [
                Sample(event["time"], site, self.weight(site), self.loads[site], self._adverts.get(site, 0.0))
                for site in self._sites
            ]
        return []

    def weight(self, site: str) -> float:
        """Return a site's weight now, 0 to 1."""
        steered = [shares for shares in self._shares.values() if shares]
        return sum(shares.get(site, 0.0) for shares in steered) / len(steered) if steered else 0.0

    def start_from(self, status: dict[str, Any]) -> None:
        """Take over what the controller does now (`control.status`)."""
        for service in status["services"]:
            if service["router"] == self._router and service["scope"] is None:
                place = service["function"], service["demand"], service["family"]
                self._shares[place] = service["sites"]
