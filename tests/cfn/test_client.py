"""Both clients against a far end that answers as the test says."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from cfn.chain import stages_of
from cfn.client import AsyncClient, Client
from cfn.errors import NoAnswerError, NoCapacityError, UnknownFunctionError
from cfn.exchange import RetryPolicy
from cfn.names import data_in_id, data_out_id, func_id
from cfn.session import AsyncSession, Session
from cfn.wire import Demand, Kind, NackCode, Packet
from tests.cfn.network import far_end, free_port, nack, response

POLICY = RetryPolicy(attempts=3, timeout_s=5, deadline_s=30)


@contextlib.asynccontextmanager
async def asynchronous(port: int, **options):
    async with AsyncClient("127.0.0.1", port=port, **options) as client:
        yield client.call


@contextlib.asynccontextmanager
async def synchronous(port: int, **options):
    with Client("127.0.0.1", port=port, **options) as client:

        async def call(*arguments, **named):
            return await asyncio.to_thread(lambda: client.call(*arguments, **named))

        yield call


both = pytest.mark.parametrize("opened", [asynchronous, synchronous])


@both
async def test_the_request_says_everything_that_was_asked(opened):
    demand = Demand(type=2, grade=3, latency_ms=20, cost_ceiling=4)
    async with (
        far_end(lambda request, _: [response(request)]) as (port, requests),
        opened(port, tenant=7, policy=POLICY) as call,
    ):
        await call("vision/detect", b"in", demand=demand, affinity=99, priority=5)
    header = requests[0].header
    assert (header.kind, header.func_id, header.tenant) == (Kind.REQUEST, func_id("vision/detect"), 7)
    assert (header.demand, header.affinity, header.priority, header.flags) == (demand, 99, 5, 0)
    assert header.data_in == data_in_id(b"in")
    assert header.data_out == data_out_id(header.func_id, header.data_in)


@both
async def test_a_nack_is_an_exception(opened):
    async with (
        far_end(lambda request, _: [nack(request, NackCode.UNKNOWN_FUNCTION)]) as (port, requests),
        opened(port, policy=POLICY) as call,
    ):
        with pytest.raises(UnknownFunctionError):
            await call(0xABC)
    assert len(requests) == 1


@both
async def test_retry_after_is_honoured_with_the_same_request_id(opened):
    def answer(request, number):
        return [nack(request, NackCode.NO_CAPACITY, 30)] if number == 0 else [response(request)]

    async with far_end(answer) as (port, requests), opened(port, policy=POLICY) as call:
        reply = await call("a/b")
    assert reply.attempts == 2
    assert reply.latency_s >= 0.03
    assert requests[0] == requests[1]


@both
async def test_each_call_has_an_id_of_its_own_and_late_answers_are_not_taken(opened):
    earlier = []

    def answer(request, _):
        earlier.append(response(request, str(len(earlier)).encode()))
        return earlier

    async with far_end(answer) as (port, requests), opened(port, policy=POLICY) as call:
        assert [(await call("a/b")).payload for _ in range(3)] == [b"0", b"1", b"2"]
    assert len({request.header.request_id for request in requests}) == 3


@both
async def test_silence_ends_in_no_answer(opened):
    hasty = RetryPolicy(attempts=2, timeout_s=0.02, deadline_s=5)
    async with far_end(lambda *_: []) as (port, requests), opened(port, policy=hasty) as call:
        with pytest.raises(NoAnswerError):
            await call("a/b")
    assert len(requests) == 2


@both
async def test_a_closed_port_is_said_to_be_one(opened):
    hasty = RetryPolicy(attempts=2, timeout_s=0.02, deadline_s=5)
    async with opened(free_port(), policy=hasty) as call:
        with pytest.raises(NoAnswerError, match="refused"):
            await call("a/b")


@both
async def test_no_capacity_is_raised_when_it_stays_so(opened):
    async with (
        far_end(lambda request, _: [nack(request, NackCode.NO_CAPACITY, 1)]) as (port, requests),
        opened(port, policy=POLICY) as call,
    ):
        with pytest.raises(NoCapacityError):
            await call("a/b")
    assert len(requests) == POLICY.attempts


def _cookie_by_tenant_and_function(request, number):
    return [response(request, affinity=request.header.tenant << 32 | request.header.func_id << 8 | number)]


async def test_a_session_keeps_the_cookie_of_each_function():
    async with (
        far_end(_cookie_by_tenant_and_function) as (port, requests),
        AsyncClient("127.0.0.1", tenant=7, port=port, policy=POLICY) as client,
    ):
        session = AsyncSession(client)
        for function in (1, 2, 1, 2):
            await session.call(function)
        client.tenant = 8
        await session.call(1)
        await AsyncSession(client).call(1)
    sent = [request.header.affinity for request in requests]
    assert sent == [0, 0, 7 << 32 | 1 << 8, 7 << 32 | 2 << 8 | 1, 0, 0]


async def test_a_sessions_chain_brings_the_cookie_of_its_last_function():
    def answer(request, _):
        last = stages_of(request)[-1]
        fields = {"func_id": last.func_id, "data_in": last.data_in, "data_out": last.data_out}
        return [response(Packet(replace(request.header, **fields)), affinity=55)]

    async with (
        far_end(answer) as (port, requests),
        AsyncClient("127.0.0.1", port=port, policy=POLICY) as client,
    ):
        session = AsyncSession(client)
        await session.call(1, chain=[2])
        await session.call(1)
        await session.call(2)
    assert [request.header.affinity for request in requests] == [0, 0, 55]


async def test_a_reply_without_a_cookie_keeps_the_one_there_is():
    async with (
        far_end(lambda request, number: [response(request, affinity=0 if number else 55)]) as (
            port,
            requests,
        ),
        AsyncClient("127.0.0.1", port=port, policy=POLICY) as client,
    ):
        session = AsyncSession(client)
        for _ in range(3):
            await session.call("a/b")
    assert [request.header.affinity for request in requests] == [0, 55, 55]


async def test_the_synchronous_session_keeps_its_cookie():
    def calls(port: int) -> None:
        with Client("127.0.0.1", port=port, policy=POLICY) as client:
            session = Session(client)
            session.call("a/b")
            session.call("a/b")

    async with far_end(lambda request, _: [response(request, affinity=55)]) as (port, requests):
        await asyncio.to_thread(calls, port)
    assert [request.header.affinity for request in requests] == [0, 55]


async def test_a_cancelled_call_leaves_nothing_behind():
    async with (
        far_end(lambda *_: []) as (port, requests),
        AsyncClient("127.0.0.1", port=port, policy=POLICY) as client,
    ):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.call("a/b"), 0.05)
    assert len(requests) == 2
