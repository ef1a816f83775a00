"""The data agent of a site: holds content and results, and fetches what is missing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from cfn.agent_link import AgentLink
from cfn.content import http
from cfn.content.errors import MissingContentError
from cfn.content.fetch import Fetcher, Sources, fetcher
from cfn.content.prefetch import PrefetchEndpoint
from cfn.content.results import ResultKey, ResultStore
from cfn.content.sizes import LARGEST, LIMIT, RESULTS_LIMIT
from cfn.content.store import ContentArrival, ContentStore
from cfn.status import (
    MAX_HELD,
    REPORT_AT_LEAST_S,
    REPORT_INTERVAL_S,
    HeldResult,
    HoldingsStatus,
)
from cfn.unix_socket import listening
from cfn.wire import PORT

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataAgentConfig:
    """What a data agent needs to know.

    Attributes:
        folder: where the cache is; of its own.
        local: unix socket for function servers and commands on this host.
        listen: addresses of its own, for PREFETCH and other agents; no instance may have them.
        port: UDP port for PREFETCH and TCP port for other agents.
        limit: bytes of content that are kept.
        results_limit: bytes of results that are kept.
        largest: bytes that one item of content may have.
        sources: where content is fetched from.
        report_to: unix socket of the site's agent; without one nobody is told what is held.
    """

    folder: Path
    local: Path
    listen: tuple[IPv4Address | IPv6Address, ...] = ()
    port: int = PORT
    limit: int = LIMIT
    results_limit: int = RESULTS_LIMIT
    largest: int = LARGEST
    sources: Sources = field(default_factory=Sources)
    report_to: Path | None = None


@dataclass(slots=True)
class Counters:
    """What a data agent has done since it started; every number only grows.

    Attributes:
        hits: times that content was asked for here and held.
        fetched: times that it was asked for and had been fetched, or was then.
        missing: times that it was asked for and could not be had.
        served: times that another agent was sent content.
        prefetches: PREFETCH datagrams.
        prefetches_held: of these, those for what was held already.
        prefetches_refused: of these, those for which too many fetches were under way.
        garbage: datagrams that were no PREFETCH.
        results_hit: results that were asked for and held.
        results_missed: results that were asked for and not held.
    """

    hits: int = 0
    fetched: int = 0
    missing: int = 0
    served: int = 0
    prefetches: int = 0
    prefetches_held: int = 0
    prefetches_refused: int = 0
    garbage: int = 0
    results_hit: int = 0
    results_missed: int = 0


class DataAgent:
    """One site's data agent; runs within an `async with` block."""

    def __init__(self, config: DataAgentConfig) -> None:
        """Describe an agent; nothing is opened yet."""
        self.counters = Counters()
        self._config = config
        self._started_us = time.time_ns() // 1000
        self._stack = contextlib.AsyncExitStack()
        self._store: ContentStore
        self._results: ResultStore
        self._fetcher: Fetcher

    async def __aenter__(self) -> DataAgent:
        """Take the folder over and listen.

        Raises:
            OSError: the folder can't be used, or an address not be listened on; says which.
        """
        async with contextlib.AsyncExitStack() as stack:
            config = self._config
            self._store = ContentStore(config.folder / "content", config.limit, config.largest)
            stack.callback(self._store.close)
            self._results = ResultStore(config.folder / "results", config.results_limit)
            stack.callback(self._results.close)
            self._fetcher = await stack.enter_async_context(fetcher(self._store, config.sources))
            inbox = stack.enter_context(listening(config.local, socket.SOCK_STREAM))
            await _serve(stack, http.local(self), [inbox])
            if config.listen:
                doors = [_bind(stack, address, config.port, socket.SOCK_STREAM) for address in config.listen]
                await self._take_prefetches(stack)
                await _serve(stack, http.public(self), doors)
            if config.report_to:
                reporter = asyncio.create_task(self._report(AgentLink(config.report_to)))
                stack.push_async_callback(_cancelled, reporter)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop at once; what is on disk stays."""
        await self._stack.aclose()

    async def held(self, data_id: bytes) -> Path:
        """See `http.Holder`."""
        path = await self._store.find(data_id)
        if path is None:
            raise MissingContentError("not held here")
        self.counters.served += 1
        return path

    async def content(self, data_id: bytes) -> Path:
        """See `http.Holder`."""
        if path := await self._store.find(data_id):
            self.counters.hits += 1
            return path
        try:
            path = await self._fetched(data_id)
        except MissingContentError:
            self.counters.missing += 1
            raise
        self.counters.fetched += 1
        return path

    async def input(self, data_id: bytes) -> Path:
        """See `http.Holder`."""
        return self._results.find(data_id) or await self.content(data_id)

    def arrival(self, data_id: bytes) -> ContentArrival:
        """See `http.Holder`."""
        return self._store.arrival(data_id)

    def result(self, key: ResultKey) -> bytes:
        """See `http.Holder`."""
        output = self._results.get(key)
        if output is None:
            self.counters.results_missed += 1
            raise MissingContentError("no such result is held")
        self.counters.results_hit += 1
        return output

    def keep(self, key: ResultKey, output: bytes) -> None:
        """See `http.Holder`."""
        self._results.put(key, output)

    def holdings(self) -> dict[str, Any]:
        """See `http.Holder`."""
        return {
            "content": [{"id": each.hex(), "bytes": self._store.size_of(each)} for each in self._store],
            "results": [
                {
                    "func_id": f"{key.func_id:016x}",
                    "data_in": key.data_in.hex(),
                    "data_out": key.data_out.hex(),
                }
                for key in self._results
            ],
            "bytes": {"content": self._store.size, "results": self._results.size},
            "limit": {"content": self._store.limit, "results": self._results.limit},
            "counters": asdict(self.counters),
        }

    async def _fetched(self, data_id: bytes) -> Path:
        await asyncio.shield(self._fetcher.begin(data_id))
        path = await self._store.find(data_id)
        if path is None:
            raise MissingContentError("fetched, and at once displaced by other content")
        return path

    def _prefetch(self, data_id: bytes, holder: int) -> None:
        self.counters.prefetches += 1
        if self._store.use(data_id) or self._results.find(data_id):
            self.counters.prefetches_held += 1
            return
        try:
            self._fetcher.begin(data_id, holder)
        except MissingContentError as error:
            log.debug("%s: %s", data_id.hex(), error)
            self.counters.prefetches_refused += 1

    def _count_garbage(self) -> None:
        self.counters.garbage += 1

    async def _take_prefetches(self, stack: contextlib.AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        for address in self._config.listen:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: PrefetchEndpoint(self._prefetch, self._count_garbage),
                sock=_bind(stack, address, self._config.port, socket.SOCK_DGRAM),
            )
            stack.callback(transport.close)

    async def _report(self, link: AgentLink) -> None:
        told: HoldingsStatus | None = None
        at = 0.0
        try:
            while True:
                now = time.monotonic()
                status = self._status(now)
                unchanged = told and (told.inputs, told.results) == (status.inputs, status.results)
                if not unchanged or now - at >= REPORT_AT_LEAST_S:
                    link.send(status)
                    told, at = status, now
                await asyncio.sleep(REPORT_INTERVAL_S)
        finally:
            gone = HoldingsStatus(
                started_us=self._started_us, at_us=round(time.monotonic() * 1e6), inputs=[], results=[]
            )
            link.send(gone)
            link.close()

    def _status(self, now: float) -> HoldingsStatus:
        return HoldingsStatus(
            started_us=self._started_us,
            at_us=round(now * 1e6),
            inputs=[each.hex() for each in islice(self._store, MAX_HELD)],
            results=[
                HeldResult(func_id=key.func_id, data_in=key.data_in.hex())
                for key in islice(self._results, MAX_HELD)
            ],
        )


async def _serve(
    stack: contextlib.AsyncExitStack, app: web.Application, sockets: list[socket.socket]
) -> None:
    # A client that has gone needs no answer; a fetch that it began goes on for others.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    for each in sockets:
        await web.SockSite(runner, each).start()


def _bind(
    stack: contextlib.AsyncExitStack,
    address: IPv4Address | IPv6Address,
    port: int,
    kind: socket.SocketKind,
) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    stack.callback(made.close)
    if kind == socket.SOCK_STREAM:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((str(address), port))
    except OSError as error:
        name = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        text = f"cannot listen on {address} {name} port {port}: {error.strerror}"
        raise OSError(error.errno, text) from None
    return made


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
