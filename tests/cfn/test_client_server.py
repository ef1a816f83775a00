"""Client and server end to end, over real sockets on loopback."""

import asyncio
import os

import pytest

from cfn.client import AsyncClient, Client
from cfn.errors import (
    BusyError,
    FunctionFailedError,
    InputRefusedError,
    UnknownFunctionHereError,
)
from cfn.exchange import RetryPolicy
from cfn.wire import MAX_DATAGRAM, Header, Kind, Packet
from tests.cfn.network import relay, served
from tests.cfn.sample_functions import echo, moody, threaded

PATIENT = RetryPolicy(attempts=3, timeout_s=10, deadline_s=30)
HASTY = RetryPolicy(attempts=12, timeout_s=0.05, factor=1.5, deadline_s=60)
# Two quick retries, then all the time in the world for the answer.
TWO_RETRIES = RetryPolicy(attempts=3, timeout_s=0.03, factor=25, deadline_s=60)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7", "::1"])
async def test_a_call_runs_the_function_and_brings_its_output(host):
    async with served(echo, host) as port, AsyncClient(host, port=port, policy=PATIENT) as client:
        reply = await client.call("test/echo", b"hello")
    assert (reply.payload, reply.attempts) == (b"hello", 1)


async def test_the_synchronous_client_does_the_same():
    def call() -> bytes:
        with Client("127.0.0.1", port=port, policy=PATIENT) as client:
            return client.call("test/echo", b"first").payload + client.call("test/echo", b"second").payload

    async with served(echo) as port:
        assert await asyncio.to_thread(call) == b"firstsecond"


async def test_one_instance_listens_on_both_families():
    async with served(echo, "127.0.0.1", "::1") as port:
        for host in ("127.0.0.1", "::1"):
            async with AsyncClient(host, port=port, policy=PATIENT) as client:
                assert (await client.call("test/echo", host.encode())).payload == host.encode()


async def test_many_calls_at_once_each_get_their_own_answer():
    async with (
        served(echo, workers=2, queue_limit=200) as port,
        AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client,
    ):
        inputs = [str(number).encode() for number in range(150)]
        replies = await asyncio.gather(*(client.call("test/echo", each) for each in inputs))
    assert [reply.payload for reply in replies] == inputs


async def test_an_empty_and_the_largest_payload_pass():
    async with served(echo) as port, AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client:
        for payload in (b"", bytes(MAX_DATAGRAM - 72)):
            assert (await client.call("test/echo", payload)).payload == payload
        with pytest.raises(ValueError, match="room for 1328"):
            await client.call("test/echo", bytes(MAX_DATAGRAM - 71))


@pytest.mark.parametrize("target", [moody, threaded])
@pytest.mark.parametrize(
    ("payload", "error", "text"),
    [
        (b"refuse", InputRefusedError, "not today"),
        (b"raise", FunctionFailedError, "KeyError: 'missing'"),
        (b"huge", FunctionFailedError, "output of 1329 bytes"),
        (b"text", FunctionFailedError, "str instead of bytes"),
    ],
)
async def test_what_a_function_raises_reaches_the_client_as_status_and_text(target, payload, error, text):
    async with served(target) as port, AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client:
        with pytest.raises(error, match=text):
            await client.call(target.name, payload)
        assert (await client.call(target.name, b"on")).payload == b"on"


async def test_another_function_is_unknown_here():
    async with served(echo) as port, AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client:
        with pytest.raises(UnknownFunctionHereError):
            await client.call("test/other")


async def test_a_worker_that_dies_is_replaced_and_its_request_answered():
    async with served(moody) as port, AsyncClient("127.0.0.1", port=port, policy=PATIENT) as client:
        before = (await client.call("test/moody", b"who")).payload
        with pytest.raises(FunctionFailedError, match="exit code 3"):
            await client.call("test/moody", b"die")
        after = (await client.call("test/moody", b"who")).payload
    assert before != after
    for pid in (before, after):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.mark.parametrize("lost", ["there", "back"])
async def test_a_lost_datagram_is_sent_again(lost):
    async with (
        served(echo) as port,
        relay(port, lambda way, number: way == lost and number == 0) as lossy,
        AsyncClient("127.0.0.1", port=lossy, policy=HASTY) as client,
    ):
        reply = await client.call("test/echo", b"again")
    assert reply.payload == b"again"
    assert reply.attempts > 1


