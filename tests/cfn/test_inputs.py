"""Inputs that are named and not sent, and results that are given again: server, data agent and client."""

import asyncio
import os
from dataclasses import replace

import pytest

from cfn.client import AsyncClient, Client
from cfn.content.results import ResultKey
from cfn.errors import BusyError, InputMissingError, InputRefusedError, UnknownFunctionHereError
from cfn.exchange import RetryPolicy
from cfn.names import data_in_id
from cfn.wire import Header, Kind, Packet
from tests.cfn.content.agents import WAIT_S, prefetch, site, source
from tests.cfn.network import served
from tests.cfn.sample_functions import echo, moody, pure_size, size, threaded_size

PATIENT = RetryPolicy(attempts=1, timeout_s=WAIT_S, deadline_s=WAIT_S)
PICTURE = os.urandom(1_000_000)
PICTURE_ID = data_in_id(PICTURE)
LONG_AGO_ID = data_in_id(b"long ago")


def logged(path, more: bytes = b"") -> bytes:
    """An input for test/size that tells of each run in a file."""
    return b"log " + os.fsencode(path) + b"\n" + more


async def kept(here, count: int) -> None:
    """Wait until the data agent holds so many results."""
    async with asyncio.timeout(WAIT_S):
        while len((await here.client.holdings())["results"]) != count:
            await asyncio.sleep(0.01)


async def busy_with(client: AsyncClient, count: int) -> None:
    """Wait until so many requests run or wait for a worker, which a refusal tells without waiting itself."""
    async with asyncio.timeout(WAIT_S):
        while True:
            with pytest.raises(UnknownFunctionHereError) as refused:
                await client.call("test/other")
            if refused.value.report.queue == count:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("target", [size, threaded_size])
