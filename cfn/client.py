"""Calling functions: plain UDP sockets, over IPv4 or IPv6, synchronous or with asyncio.

    with Client("10.255.0.1", tenant=7) as client:
        reply = client.call("vision/detect", image)

The address is the network's anycast address; which instance serves is the network's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Sequence

from cfn.chain import Following, build_chain
from cfn.credentials import Credentials
from cfn.errors import CallError
from cfn.exchange import Exchange, Reply, RetryPolicy
from cfn.extension_bodies import AUTH_LENGTH, Trace
from cfn.extensions import AnyExtension, encode_extensions
from cfn.names import data_in_id, data_out_id, function_number
from cfn.wire import BASE_LENGTH, MAX_DATAGRAM, PORT, Demand, Header, Kind, Packet
from cfn.wire_error import WireError

MAX_INPUT = MAX_DATAGRAM - BASE_LENGTH
"""Bytes that a request has room for without extensions."""
_ANY_DEMAND = Demand()


class _RequestIds:
    """Counts up from a random start, so that a client that reuses a port does not reuse ids with it."""

    def __init__(self) -> None:
        self._next = random.getrandbits(32)

    def take(self) -> int:
        self._next = (self._next + 1) & 0xFFFFFFFF
        return self._next


def build_request(
    function: str | int,
    payload: bytes,
    *,
    request_id: int,
    tenant: int = 0,
    demand: Demand = _ANY_DEMAND,
    affinity: int = 0,
    priority: int = 0,
    chain: Sequence[Following] = (),
    data_in: bytes | None = None,
    trace: bool = False,
    with_auth: bool = False,
) -> Packet:
    """The REQUEST for a function's name or FuncID, with the content identifiers filled in.

    With `data_in` it names its input and does not carry it; with `with_auth` it leaves room for an AUTH.

    Raises:
        ValueError: no function name, a chain that there can't be, a payload that has no room, or a payload
            besides `data_in`.
    """
    if data_in is not None and payload:
        raise ValueError("the input is given twice, as bytes and by its identifier")
    function_id = function_number(function)
    if data_in is None:
        data_in = data_in_id(payload)
    header = Header(
        Kind.REQUEST,
        function_id,
        tenant=tenant,
        request_id=request_id,
        priority=priority,
        affinity=affinity,
        data_in=data_in,
        data_out=data_out_id(function_id, data_in),
        demand=demand,
    )
    extensions: list[AnyExtension] = [build_chain(chain, header.data_out)] if chain else []
    if trace:
        extensions.append(Trace())
    room = MAX_INPUT - len(encode_extensions(extensions)[1]) - (AUTH_LENGTH if with_auth else 0)
    if len(payload) > room:
        raise ValueError(f"input of {len(payload)} bytes: this request has room for {room}")
    return Packet(header, payload, tuple(extensions))


class Client:
    """Calls functions one at a time; not to be shared between threads."""

    def __init__(
        self,
        host: str,
        *,
        tenant: int = 0,
        port: int = PORT,
        policy: RetryPolicy | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """Open a socket to the network.

        Args:
            host: the anycast address, or a name that resolves to it.
            tenant: who asks, unless `credentials` say it.
            port: UDP port.
            policy: timeouts and retries.
            credentials: proof of the tenant for networks that ask for it.

        Raises:
            OSError: the address can't be resolved or there is no way to it.
        """
        self.tenant = credentials.tenant if credentials else tenant
        self._credentials = credentials
        self._policy = policy or RetryPolicy()
        self._ids = _RequestIds()
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def call(
        self,
        function: str | int,
        payload: bytes = b"",
        *,
        demand: Demand = _ANY_DEMAND,
        affinity: int = 0,
        priority: int = 0,
        chain: Sequence[Following] = (),
        data_in: bytes | None = None,
        trace: bool = False,
    ) -> Reply:
        """Run a function on an input.

        Args:
            function: name or FuncID.
            payload: the input, at most `MAX_INPUT` bytes, and less with what follows.
            demand: what the request needs.
            affinity: cookie of an earlier reply; `cfn.session` keeps it for you.
            priority: 0–255.
            chain: up to eight functions to run on the output, one after another; names or FuncIDs, or these
                with the DataOut that their output is to have.
            data_in: content identifier of the input, for the instance to get it from its site's data agent;
                instead of `payload`.
            trace: ask every router on the way for a record.

        Raises:
            CallError: no output; see `cfn.errors`.
            ValueError: no function name, a chain that there can't be, or an input that is too long or given
                twice.
        """
        request = build_request(
            function,
            payload,
            request_id=self._ids.take(),
            tenant=self.tenant,
            demand=demand,
            affinity=affinity,
            priority=priority,
            chain=chain,
            data_in=data_in,
            trace=trace,
            with_auth=self._credentials is not None,
        )
        exchange = Exchange(request, self._policy, time.monotonic(), credentials=self._credentials)
        self._send(exchange, exchange.data)
        while True:
            wait = exchange.deadline - time.monotonic()
            if wait <= 0:
                self._send(exchange, exchange.expire(time.monotonic()))
                continue
            self._socket.settimeout(wait)
            try:
                data = self._socket.recv(MAX_DATAGRAM + 1)
                reply = exchange.receive(Packet.decode(data), time.monotonic())
            except (TimeoutError, WireError):
                continue
            except OSError as error:
                exchange.unreachable(error.strerror or str(error))
                continue
            if reply:
                return reply

    def _send(self, exchange: Exchange, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as error:
            exchange.unreachable(error.strerror or str(error))


class AsyncClient:
    """Calls functions, any number at the same time, from one asyncio event loop and one socket."""

    def __init__(
        self,
        host: str,
        *,
        tenant: int = 0,
        port: int = PORT,
        policy: RetryPolicy | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """Describe a client; `async with` opens it. Arguments as for `Client`."""
        self.tenant = credentials.tenant if credentials else tenant
        self._credentials = credentials
        self._policy = policy or RetryPolicy()
        self._ids = _RequestIds()
        self._host, self._port = host, port
        self._transport: asyncio.DatagramTransport | None = None
        self._pending: dict[int, _Pending] = {}

    async def __aenter__(self) -> AsyncClient:
        """Open the socket.

        Raises:
            OSError: the address can't be resolved or there is no way to it.
        """
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Answers(self._pending), remote_addr=(self._host, self._port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport:
            self._transport.close()

    async def call(
        self,
        function: str | int,
        payload: bytes = b"",
        *,
        demand: Demand = _ANY_DEMAND,
        affinity: int = 0,
        priority: int = 0,
        chain: Sequence[Following] = (),
        data_in: bytes | None = None,
        trace: bool = False,
    ) -> Reply:
        """Run a function on an input; see `Client.call`."""
        if self._transport is None:
            raise RuntimeError("use the client in an `async with` block")
        request_id = self._ids.take()
        request = build_request(
            function,
            payload,
            request_id=request_id,
            tenant=self.tenant,
            demand=demand,
            affinity=affinity,
            priority=priority,
            chain=chain,
            data_in=data_in,
            trace=trace,
            with_auth=self._credentials is not None,
        )
        exchange = Exchange(request, self._policy, time.monotonic(), credentials=self._credentials)
        pending = _Pending(exchange, self._transport)
        self._pending[request_id] = pending
        try:
            return await pending.answer()
        finally:
            del self._pending[request_id]


class _Pending:
    """A call of an `AsyncClient` that waits for its answer."""

    def __init__(self, exchange: Exchange, transport: asyncio.DatagramTransport) -> None:
        self.exchange = exchange
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Reply] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self) -> Reply:
        self._transport.sendto(self.exchange.data)
        self._arm()
        try:
            return await self._answer
        finally:
            self._disarm()

    def received(self, packet: Packet) -> None:
        if self._answer.done():
            return
        try:
            reply = self.exchange.receive(packet, time.monotonic())
        except CallError as error:
            self._answer.set_exception(error)
            return
        if reply:
            self._answer.set_result(reply)
        else:
            self._arm()

    def _expired(self) -> None:
        if self._answer.done():
            return
        try:
            data = self.exchange.expire(time.monotonic())
        except CallError as error:
            self._answer.set_exception(error)
            return
        self._transport.sendto(data)
        self._arm()

    def _arm(self) -> None:
        self._disarm()
        self._timer = self._loop.call_later(self.exchange.deadline - time.monotonic(), self._expired)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()


class _Answers(asyncio.DatagramProtocol):
    """Hands datagrams to the calls that they answer."""

    def __init__(self, pending: dict[int, _Pending]) -> None:
        self._pending = pending

    def datagram_received(self, data: bytes, addr: object) -> None:
        with contextlib.suppress(WireError):
            packet = Packet.decode(data)
            if waiting := self._pending.get(packet.header.request_id):
                waiting.received(packet)

    def error_received(self, exc: Exception) -> None:
        for waiting in self._pending.values():
            waiting.exchange.unreachable(getattr(exc, "strerror", "") or str(exc))