async def test_a_retry_is_not_computed_twice(tmp_path):
    runs = tmp_path / "runs"
    async with (
        served(moody) as port,
        relay(port, lambda way, number: way == "back" and number < 2) as way,
        AsyncClient("127.0.0.1", port=way, policy=HASTY) as client,
    ):
        reply = await client.call("test/moody", b"append %s" % os.fsencode(runs))
    assert reply.attempts >= 3
    assert runs.read_bytes() == b"x"


async def test_a_retry_while_the_first_is_running_gets_the_one_answer(tmp_path):
    gate = tmp_path / "gate"
    seen = []

    def drop(way: str, number: int) -> bool:
        seen.append(way)
        if seen.count("there") == 3:
            gate.touch()
        return False

    async with (
        served(moody) as port,
        relay(port, drop) as watched,
        AsyncClient("127.0.0.1", port=watched, policy=TWO_RETRIES) as client,
    ):
        reply = await client.call("test/moody", b"until %s" % os.fsencode(gate))
    assert reply.attempts == 3
    assert seen.count("back") == 1


async def test_beyond_the_queue_the_instance_is_busy(tmp_path):
    gate = tmp_path / "gate"
    once = RetryPolicy(attempts=1, timeout_s=20, deadline_s=20)
    async with (
        served(moody, queue_limit=2) as port,
        AsyncClient("127.0.0.1", port=port, policy=once) as client,
    ):
        # The first runs, two wait; whichever are left over are refused, and say how many there are.
        calls = [
            asyncio.create_task(client.call("test/moody", b"until " + os.fsencode(gate))) for _ in range(5)
        ]
        refused, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_EXCEPTION)
        error = refused.pop().exception()
        assert isinstance(error, BusyError)
        assert error.report.queue == 3
        assert error.report.load >= 16
        gate.touch()
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, BusyError) for answer in answers) == 2


async def test_a_busy_instance_is_asked_again(tmp_path):
    gate = tmp_path / "gate"
    async with (
        served(moody, queue_limit=0) as port,
        AsyncClient("127.0.0.1", port=port, policy=HASTY) as client,
    ):
        first = asyncio.create_task(client.call("test/moody", b"until " + os.fsencode(gate)))
        second = asyncio.create_task(client.call("test/moody", b"second"))
        asyncio.get_running_loop().call_later(0.12, gate.touch)
        await first
        assert (await second).attempts > 1


async def test_the_response_repeats_what_the_network_needs():
    request = Packet(
        Header(
            Kind.REQUEST,
            echo.func_id,
            tenant=7,
            request_id=9,
            flags=3,
            hops=12,
            priority=4,
            timestamp=123456,
            affinity=0xFEEDFACE,
            data_in=b"i" * 16,
            data_out=b"o" * 16,
        ),
        b"input",
    )
    async with served(echo) as port:
        answer = await _raw_exchange(port, request.encode())
    assert answer.header.kind == Kind.RESPONSE
    for name in ("tenant", "request_id", "flags", "hops", "priority", "timestamp", "affinity", "func_id"):
        assert getattr(answer.header, name) == getattr(request.header, name)
    assert (answer.header.data_in, answer.header.data_out) == (b"i" * 16, b"o" * 16)


async def test_what_is_no_request_is_ignored_and_harms_nothing():
    async with served(echo) as port:
        stray = Packet(Header(Kind.RESPONSE, echo.func_id)).encode()
        request = Packet(Header(Kind.REQUEST, echo.func_id, request_id=1), b"alive").encode()
        answer = await _raw_exchange(
            port, b"", b"junk", stray, Packet(Header(Kind.NACK, 0)).encode(), request
        )
    assert answer.payload == b"alive"


async def test_an_address_that_is_not_ours_is_an_error_that_names_it():
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1 port"):
        async with served(echo, "192.0.2.1"):
            pass


async def _raw_exchange(port: int, *datagrams: bytes) -> Packet:
    """Send datagrams from one socket; the first that comes back."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[bytes] = loop.create_future()

    class Catch(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr) -> None:
            if not arrived.done():
                arrived.set_result(data)

    transport, _ = await loop.create_datagram_endpoint(Catch, remote_addr=("127.0.0.1", port))
    try:
        for datagram in datagrams:
            transport.sendto(datagram)
        return Packet.decode(await asyncio.wait_for(arrived, 20))
    finally:
        transport.close()
