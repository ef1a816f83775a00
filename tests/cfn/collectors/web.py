"""A real HTTP server that answers as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web


class Page:
    """What `/metrics` answers, and how often it was asked."""

    def __init__(self) -> None:
        self.text: str | bytes = ""
        self.headers: Mapping[str, str] = {}
        self.status = 200
        self.asked = 0
        self.silent = False
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            await asyncio.sleep(3600)
        body = self.text if isinstance(self.text, bytes) else self.text.encode()
        return web.Response(body=body, headers=self.headers, status=self.status)


@asynccontextmanager
async def serving() -> AsyncIterator[Page]:
    page, app = Page(), web.Application()
    app.router.add_get("/metrics", page.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address,) = runner.addresses
    page.url = f"http://127.0.0.1:{address[1]}/metrics"
    try:
        yield page
    finally:
        await runner.cleanup()
