"""The gRPC service. It dispatches; what P4Runtime means is in the modules it calls.

One event loop serves everything (grpc.aio): a call costs half of what it costs on grpcio's thread pool,
streams need no threads, and a packet-in flood cannot keep the interpreter lock from a Write for a switch
interval at a time. Only building and starting a program leaves the loop, for a worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, NoReturn

import grpc
from finsy.proto import U128, p4r, p4r_grpc

from .address import require_free
from .arbitration import Arbitration, Notice
from .config import PipelineConfig
from .device import Device
from .errors import (
    DETAILS_KEY,
    BatchError,
    P4RuntimeError,
    denied,
    failed_precondition,
    not_found,
    unimplemented,
)
from .events import Events
from .packetio import ControllerHeader
from .read import Reader
from .roles import Role
from .session import Session
from .write import Writer

_LOG = logging.getLogger(__name__)

API_VERSION = "1.4.1"

READ_CHUNK = 512
"""Entities in one ReadResponse."""

_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a second switch on the same port has to fail, not to share it
    ("grpc.max_receive_message_length", 256 << 20),
    ("grpc.max_send_message_length", -1),
    # A controller whose machine is gone says no goodbye: without pings its role would never be free again.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
)

_Context = grpc.aio.ServicerContext[Any, Any]


class Service(p4r_grpc.P4RuntimeServicer):
    """P4Runtime for one device."""

    def __init__(self, device: Device[Any], device_id: int):
        """Has to be made in a running event loop."""
        self._device_id = device_id
        self._arbitration: Arbitration[Session] = Arbitration(device_id)
        self._events = Events(self._arbitration)
        self._lock = asyncio.Lock()
        self._config = PipelineConfig(device, self._lock, self._events.connect)

    @property
    def config(self) -> PipelineConfig:
        """The configurations that clients set."""
        return self._config

    def close(self) -> None:
        """Let go of the data plane's threads."""
        self._events.close()

    async def Capabilities(  # noqa: N802
        self, request: p4r.CapabilitiesRequest, context: _Context
    ) -> p4r.CapabilitiesResponse:
        """The version of the specification (§ 17)."""
        return p4r.CapabilitiesResponse(p4runtime_api_version=API_VERSION)

    async def Write(self, request: p4r.WriteRequest, context: _Context) -> p4r.WriteResponse:  # noqa: N802
        """Apply a batch of updates (§ 12)."""
        try:
            self._require_device(request.device_id)
            async with self._lock:
                role = self._authorise(request)
                state = self._config.active.state
                with contextlib.closing(Writer(state, role, request.atomicity).run(request.updates)) as batch:
                    for _ in batch:
                        await asyncio.sleep(0)
        except P4RuntimeError as error:
            await _abort(context, error)
        return p4r.WriteResponse()

    async def Read(  # noqa: N802
        self, request: p4r.ReadRequest, context: _Context
    ) -> AsyncIterator[p4r.ReadResponse]:
        """Answer a batch of queries (§ 13).

        The answer is gathered before any of it is sent: a client that reads slowly must not keep others out.
        """
        responses: list[p4r.ReadResponse] = []
        failed = None
        try:
            self._require_device(request.device_id)
            role = self._arbitration.role(request.role) if request.role else None
            async with self._lock:
                for entity in Reader(self._config.active.state, role).run(request.entities):
                    if not responses or len(responses[-1].entities) >= READ_CHUNK:
                        responses.append(p4r.ReadResponse())
                        await asyncio.sleep(0)
                    responses[-1].entities.append(entity)
        except P4RuntimeError as error:
            failed = error
        for response in responses:
            yield response
        if failed is not None:
            await _abort(context, failed)

    async def SetForwardingPipelineConfig(  # noqa: N802
        self, request: p4r.SetForwardingPipelineConfigRequest, context: _Context
    ) -> p4r.SetForwardingPipelineConfigResponse:
        """Verify, save or commit a program (§ 14)."""

        def authorise() -> None:
            if not self._authorise(request).pushes_pipeline:
                raise denied(f"role {request.role} may not push a pipeline")

        try:
            self._require_device(request.device_id)
            authorise()
            await self._config.set(request, authorise)
        except P4RuntimeError as error:
            await _abort(context, error)
        return p4r.SetForwardingPipelineConfigResponse()

    async def GetForwardingPipelineConfig(  # noqa: N802
        self, request: p4r.GetForwardingPipelineConfigRequest, context: _Context
    ) -> p4r.GetForwardingPipelineConfigResponse:
        """The program as it was set (§ 15)."""
        try:
            self._require_device(request.device_id)
            async with self._lock:
                return self._config.get(request)
        except P4RuntimeError as error:
            await _abort(context, error)

    async def StreamChannel(  # noqa: N802
        self, request_iterator: AsyncIterator[p4r.StreamMessageRequest], context: _Context
    ) -> AsyncIterator[p4r.StreamMessageResponse]:
        """Arbitrate, and carry packets, digests and notifications (§ 16)."""
        session = Session()
        peer = context.peer()  # not to be asked once the call has ended: grpcio 1.81 crashes
        _LOG.info("%s connected", peer)
        listener = asyncio.create_task(self._listen(session, request_iterator))
        listener.add_done_callback(lambda _: session.end())
        try:
            async for response in session.responses():
                yield response
            await listener
        except P4RuntimeError as error:
            await _abort(context, error)
        finally:
            listener.cancel()
            self._deliver(self._arbitration.leave(session))
            _LOG.info("%s disconnected", peer)
            if session.dropped:
                _LOG.warning("%s did not keep up: %d messages were lost", peer, session.dropped)

    async def _listen(self, session: Session, requests: AsyncIterator[p4r.StreamMessageRequest]) -> None:
        async for request in requests:
            if request.WhichOneof("update") == "arbitration":
                await self._arbitrate(session, request.arbitration)
            else:
                self._stream_message(session, request)

    async def _arbitrate(self, session: Session, message: p4r.MasterArbitrationUpdate) -> None:
        notices = self._arbitration.update(session, message)
        primary = self._arbitration.is_primary(session)
        _LOG.info(
            "role %r: a client bid %d and is %s",
            message.role.name,
            U128.decode(message.election_id),
            "primary" if primary else "backup",
        )
        if not primary:
            self._deliver(notices)
            return
        self._deliver(notices[:-1])
        async with (
            self._lock
        ):  # § 5.3: writes of the previous primary end before the new one hears that it is
            self._deliver(notices[-1:])

    @staticmethod
    def _deliver(notices: list[Notice[Session]]) -> None:
        for session, notice in notices:
            session.send(p4r.StreamMessageResponse(arbitration=notice))

    def _stream_message(self, session: Session, request: p4r.StreamMessageRequest) -> None:
        try:
            match request.WhichOneof("update"):
                case "packet":
                    self._packet_out(session, request.packet)
                case "digest_ack":
                    self._digest_ack(session, request.digest_ack)
                case _:
                    raise unimplemented("v1model has no stream messages of its own")
        except P4RuntimeError as error:
            session.refuse(request, error)

    def _digest_ack(self, session: Session, ack: p4r.DigestListAck) -> None:
        role = self._require_primary(session)
        state = self._config.forwarding.state
        if ack.digest_id in state.schema.digests and not role.may_touch(ack.digest_id):
            raise denied(f"role {role.name} has no such digest")
        state.digests.ack(ack)

    def _packet_out(self, session: Session, packet: p4r.PacketOut) -> None:
        self._require_primary(session)
        running = self._config.forwarding
        header = ControllerHeader("packet_out", running.state.schema.packet_out)
        try:
            running.pipeline.packet_out(header.prepend(packet))
        except (OSError, OverflowError, ValueError) as error:
            raise failed_precondition(f"the packet-out was not sent: {error}") from None

    def _require_primary(self, session: Session) -> Role:
        role = self._arbitration.led_by(session)
        if role is None:
            raise denied("only the primary client may do this")
        return role

    def _require_device(self, device_id: int) -> None:
        if device_id != self._device_id:
            raise not_found(f"there is no device {device_id} here, this is {self._device_id}")

    def _authorise(self, request: p4r.WriteRequest | p4r.SetForwardingPipelineConfigRequest) -> Role:
        election_id = request.election_id if request.HasField("election_id") else None
        return self._arbitration.authorise(request.role, election_id)


async def _abort(context: _Context, error: P4RuntimeError) -> NoReturn:
    """End a call with an error and, for a batch, the details of each of its requests."""
    trailer = ((DETAILS_KEY, error.details()),) if isinstance(error, BatchError) else ()
    await context.abort(error.status_code, error.message, trailer)


@contextlib.asynccontextmanager
async def serve(
    device: Device[Any],
    device_id: int,
    address: str,
    credentials: grpc.ServerCredentials | None = None,
    beside: Callable[[grpc.aio.Server, PipelineConfig], None] | None = None,
) -> AsyncGenerator[str]:
    """Serve P4Runtime on `host:port` or `unix:/path`; yields the address, with the port chosen for port 0.

    `beside` adds other services to the server.

    Raises:
        OSError: the address cannot be had.
    """
    server = grpc.aio.server(options=_OPTIONS)
    service = Service(device, device_id)
    p4r_grpc.add_P4RuntimeServicer_to_server(service, server)
    if beside is not None:
        beside(server, service.config)
    require_free(address)
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError:
        raise OSError(f"cannot listen on {address}") from None
    await server.start()
    try:
        yield address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
    finally:
        await server.stop(grace=None)
        service.close()
