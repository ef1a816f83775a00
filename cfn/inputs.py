"""What stands between a request and its run: an input that is only named, a result that is held already.

Both are the business of the site's data agent (`cfn.content`), on the same host.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, BinaryIO

from cfn.content.errors import ContentError, MissingContentError
from cfn.content.results import ResultKey
from cfn.function import Function, Outcome
from cfn.names import data_in_id
from cfn.wire import NO_DATA, Header, Packet, Status

if TYPE_CHECKING:
    from cfn.content.client import ContentClient

log = logging.getLogger(__name__)

MAX_KEEPING = 64
"""Results on their way to the data agent; while there are so many, further ones are not kept."""
_EMPTY = data_in_id(b"")


def names_input(request: Packet) -> bool:
    """Whether a request names its input and does not carry it; an input without bytes needs no carrying."""
    return not request.payload and request.header.data_in not in (NO_DATA, _EMPTY)


class Inputs:
    """One function's dealings with the data agent."""

    def __init__(self, function: Function, data: ContentClient | None) -> None:
        """Args: the function, and the data agent if the site has one."""
        self._function = function
        self._data = data
        self._keeping: set[asyncio.Task[None]] = set()
        self._complained = False

    def concern(self, request: Packet) -> bool:
        """Whether `find` has to be asked before the request can run."""
        return names_input(request) or self._may_be_held(request)

    async def find(self, request: Packet) -> BinaryIO | Outcome | None:
        """A file with the input that the request names, or its outcome, or None: it can run as it is."""
        try:
            if (output := await self._result(request)) is not None:
                return Outcome(Status.OK, output)
            return await self._open(request.header.data_in) if names_input(request) else None
        except ContentError as error:
            return Outcome(Status.MISSING_INPUT, f"{request.header.data_in.hex()}: {error}".encode())

    def keep(self, request: Packet, outcome: Outcome) -> None:
        """A request has been run: have its output kept, if the same input will always give the same."""
        header = request.header
        key = ResultKey(header.func_id, header.data_in)
        if not self._may_be_held(request) or outcome.status != Status.OK or header.data_out != key.data_out:
            return
        # What the request calls its input has to be that, or others would get this output for theirs.
        if not names_input(request) and data_in_id(request.payload) != header.data_in:
            return
        if self._data and len(self._keeping) < MAX_KEEPING:
            task = asyncio.create_task(self._keep(self._data, key, outcome.payload))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def close(self) -> None:
        """Let results that are on their way go."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def _may_be_held(self, request: Packet) -> bool:
        return self._function.pure and self._data is not None and request.header.data_in != NO_DATA

    async def _result(self, request: Packet) -> bytes | None:
        if not self._data or not self._may_be_held(request):
            return None
        try:
            return await self._data.result(_key(request.header))
        except ContentError as error:
            self._complain(error)
            return None

    async def _open(self, data_in: bytes) -> BinaryIO:
        if self._data is None:
            raise MissingContentError("this instance has no data agent to get it from")
        for _ in range(2):
            # Between the agent's answer and the opening it may have made room for other content.
            path = await self._data.input(data_in)
            try:
                return path.open("rb")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise MissingContentError(f"cannot open {path}: {error.strerror}") from None
        raise MissingContentError("the cache is too small for what is asked for at the same time")

    async def _keep(self, data: ContentClient, key: ResultKey, output: bytes) -> None:
        try:
            await data.put_result(key, output)
        except ContentError as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            log.warning("results are not kept: %s", error)
        self._complained = True


def _key(header: Header) -> ResultKey:
    return ResultKey(header.func_id, header.data_in)
