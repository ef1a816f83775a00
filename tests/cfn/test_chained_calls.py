"""Chains, proofs and traces end to end: both clients, real servers, a stand-in for the router between."""

import contextlib

import pytest

from cfn.auth import TenantKey
from cfn.chain import Stage
from cfn.credentials import Credentials, SenderSequence
from cfn.errors import (
    ChainBrokenError,
    ChainStoppedError,
    InputRefusedError,
    UnauthenticatedError,
    UnknownFunctionError,
)
from cfn.exchange import RetryPolicy
from cfn.names import data_in_id, data_out_id
from cfn.wire import AuthFault, Status
from tests.cfn.chain_router import BOUND, RESPONDED, ROUTER, chain_router
from tests.cfn.network import served
from tests.cfn.sample_functions import echo, moody, turned, upper
from tests.cfn.test_client import both

PATIENT = RetryPolicy(attempts=3, timeout_s=10, deadline_s=30)
KEY = TenantKey.from_bytes(b"tenant 7")


@contextlib.asynccontextmanager
async def network(*functions, key=None):
    """A router with an instance of each function; yields the router's port."""
    async with contextlib.AsyncExitStack() as stack:
        ports = {each.func_id: await stack.enter_async_context(served(each)) for each in functions}
        yield await stack.enter_async_context(chain_router(ports, key))


@both
async def test_the_output_of_each_function_is_the_input_of_the_next(opened):
    named = b"known as this..."
    async with network(upper, turned, echo) as port, opened(port, policy=PATIENT) as call:
        reply = await call("test/upper", b"hello", chain=[("test/reversed", named), echo.func_id])
    assert reply.payload == b"OLLEH"
    first = data_out_id(upper.func_id, data_in_id(b"hello"))
    assert reply.stages == (
        Stage(upper.func_id, data_in_id(b"hello"), first),
        Stage(turned.func_id, first, named),
        Stage(echo.func_id, named, data_out_id(echo.func_id, named)),
    )


@both
async def test_nine_functions_one_after_another(opened):
    async with network(turned) as port, opened(port, policy=PATIENT) as call:
        reply = await call("test/reversed", b"abc", chain=["test/reversed"] * 8)
        assert (reply.payload, len(reply.stages)) == (b"cba", 9)
        with pytest.raises(ValueError, match="8 is the most"):
            await call("test/reversed", b"abc", chain=["test/reversed"] * 9)


@both
async def test_an_input_has_the_room_that_chain_trace_and_proof_leave(opened):
    credentials = Credentials(7, 1, KEY)
    async with network(echo, key=KEY) as port, opened(port, policy=PATIENT, credentials=credentials) as call:
        room = 1328 - 4 - 24 - 4 - 16
        with pytest.raises(ValueError, match=f"room for {room}"):
            await call("test/echo", bytes(room + 1), chain=["test/echo"], trace=True)
        assert (await call("test/echo", bytes(room), chain=["test/echo"])).payload == bytes(room)


@both
async def test_a_failure_in_the_middle_tells_place_and_status(opened):
    async with network(echo, moody) as port, opened(port, policy=PATIENT) as call:
        with pytest.raises(ChainBrokenError, match="BAD_INPUT, at function 2 of 3") as caught:
            await call("test/echo", b"refuse", chain=["test/moody", "test/echo"])
        assert caught.value.report.load == Status.BAD_INPUT
        assert caught.value.place.stage.func_id == moody.func_id
        with pytest.raises(UnknownFunctionError, match="at function 3 of 4"):
            await call("test/echo", b"x", chain=["test/moody", "test/nowhere", "test/echo"])


@both
async def test_a_failure_at_the_end_is_the_functions_own(opened):
    async with network(echo, moody) as port, opened(port, policy=PATIENT) as call:
        with pytest.raises(InputRefusedError, match="not today, at function 2 of 2"):
            await call("test/echo", b"refuse", chain=["test/moody"])


@both
async def test_without_a_router_a_chain_stops_after_its_first_function(opened):
    async with served(echo) as port, opened(port, policy=PATIENT) as call:
        with pytest.raises(ChainStoppedError, match="after function 1 of 2"):
            await call("test/echo", b"x", chain=["test/echo"])


@both
async def test_every_router_leaves_a_record_in_a_trace_that_is_asked_for(opened):
    async with network(upper, turned) as port, opened(port, policy=PATIENT) as call:
        reply = await call("test/upper", b"abc", chain=["test/reversed"], trace=True)
        assert (await call("test/upper", b"abc")).trace is None
    assert reply.payload == b"CBA"
    assert [record.outcome for record in reply.trace.records] == [RESPONDED, BOUND, BOUND]
    assert {record.router for record in reply.trace.records} == {ROUTER}


@both
async def test_a_proof_is_taken_and_its_tenant_is_the_one_who_asks(opened):
    async with network(echo, key=KEY) as port:
        async with opened(port, policy=PATIENT, credentials=Credentials(7, 1, KEY)) as call:
            for _ in range(3):
                assert (await call("test/echo", b"x", chain=["test/echo"])).attempts == 1
        async with opened(port, policy=PATIENT, tenant=7) as call:
            with pytest.raises(UnauthenticatedError, match="no auth"):
                await call("test/echo")
        forger = Credentials(7, 2, TenantKey(1, 2))
        async with opened(port, policy=PATIENT, credentials=forger) as call:
            with pytest.raises(UnauthenticatedError) as caught:
                await call("test/echo")
        assert caught.value.report.load == AuthFault.WRONG_TAG


@both
async def test_a_client_that_is_started_again_is_let_in(opened):
    quick = RetryPolicy(attempts=3, timeout_s=0.5, deadline_s=30)
    async with network(echo, key=KEY) as port:
        # The clock stands still, so the second process begins where the first did, which sent more since.
        for expected in (1, 2):
            credentials = Credentials(7, 1, KEY, SenderSequence(lambda: 1.8e9))
            async with opened(port, policy=quick, credentials=credentials) as call:
                attempts = [(await call("test/echo", bytes([number]))).attempts for number in range(3)]
            assert attempts == [expected, 1, 1]
