"""Sends a router's probes to its neighbours."""

from __future__ import annotations

import asyncio
import time

from control.catalogue import Catalogue
from control.probe_frame import probe_frame
from control.target import Session

_NUMBERS = 2**32


class Prober:
    """Probes of one router's links, from the controller by packet-out."""

    def __init__(self, catalogue: Catalogue, router: str, interval_s: float):
        """`interval_s` between two probes of a link; 0 for none."""
        self._here = catalogue.routers[router]
        ends = [pair for link in catalogue.links for pair in ((link.a, link.b), (link.b, link.a))]
        self._neighbours = [
            (here.port, catalogue.routers[there.router]) for here, there in ends if here.router == router
        ]
        self._interval_s = interval_s
        # A controller that starts goes on above the numbers of the last one.
        self._number = int(time.time()) % _NUMBERS

    async def run(self, session: Session) -> None:
        """Probe until cancelled."""
        while self._interval_s:
            self._number = (self._number + 1) % _NUMBERS
            for port, there in self._neighbours:
                frame = probe_frame(self._here, there, self._number)
                if frame:
                    await session.send(port, frame)
            await asyncio.sleep(self._interval_s)
        await asyncio.Event().wait()
