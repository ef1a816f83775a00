"""HTTP as collectors use it: only from the place that was configured, and no more than can be of use."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from cfn.collectors.collector import CollectorError

MAX_BYTES = 16 * 2**20
"""Of an answer; more is refused."""
MAX_LINE = 65_536
"""Bytes of a line."""


async def headers(session: aiohttp.ClientSession, url: str) -> Mapping[str, str]:
    """The headers of the answer to a GET; its body is not read.

    Raises:
        CollectorError: no answer, or not a good one.
    """
    async with _got(session, url) as answer:
        return answer.headers


async def lines_of(session: aiohttp.ClientSession, url: str, names: frozenset[bytes]) -> str:
    """Of the lines that the answer to a GET has, those that begin with one of these names.

    A name ends before a space, a tab or a brace.

    Raises:
        CollectorError: no answer, not a good one, too much of it, or no text.
    """
    kept: list[bytes] = []
    rest, size = b"", 0
    async with _got(session, url) as answer:
        async for chunk in answer.content.iter_chunked(MAX_LINE):
            size += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            if size > MAX_BYTES or len(rest) > MAX_LINE:
                raise CollectorError(f"tells more than {MAX_BYTES} bytes, or {MAX_LINE} in a line")
            kept += [line for line in whole if _name(line) in names]
    if _name(rest) in names:
        kept.append(rest)
    try:
        return "".join(f"{line.decode()}\n" for line in kept)
    except UnicodeDecodeError:
        raise CollectorError("tells what is no text") from None


def _name(line: bytes) -> bytes:
    return line.partition(b"{")[0].partition(b" ")[0].partition(b"\t")[0]


@asynccontextmanager
async def _got(session: aiohttp.ClientSession, url: str) -> AsyncGenerator[aiohttp.ClientResponse]:
    try:
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise CollectorError(f"answers {answer.status} {answer.reason}")
            yield answer
    except aiohttp.ClientError as error:
        raise CollectorError(str(error) or type(error).__name__) from None
