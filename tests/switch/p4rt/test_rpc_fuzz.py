"""Damaged requests to a server: a gRPC status, never its end; and what was refused has changed nothing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
from finsy.proto import p4r
from hypothesis import given
from hypothesis import strategies as st

from switch.p4rt.server import serve
from tests.switch.effort import examples

from .client import CONFIG, TIMEOUT_S, Client, connect
from .memory_pipeline import MemoryDevice
from .messages import INSERT
from .test_batches import STATE, everything
from .test_fuzz import VALID, spoil

DEVICE_ID = 7
HIGHEST = (1 << 128) - 1  # a request may have raised the election id that a primary needs (§ 5.2)
FINE = {grpc.StatusCode.OK}
NEVER = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
SET = p4r.SetForwardingPipelineConfigRequest

Check = Callable[[Client, MemoryDevice], Coroutine[Any, Any, None]]


def on_a_server(check: Check) -> None:
    """A server with state, a primary that the check uses, and afterwards proof that it still serves."""

    async def run() -> None:
        device = MemoryDevice()
        with tempfile.TemporaryDirectory() as folder:
            address = f"unix:{folder}/s"
            async with serve(device, DEVICE_ID, address), connect(address, DEVICE_ID) as client:
                assert await client.arbitrate() == 0
                await client.push()
                await client.insert(*STATE)
                await check(client, device)
                async with connect(address, DEVICE_ID, HIGHEST) as later:
                    assert await later.arbitrate() == 0
                    await later.push()
                    await later.insert(*STATE)

    asyncio.run(run())


async def status(call: Any) -> grpc.StatusCode:
    """How a call ended; all that it answered is read."""
    try:
        if hasattr(call, "read"):
            while await call.read() is not grpc.aio.EOF:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@st.composite
def write_requests(draw: st.DrawFn) -> p4r.WriteRequest:
    request = p4r.WriteRequest(device_id=DEVICE_ID, atomicity=draw(st.integers(0, 2)))  # type: ignore[arg-type]
    request.election_id.low = 1
    for entity in draw(st.lists(st.sampled_from(VALID), min_size=1, max_size=4)):
        request.updates.add(type=INSERT, entity=entity).type = draw(st.integers(0, 3))  # type: ignore[assignment]
    for _ in range(draw(st.integers(0, 3))):
        spoil(draw, request)
    return request


@given(write_requests())
@examples(15)
def test_a_write_is_done_or_refused(request: p4r.WriteRequest) -> None:
    async def check(client: Client, _: MemoryDevice) -> None:
        before = await everything(client)
        code = await status(client.stub.Write(request, timeout=TIMEOUT_S))
        assert code not in NEVER
        if code not in FINE and request.atomicity != p4r.WriteRequest.CONTINUE_ON_ERROR:
            assert await everything(client) == before

    on_a_server(check)


@st.composite
def read_requests(draw: st.DrawFn) -> p4r.ReadRequest:
    request = p4r.ReadRequest(
        device_id=DEVICE_ID, entities=draw(st.lists(st.sampled_from(VALID), max_size=4))
    )
    for _ in range(draw(st.integers(1, 3))):
        spoil(draw, request)
    return request


@given(read_requests())
@examples(15)
def test_a_read_is_answered_or_refused_and_changes_nothing(request: p4r.ReadRequest) -> None:
    async def check(client: Client, _: MemoryDevice) -> None:
        before = await everything(client)
        assert await status(client.stub.Read(request, timeout=TIMEOUT_S)) not in NEVER
        assert await everything(client) == before

    on_a_server(check)


@st.composite
def configs(draw: st.DrawFn) -> SET:
    request = SET(device_id=DEVICE_ID, action=draw(st.integers(0, 5)), config=CONFIG)  # type: ignore[arg-type]
    request.election_id.low = 1
    for _ in range(draw(st.integers(1, 3))):
        spoil(draw, draw(st.sampled_from([request, request.config, request.config.p4info])))
    if draw(st.booleans()):
        program = request.config.p4_device_config
        at = draw(st.integers(0, len(program)))
        request.config.p4_device_config = program[:at] + draw(st.binary(max_size=4)) + program[at + 2 :]
    return request


@given(configs())
@examples(15)
def test_a_pipeline_is_taken_or_refused(request: SET) -> None:
    async def check(client: Client, device: MemoryDevice) -> None:
        running, before = device.running, await everything(client)
        call = client.stub.SetForwardingPipelineConfig(request, timeout=TIMEOUT_S)
        code = await status(call)
        assert code not in NEVER
        if code not in FINE:
            assert device.running is running
            assert await everything(client) == before

    on_a_server(check)


@st.composite
def stream_messages(draw: st.DrawFn) -> p4r.StreamMessageRequest:
    request = p4r.StreamMessageRequest()
    kind = draw(st.sampled_from(("arbitration", "packet", "digest_ack", "other", None)))
    if kind is not None:
        getattr(request, kind).SetInParent()
    if kind == "arbitration":
        request.arbitration.device_id = DEVICE_ID
        request.arbitration.election_id.low = draw(st.integers(0, 3))
    for _ in range(draw(st.integers(0, 3))):
        spoil(draw, request)
    return request


@given(st.lists(stream_messages(), min_size=1, max_size=5))
@examples(15)
def test_a_stream_goes_on_or_ends_with_a_status(messages: list[p4r.StreamMessageRequest]) -> None:
    async def check(client: Client, device: MemoryDevice) -> None:
        before = await everything(client)
        stream: Any = client.stub.StreamChannel()
        try:
            for message in messages:
                await stream.write(message)
            await stream.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The server had ended the stream before this message: the client then makes up a status.
            assert stream.done()
        else:
            assert await status(stream) not in NEVER
        assert device.running is not None
        assert await everything(client) == before

    on_a_server(check)
