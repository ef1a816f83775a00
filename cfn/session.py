"""Sessions: calls that stay with the instance that served the first of them.

    with Client("10.255.0.1") as client:
        session = Session(client)
        for frame in frames:
            session.call("vision/detect", frame)

The instance's cookie comes with each reply and goes into the next request for the same function and tenant; a
chain's is that of its last function.
Where the instance is gone, the network binds the session anew and the next reply brings another cookie.
"""

from __future__ import annotations

from typing import Any

from cfn.client import AsyncClient, Client
from cfn.exchange import Reply
from cfn.names import function_number


class Cookies:
    """The latest cookie by function and tenant."""

    def __init__(self) -> None:
        self._affinity: dict[tuple[int, int], int] = {}

    def get(self, function: str | int, tenant: int) -> int:
        """The cookie to send, 0 without one."""
        return self._affinity.get(_key(function, tenant), 0)

    def keep(self, function: str | int, tenant: int, affinity: int) -> None:
        """Keep the cookie of a reply; a reply without one changes nothing."""
        if affinity:
            self._affinity[_key(function, tenant)] = affinity


class Session:
    """A session of a `Client`."""

    def __init__(self, client: Client) -> None:
        self.cookies = Cookies()
        self._client = client

    def call(self, function: str | int, payload: bytes = b"", **options: Any) -> Reply:
        """`Client.call` with the session's cookie."""
        tenant = self._client.tenant
        reply = self._client.call(function, payload, affinity=self.cookies.get(function, tenant), **options)
        self.cookies.keep(reply.stages[-1].func_id, tenant, reply.affinity)
        return reply


class AsyncSession:
    """A session of an `AsyncClient`; several sessions may share the client."""

    def __init__(self, client: AsyncClient) -> None:
        self.cookies = Cookies()
        self._client = client

    async def call(self, function: str | int, payload: bytes = b"", **options: Any) -> Reply:
        """`AsyncClient.call` with the session's cookie."""
        tenant = self._client.tenant
        affinity = self.cookies.get(function, tenant)
        reply = await self._client.call(function, payload, affinity=affinity, **options)
        self.cookies.keep(reply.stages[-1].func_id, tenant, reply.affinity)
        return reply


def _key(function: str | int, tenant: int) -> tuple[int, int]:
    return function_number(function), tenant
