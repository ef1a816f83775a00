"""Runs the calls of `cfn call`: one after another, or at a rate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from cfn.client import AsyncClient
from cfn.cookie import Cookie
from cfn.errors import CallError, InstanceError
from cfn.exchange import Reply
from cfn.extension_bodies import Trace
from cfn.session import AsyncSession


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of one call.

    Attributes:
        number: from 1.
        reply: the answer, when there is an output.
        error: why there is none.
    """

    number: int
    reply: Reply | None
    error: CallError | None

    @property
    def payload(self) -> bytes:
        """The output, empty without one."""
        return self.reply.payload if self.reply else b""

    @property
    def trace(self) -> Trace | None:
        """What routers recorded, if they were asked and there was an answer of an instance."""
        if isinstance(self.error, InstanceError):
            return self.error.trace
        return self.reply.trace if self.reply else None

    @property
    def cookie(self) -> Cookie | None:
        """The cookie that came with the answer: it tells the operator which instance it was."""
        return Cookie.from_int(self.reply.affinity) if self.reply and self.reply.affinity else None


async def run_calls(
    client: AsyncClient,
    function: str,
    payload: bytes,
    *,
    count: int,
    rate: float,
    session: bool,
    arguments: dict[str, Any],
) -> list[CallResult]:
    """Make `count` calls.

    Args:
        client: an open client.
        function: name or literal FuncID.
        payload: the input of every call.
        count: how many.
        rate: calls per second, begun on time whether or not answers come; 0 for one after another.
        session: keep the cookie from call to call.
        arguments: further arguments of every call.
    """
    caller = AsyncSession(client) if session else client

    async def one(number: int) -> CallResult:
        try:
            return CallResult(number, await caller.call(function, payload, **arguments), None)
        except CallError as error:
            return CallResult(number, None, error)

    if not rate:
        return [await one(number) for number in range(1, count + 1)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    calls: list[asyncio.Task[CallResult]] = []
    for number in range(1, count + 1):
        await asyncio.sleep(began + (number - 1) / rate - loop.time())
        calls.append(asyncio.create_task(one(number)))
    return await asyncio.gather(*calls)
