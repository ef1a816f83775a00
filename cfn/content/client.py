"""Asking the data agent of one's own host, over its unix socket.

async with ContentClient(Path("/run/cfn-data.sock")) as data:
    data_id = await data.put(picture)
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from cfn.content.errors import ContentError, DataAgentAwayError, MissingContentError
from cfn.content.results import ResultKey
from cfn.names import DATA_ID_LENGTH, data_in_id

WAIT_S = 30.0
"""An answer that takes longer than this counts as none; the agent's own timeouts are shorter."""


class ContentClient:
    """A connection to a data agent, within an `async with` block.

    Every method raises `DataAgentAwayError` when the agent does not answer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> ContentClient:
        self._session = aiohttp.ClientSession(
            # As many requests at a time as there are: the server has a limit of its own.
            connector=aiohttp.UnixConnector(str(self._path), limit=0),
            timeout=aiohttp.ClientTimeout(total=WAIT_S),
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def put(self, data: bytes) -> bytes:
        """Put content; returns its identifier.

        Raises:
            ContentError: the agent does not take it.
        """
        data_id = data_in_id(data)
        await self._ask("PUT", f"/content/{data_id.hex()}", data)
        return data_id

    async def put_file(self, path: Path) -> bytes:
        """Put what a file holds; returns its identifier.

        Raises:
            ContentError: the agent does not take it.
            OSError: the file can't be read.
        """
        with path.open("rb") as file:
            data_id = hashlib.file_digest(file, "sha256").digest()[:DATA_ID_LENGTH]
            file.seek(0)
            await self._ask("PUT", f"/content/{data_id.hex()}", file)
        return data_id

    async def get(self, data_id: bytes) -> bytes:
        """Get content, which the agent fetches if need be.

        Raises:
            MissingContentError: it can't be had.
        """
        return await self._ask("GET", f"/content/{data_id.hex()}")

    async def input(self, data_id: bytes) -> Path:
        """The file in the agent's cache that holds an input, fetched if need be.

        Raises:
            MissingContentError: it can't be had.
        """
        return Path(json.loads(await self._ask("GET", f"/inputs/{data_id.hex()}"))["path"])

    async def result(self, key: ResultKey) -> bytes | None:
        """What a pure function made of an input before, None when the agent doesn't hold it."""
        try:
            return await self._ask("GET", _result(key))
        except MissingContentError:
            return None

    async def put_result(self, key: ResultKey, output: bytes) -> None:
        """Keep what a pure function made of an input.

        Raises:
            ContentError: the agent does not take it.
        """
        await self._ask("PUT", _result(key), output)

    async def holdings(self) -> dict[str, Any]:
        """Everything that the agent holds, and its counters."""
        return json.loads(await self._ask("GET", "/holdings"))

    async def _ask(self, method: str, path: str, data: bytes | BinaryIO | None = None) -> bytes:
        if self._session is None:
            raise RuntimeError("use the client in an `async with` block")
        try:
            async with self._session.request(method, f"http://data{path}", data=data) as response:
                body = await response.read()
        except TimeoutError:
            raise DataAgentAwayError(
                f"the data agent at {self._path} did not answer within {WAIT_S:g} s"
            ) from None
        except aiohttp.ClientError as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise DataAgentAwayError(f"the data agent at {self._path} does not answer: {reason}") from None
        if response.status == 404:
            raise MissingContentError(body.decode(errors="replace"))
        if response.status >= 400:
            raise ContentError(body.decode(errors="replace"))
        return body


def _result(key: ResultKey) -> str:
    return f"/results/{key.func_id:016x}/{key.data_in.hex()}"