async def test_an_input_of_any_size_is_found_in_the_cache(tmp_path, target):
    async with (
        site(tmp_path) as here,
        served(target, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        await here.client.put(PICTURE)
        for _ in range(3):
            assert (await client.call("test/size", data_in=PICTURE_ID)).payload == b"1000000 bytes"
        assert here.agent.counters.hits == 3


async def test_the_synchronous_client_names_an_input_too(tmp_path):
    def call(port: int) -> bytes:
        with Client("127.0.0.1", port=port, policy=PATIENT) as client:
            return client.call("test/size", data_in=PICTURE_ID).payload

    async with site(tmp_path) as here, served(size, data=here.config.local) as port:
        await here.client.put(PICTURE)
        assert await asyncio.to_thread(call, port) == b"1000000 bytes"


async def test_an_input_that_is_not_here_is_fetched(tmp_path):
    async with (
        source(PICTURE) as origin,
        site(tmp_path, origins=[origin.url]) as here,
        served(size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        assert (await client.call("test/size", data_in=PICTURE_ID)).payload == b"1000000 bytes"


async def test_a_function_waits_for_the_fetch_that_a_prefetch_began(tmp_path):
    async with (
        source(PICTURE) as holder,
        site(tmp_path, sites={7: holder.url}) as here,
        served(size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        holder.gate.clear()
        here.send(prefetch(PICTURE_ID, holder=7))
        await holder.is_asked()
        calls = [asyncio.create_task(client.call("test/size", data_in=PICTURE_ID)) for _ in range(5)]
        await asyncio.wait(calls, timeout=0.1)
        holder.gate.set()
        assert {reply.payload for reply in await asyncio.gather(*calls)} == {b"1000000 bytes"}
        assert len(holder.asked) == 1


async def test_who_waits_for_input_keeps_neither_worker_nor_loop_from_others(tmp_path):
    async with (
        source(PICTURE) as origin,
        site(tmp_path, origins=[origin.url]) as here,
        served(size, data=here.config.local, queue_limit=3) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        origin.gate.clear()
        waiting = [asyncio.create_task(client.call("test/size", data_in=PICTURE_ID)) for _ in range(4)]
        await origin.is_asked()
        for _ in range(10):
            reply = await client.call("test/size", b"12345")
            assert (reply.payload, reply.report.queue) == (b"5 bytes", 0)
        # As many wait for input as there are workers and places in the queue.
        with pytest.raises(BusyError):
            await client.call("test/size", data_in=LONG_AGO_ID)
        origin.gate.set()
        assert {reply.payload for reply in await asyncio.gather(*waiting)} == {b"1000000 bytes"}


async def test_an_input_that_cannot_be_had_is_said_to_be_missing_and_why(tmp_path):
    async with (
        source(status=404) as origin,
        site(tmp_path, origins=[origin.url]) as here,
        served(size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        with pytest.raises(InputMissingError) as missing:
            await client.call("test/size", data_in=PICTURE_ID)
        assert str(missing.value) == f"MISSING_INPUT: {PICTURE_ID.hex()}: {origin.url}: 404 Not Found"
        assert (await client.call("test/size", b"on")).payload == b"2 bytes"


async def test_without_a_data_agent_an_input_has_to_be_sent(tmp_path):
    async with served(size) as port, AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client:
        with pytest.raises(InputMissingError, match="has no data agent"):
            await client.call("test/size", data_in=PICTURE_ID)
    async with (
        served(size, data=tmp_path / "nobody.sock") as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        with pytest.raises(InputMissingError, match="does not answer"):
            await client.call("test/size", data_in=PICTURE_ID)


async def test_a_data_agent_that_comes_back_is_used_again(tmp_path):
    async with (
        served(size, data=tmp_path / "data.sock") as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        for _ in range(2):
            async with site(tmp_path) as here:
                await here.client.put(PICTURE)
                assert (await client.call("test/size", data_in=PICTURE_ID)).payload == b"1000000 bytes"
            with pytest.raises(InputMissingError, match="does not answer"):
                await client.call("test/size", data_in=PICTURE_ID)


async def test_an_input_without_bytes_needs_no_agent():
    async with served(size) as port, AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client:
        assert (await client.call("test/size")).payload == b"0 bytes"


async def test_what_a_function_says_of_an_input_that_it_found_reaches_the_client(tmp_path):
    async with (
        site(tmp_path) as here,
        served(size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        data_id = await here.client.put(b"refuse me")
        with pytest.raises(InputRefusedError, match="not today"):
            await client.call("test/size", data_in=data_id)


async def test_an_input_that_waits_for_a_worker_stays_readable_when_the_cache_lets_it_go(tmp_path):
    gate = tmp_path / "gate"
    until = b"until " + os.fsencode(gate)
    async with (
        site(tmp_path, limit=1000) as here,
        served(moody, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        data_id = await here.client.put(b"old")
        first = asyncio.create_task(client.call("test/moody", until))
        second = asyncio.create_task(client.call("test/moody", data_in=data_id))
        await busy_with(client, 2)
        await here.client.put(bytes(1000))
        assert len((await here.client.holdings())["content"]) == 1
        gate.touch()
        assert (await second).payload == b"old"
        await first


async def test_an_input_that_is_found_for_a_full_queue_is_let_go(tmp_path):
    gate = tmp_path / "gate"
    async with (
        site(tmp_path) as here,
        served(moody, data=here.config.local, queue_limit=0) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        data_id = await here.client.put(b"held")
        first = asyncio.create_task(client.call("test/moody", b"until " + os.fsencode(gate)))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await client.call("test/moody", data_in=data_id)
        assert here.agent.counters.hits == 1
        gate.touch()
        await first


async def test_a_server_that_ends_while_input_is_awaited_or_waits_leaves_nothing_open(tmp_path):
    """Files left open are warnings, and warnings are errors here."""
    gate = tmp_path / "gate"
    async with source(PICTURE) as origin, site(tmp_path, origins=[origin.url]) as here:
        origin.gate.clear()
        held = await here.client.put(b"held")
        async with (
            served(moody, data=here.config.local) as port,
            AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
        ):
            calls = [
                asyncio.create_task(client.call("test/moody", b"until " + os.fsencode(gate))),
                asyncio.create_task(client.call("test/moody", data_in=held)),
                asyncio.create_task(client.call("test/moody", data_in=PICTURE_ID)),
            ]
            await origin.is_asked()
            await busy_with(client, 2)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)


async def test_what_a_pure_function_made_is_not_made_again(tmp_path):
    runs, data = tmp_path / "runs", logged(tmp_path / "runs")
    async with site(tmp_path) as here:
        async with (
            served(pure_size, data=here.config.local) as port,
            AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
        ):
            first = await client.call("test/size", data)
            await kept(here, 1)
            assert (await client.call("test/size", data)).payload == first.payload
            assert runs.read_bytes() == b"x"
            assert await here.client.result(ResultKey(pure_size.func_id, data_in_id(data))) == first.payload
        # Another instance of the site, asked by name of an input that it could not even get:
        async with (
            served(pure_size, data=here.config.local) as port,
            AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
        ):
            assert (await client.call("test/size", data_in=data_in_id(data))).payload == first.payload
            assert (await client.call("test/size", data + b"!")).payload != first.payload
    assert runs.read_bytes() == b"xx"


async def test_an_input_found_in_the_cache_makes_a_result_too(tmp_path):
    data = logged(tmp_path / "runs", bytes(5000))
    async with (
        site(tmp_path) as here,
        served(pure_size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        data_id = await here.client.put(data)
        first = await client.call("test/size", data_in=data_id)
        await kept(here, 1)
        assert (await client.call("test/size", data_in=data_id)).payload == first.payload
    assert (tmp_path / "runs").read_bytes() == b"x"


async def test_what_is_not_pure_runs_each_time(tmp_path):
    data = logged(tmp_path / "runs")
    async with (
        site(tmp_path) as here,
        served(size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        for _ in range(3):
            await client.call("test/size", data)
        assert (await here.client.holdings())["results"] == []
    assert (tmp_path / "runs").read_bytes() == b"xxx"


async def test_only_outputs_are_kept(tmp_path):
    async with (
        site(tmp_path) as here,
        served(pure_size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        with pytest.raises(InputRefusedError):
            await client.call("test/size", b"refuse me")
        await client.call("test/size", b"take me")
        await kept(here, 1)
        with pytest.raises(InputRefusedError):
            await client.call("test/size", b"refuse me")


async def raw(port: int, header: Header, payload: bytes) -> Packet:
    """What an instance answers to a request as it stands."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[bytes] = loop.create_future()

    class Catch(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr) -> None:
            arrived.set_result(data)

    transport, _ = await loop.create_datagram_endpoint(Catch, remote_addr=("127.0.0.1", port))
    transport.sendto(Packet(header, payload).encode())
    try:
        return Packet.decode(await asyncio.wait_for(arrived, WAIT_S))
    finally:
        transport.close()


async def test_nobody_can_pass_off_an_output_as_that_of_another_input(tmp_path):
    popular = b"popular"
    key = ResultKey(pure_size.func_id, data_in_id(popular))
    claim = Header(Kind.REQUEST, pure_size.func_id, data_in=key.data_in, data_out=key.data_out)
    async with (
        site(tmp_path) as here,
        served(pure_size, data=here.config.local) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        assert (await raw(port, claim, b"something else")).payload == b"14 bytes"
        assert (await client.call("test/size", popular)).payload == b"7 bytes"
        await kept(here, 1)
        assert await here.client.result(key) == b"7 bytes"


async def test_an_output_that_is_to_have_another_name_or_none_is_not_kept(tmp_path):
    header = Header(Kind.REQUEST, pure_size.func_id, data_in=data_in_id(b"mine"))
    async with site(tmp_path) as here, served(pure_size, data=here.config.local) as port:
        for number, name in enumerate((bytes(16), b"another name " + bytes(3))):
            answer = await raw(port, replace(header, request_id=number, data_out=name), b"mine")
            assert answer.payload == b"4 bytes"
        own = ResultKey(pure_size.func_id, data_in_id(b"other"))
        await raw(port, replace(header, data_in=own.data_in, data_out=own.data_out), b"other")
        await kept(here, 1)


async def test_a_pure_function_runs_without_its_data_agent_and_that_is_said_once(tmp_path, caplog):
    async with (
        served(pure_size, data=tmp_path / "nobody.sock") as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        for number in range(3):
            assert (await client.call("test/size", b"%d" % number)).payload == b"1 bytes"
    assert caplog.text.count("results are not kept: the data agent at") == 1


async def test_two_requests_by_name_with_one_id_are_two(tmp_path):
    """A socket that is used again with the ids of before asks for what it names."""
    header = Header(Kind.REQUEST, echo.func_id, request_id=1)
    loop = asyncio.get_running_loop()
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    class Catch(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr) -> None:
            answers.put_nowait(Packet.decode(data).payload)

    async with site(tmp_path) as here, served(echo, data=here.config.local) as port:
        ids = [await here.client.put(data) for data in (b"one", b"two")]
        transport, _ = await loop.create_datagram_endpoint(Catch, remote_addr=("127.0.0.1", port))
        try:
            for data_id in ids:
                transport.sendto(Packet(replace(header, data_in=data_id)).encode())
            async with asyncio.timeout(WAIT_S):
                assert {await answers.get(), await answers.get()} == {b"one", b"two"}
        finally:
            transport.close()
