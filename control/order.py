"""The order of writes across routers: what others will lean on is there before they do.

A request for a site elsewhere is bound by the client's router and once more by the site's. So when a site
tells of a new function its own router is written first, and the others send requests there when that is done;
likewise a router knows its segment before lists name it. What leads to other routers has ranks of its own for
that (`control.tables`). Nobody is waited for long: a router that does not answer holds the others up once.
"""

from __future__ import annotations

import asyncio

_PATIENCE_S = 0.1


class Order:
    """Routers that have yet to write what others will lean on."""

    def __init__(self) -> None:
        self._opening: set[str] = set()
        self._late: set[str] = set()
        self._ready = asyncio.Event()

    def opens(self, router: str) -> None:
        """It has something new to write that others will lean on."""
        self._opening.add(router)

    def ready(self, router: str) -> None:
        """It has written that, or is gone."""
        self._opening.discard(router)
        self._late.discard(router)
        self._ready.set()

    async def others(self, router: str) -> None:
        """Wait until all others are ready, without those that have been late and still are."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while self._opening - self._late - {router}:
                    self._ready.clear()
                    await self._ready.wait()
        except TimeoutError:
            self._late |= self._opening - {router}
