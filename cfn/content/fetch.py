"""Fetching content from other data agents: each item once at a time, from the holder named first.

A holder is known from a PREFETCH, which usually comes a little before the request that it was made for, and
sometimes a little after: it may add itself to a fetch that is under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from cfn.content.errors import ContentError, MissingContentError
from cfn.content.sizes import TIMEOUT_S
from cfn.content.store import ContentStore

log = logging.getLogger(__name__)

MAX_UNDER_WAY = 128
"""Fetches at the same time; more are refused, so that a flood of names costs bounded sockets."""
HOLDER_WAIT_S = 0.1
"""How long a fetch that has nobody left to ask waits for a PREFETCH to name a holder."""
CONNECT_S = 1.0
STALL_S = 3.0
"""A source that sends nothing for so long is given up."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where content may be fetched from; every one is the URL before `/content/ID`.

    Attributes:
        sites: the data agents of other sites, by site id.
        origins: whom to ask besides, in this order.
        timeout_s: for one fetch from whomever, in seconds.
    """

    sites: Mapping[int, str] = field(default_factory=dict[int, str])
    origins: Sequence[str] = ()
    timeout_s: float = TIMEOUT_S


class _UnderWay:
    """One fetch: whom to ask still, and whom no more."""

    def __init__(self, origins: Sequence[str]) -> None:
        self.named = asyncio.Event()
        self._ask = deque(origins)
        self._asked: set[str] = set()

    def name(self, source: str) -> None:
        """Ask this one next, unless it was asked already."""
        if source not in self._asked:
            self._ask.appendleft(source)
            self.named.set()

    def next(self) -> str | None:
        """Whom to ask now."""
        self.named.clear()
        while self._ask:
            source = self._ask.popleft()
            if source not in self._asked:
                self._asked.add(source)
                return source
        return None


class Fetcher:
    """Brings content from others into a store, within the context of `fetcher`."""

    def __init__(self, store: ContentStore, sources: Sources, session: aiohttp.ClientSession) -> None:
        self._store = store
        self._sources = sources
        self._session = session
        self._under_way: dict[bytes, tuple[_UnderWay, asyncio.Task[None]]] = {}

    def begin(self, data_id: bytes, holder: int = 0) -> asyncio.Task[None]:
        """Fetch, or have the fetch that is under way, and return at once.

        Args:
            data_id: what.
            holder: id of the site that is said to hold it, 0 for unknown.

        Returns:
            The task, which ends when the content has been stored, or raises `MissingContentError`. It is
            shared: shield it.

        Raises:
            MissingContentError: too many fetches are under way.
        """
        way, task = self._under_way.get(data_id) or self._start(data_id)
        if source := self._sources.sites.get(holder):
            way.name(source)
        return task

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [task for _, task in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, data_id: bytes) -> tuple[_UnderWay, asyncio.Task[None]]:
        if len(self._under_way) >= MAX_UNDER_WAY:
            raise MissingContentError(f"{MAX_UNDER_WAY} other fetches are under way")
        way = _UnderWay(self._sources.origins)
        task = asyncio.create_task(self._fetch(data_id, way))
        task.add_done_callback(lambda task: self._ended(data_id, task))
        self._under_way[data_id] = way, task
        return way, task

    def _ended(self, data_id: bytes, task: asyncio.Task[None]) -> None:
        del self._under_way[data_id]
        if not task.cancelled() and (error := task.exception()):
            log.debug("%s: %s", data_id.hex(), error)

    async def _fetch(self, data_id: bytes, way: _UnderWay) -> None:
        failures: list[str] = []
        try:
            async with asyncio.timeout(self._sources.timeout_s):
                while True:
                    if source := way.next():
                        if (failure := await self._ask(source, data_id)) is None:
                            return
                        failures.append(f"{source}: {failure}")
                    elif not await _set_within(way.named, HOLDER_WAIT_S):
                        break
        except TimeoutError:
            failures.append(f"not here after {self._sources.timeout_s:g} s")
        raise MissingContentError("; ".join(failures) or "nobody is known to hold it")

    async def _ask(self, source: str, data_id: bytes) -> str | None:
        """Fetch from one source; returns why that failed."""
        url = f"{source}/content/{data_id.hex()}"
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    return f"{response.status} {response.reason}"
                with self._store.arrival(data_id) as arrival:
                    async for chunk in response.content.iter_any():
                        arrival.write(chunk)
                    arrival.finish()
        except aiohttp.ServerTimeoutError:
            return "no answer"
        except (aiohttp.ClientError, ContentError) as error:
            return str(error) or type(error).__name__
        except OSError as error:
            return f"cannot store it: {error.strerror}"
        return None


@contextlib.asynccontextmanager
async def fetcher(store: ContentStore, sources: Sources) -> AsyncGenerator[Fetcher]:
    """A `Fetcher` with connections of its own, for as long as the block lasts."""
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=STALL_S)
    # Content is named by its bytes as they are.
    async with aiohttp.ClientSession(
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
    ) as session:
        made = Fetcher(store, sources, session)
        try:
            yield made
        finally:
            await made.close()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
