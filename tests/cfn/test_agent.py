"""The agent end to end: a unix socket on one side, gRPC on the other."""

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import grpc
import pytest

from cfn.advert_sender import AdvertSender, Numbers, SendError
from cfn.agent import Agent, AgentConfig
from cfn.client import AsyncClient
from cfn.collectors.collector import SampleStore
from cfn.content.results import ResultKey
from cfn.cpu import Host
from cfn.damping import Damping
from cfn.metrics.profile import DEFAULT
from cfn.metrics.sample import Sample
from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc
from tests.cfn.content.agents import site
from tests.cfn.network import served
from tests.cfn.sample_functions import echo, pure_size
from tests.cfn.statuses import holdings, status

WAIT_S = 30


class Receiver(advert_pb2_grpc.AdvertsServicer):
    """A controller that only keeps what it hears."""

    def __init__(self) -> None:
        self.adverts: asyncio.Queue[pb.Advert] = asyncio.Queue()
        self.tokens: set[str] = set()
        self.accepted = True

    async def Advertise(self, request, context):  # noqa: N802 - the name in advert.proto
        self.tokens.add(dict(context.invocation_metadata())["authorization"])
        self.adverts.put_nowait(request)
        return pb.AdvertAck(
            accepted=self.accepted, reason="" if self.accepted else "not you", min_interval_ms=5
        )

    async def until(self, wanted) -> pb.Advert:
        """The next advert that is as wanted."""
        async with asyncio.timeout(WAIT_S):
            while not wanted(advert := await self.adverts.get()):
                pass
        return advert


@asynccontextmanager
async def controller(port: int = 0):
    server, receiver = grpc.aio.server(), Receiver()
    advert_pb2_grpc.add_AdvertsServicer_to_server(receiver, server)
    receiver.port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield receiver
    finally:
        await server.stop(None)


@asynccontextmanager
async def running(path, *ports: int, samples: SampleStore | None = None, **damping):
    config = AgentConfig(path, Damping(**{"timer_s": 60.0, **damping}), drain_s=0.1)
    numbers = Numbers()
    async with AsyncExitStack() as stack:
        senders = [
            await stack.enter_async_context(
                AdvertSender(f"127.0.0.1:{port}", "near", "secret", numbers=numbers)
            )
            for port in ports
        ]
        agent = Agent(config, senders, Host(), samples)
        task = asyncio.create_task(agent.run())
        try:
            yield agent
            agent.drain()
            await asyncio.wait_for(task, WAIT_S)
        finally:
            task.cancel()


def say(path, *statuses) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        for each in statuses:
            server.sendto(each if isinstance(each, bytes) else each.encode(), str(path))


async def listening(path) -> None:
    async with asyncio.timeout(WAIT_S):
        while not path.exists():
            await asyncio.sleep(0.01)


async def test_what_servers_report_is_advertised(tmp_path):
    path = tmp_path / "agent.sock"
    async with controller() as receiver, running(path, receiver.port):
        await listening(path)
        say(path, status(1, at_s=1.0), status(2, at_s=1.0, ipv4=None, ipv6="fd00:2::2"))
        say(path, status(1, at_s=2.0, arrived=10, completed=10, busy_us=40_000, load=66, queue=3))
        advert = await receiver.until(lambda each: [i.load for i in each.instances] == [66, 0])
        first, second = advert.instances
        assert (advert.site, receiver.tokens) == ("near", {"Bearer secret"})
        assert advert.cpu_capacity == os.cpu_count()
        assert (first.instance, first.load, first.queue, first.service_time_us) == (1, 66, 3, 4000)
        assert (first.arrival_rps, first.capacity_rps, first.state) == (10, 250, pb.Instance.UP)
        assert (first.ipv4, first.ipv6) == (bytes([10, 2, 0, 1]), b"")
        assert second.ipv6 == socket.inet_pton(socket.AF_INET6, "fd00:2::2")


async def test_metrics_are_advertised_as_the_samples_are(tmp_path):
    path = tmp_path / "agent.sock"
    samples = SampleStore()
    samples.put(
        [Sample("memory_utilisation", 300_000, 1000), Sample("storage_size", 9, 1)], time.monotonic() + 60
    )
    samples.put([Sample("service_errors", 100_000, 5000, instance=2)], time.monotonic() + 60)
    samples.put([Sample("network_utilisation", 0, 1)], time.monotonic())
    async with controller() as receiver, running(path, receiver.port, samples=samples):
        await listening(path)
        say(path, status(1, at_s=1.0, load=51), status(2, at_s=1.0, load=51))
        advert = await receiver.until(lambda each: [i.load for i in each.instances] == [51, 51])
    site = {each.type: each for each in advert.metrics}
    assert site.keys() == {pb.Metric.COMPUTE_NORM, pb.Metric.SERVICE_NORM, pb.Metric.NORM_FI}
    service = [
        [each.value for each in one.metrics if each.type == pb.Metric.SERVICE_NORM]
        for one in advert.instances
    ]
    # 80 tenths for the load and 100 for the empty queue: (2 * 80 + 100) / 3, or with errors at their worst
    # (2 * 80 + 100 + 2 * 0) / 5.
    assert service == [[9], [5]]
    assert all(each.window_ms for one in (advert, *advert.instances) for each in one.metrics)
    assert [each.type for each in advert.resources.compute] == [pb.Resources.Compute.LOGIC]
    assert advert.profile == DEFAULT.message


async def test_a_change_is_told_at_once_and_a_site_that_drains_says_so_and_withdraws(tmp_path):
    path = tmp_path / "agent.sock"
    async with controller() as receiver:
        async with running(path, receiver.port):
            await listening(path)
            say(path, status(1, at_s=1.0))
            first = await receiver.until(lambda each: len(each.instances) == 1)
            # The timer is a minute, so only the change can be why.
            say(path, status(1, at_s=1.1, load=200))
            second = await receiver.until(lambda each: each.instances[0].load == 200)
            assert second.sequence > first.sequence
            assert second.incarnation == first.incarnation
        draining = await receiver.until(lambda _: True)
        assert [each.state for each in draining.instances] == [pb.Instance.DRAINING]
        assert len((await receiver.until(lambda each: not each.instances)).instances) == 0
    assert not path.exists()


async def test_what_the_data_agent_holds_is_advertised_until_it_does_not_any_more(tmp_path):
    path = tmp_path / "agent.sock"
    key = ResultKey(0xF, b"i" * 16)
    async with controller() as receiver, running(path, receiver.port):
        await listening(path)
        result = {"func_id": key.func_id, "data_in": key.data_in.hex()}
        say(path, holdings(at_s=1.0, inputs=["ee" * 16, "aa" * 16], results=[result]))
        first = await receiver.until(lambda each: each.inputs)
        assert list(first.inputs) == [b"\xaa" * 16, b"\xee" * 16]
        (told,) = first.results
        assert (told.func_id, told.data_in, told.data_out) == (*key, key.data_out)
        say(path, holdings(at_s=2.0, inputs=["bb" * 16, "aa" * 16]))
        second = await receiver.until(lambda each: not each.results)
        assert list(second.inputs) == [b"\xaa" * 16, b"\xbb" * 16]
        # Silence from then on.
        await receiver.until(lambda each: not each.inputs)


async def test_server_data_agent_and_site_agent_together(tmp_path):
    """What is put and what a pure function made is in an advert soon after."""
    path = tmp_path / "agent.sock"
    async with controller() as receiver, running(path, receiver.port):
        await listening(path)
        # In threads: gRPC runs in this process, which is not to be forked any more.
        async with (
            site(tmp_path, report_to=path) as data,
            served(replace(pure_size, runs="thread"), agent=path, data=data.config.local) as port,
            AsyncClient("127.0.0.1", port=port) as client,
        ):
            data_id = await data.client.put(b"picture")
            await client.call("test/size", data_in=data_id)
            advert = await receiver.until(lambda each: each.results)
            assert list(advert.inputs) == [data_id]
            (told,) = advert.results
            key = ResultKey(pure_size.func_id, data_id)
            assert (told.func_id, told.data_in, told.data_out) == (*key, key.data_out)
        await receiver.until(lambda each: not each.inputs and not each.results)


async def test_an_instance_that_falls_silent_is_withdrawn(tmp_path):
    path = tmp_path / "agent.sock"
    async with controller() as receiver, running(path, receiver.port):
        await listening(path)
        say(path, status(1, at_s=1.0))
        await receiver.until(lambda each: len(each.instances) == 1)
        await receiver.until(lambda each: not each.instances)


async def test_what_cannot_be_read_is_not_believed(tmp_path, caplog):
    path = tmp_path / "agent.sock"
    async with controller() as receiver, running(path, receiver.port):
        await listening(path)
        say(path, b"junk", status(1).encode().replace(b'"load":0', b'"load":999'), status(2, at_s=1.0))
        advert = await receiver.until(lambda each: len(each.instances) > 0)
        assert [each.instance for each in advert.instances] == [2]
    assert "load: Input should be less than or equal to 255" in caplog.text


async def test_adverts_go_on_when_the_controller_comes_back(tmp_path):
    path = tmp_path / "agent.sock"
    async with controller() as receiver:
        port = receiver.port
    async with running(path, port, timer_s=0.05):
        await listening(path)
        say(path, status(1, at_s=1.0))
        async with controller(port) as receiver:
            await receiver.until(lambda each: len(each.instances) == 1)


async def test_a_refusal_is_logged_once(tmp_path, caplog):
    path = tmp_path / "agent.sock"
    async with controller() as receiver:
        receiver.accepted = False
        async with running(path, receiver.port, timer_s=0.02):
            for _ in range(4):
                await receiver.until(lambda _: True)
    assert caplog.text.count("refused the advert: not you") == 1


async def test_two_agents_cannot_share_a_socket_but_a_dead_one_s_is_taken_over(tmp_path):
    path = tmp_path / "agent.sock"
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(path))
    dead.close()
    async with controller() as receiver, running(path, receiver.port):
        await receiver.until(lambda _: True)
        async with AdvertSender(f"127.0.0.1:{receiver.port}", "near", "secret") as sender:
            with pytest.raises(OSError, match=f"cannot listen at {path}"):
                await Agent(AgentConfig(path), [sender], Host()).run()
        assert path.exists()


async def test_a_sender_without_a_controller_says_so():
    async with controller() as receiver:
        port = receiver.port
    async with AdvertSender(f"127.0.0.1:{port}", "near", "secret") as sender:
        with pytest.raises(SendError, match=f"controller 127.0.0.1:{port}: UNAVAILABLE"):
            await sender.send(())


async def test_server_agent_and_client_together(tmp_path):
    """Calls are made, and the advert tells their rate and how long they took."""
    path = tmp_path / "agent.sock"
    async with controller() as receiver:
        command = [sys.executable, "-m", "cfn.cli", "agent", "near", "--controller"]
        agent = await asyncio.create_subprocess_exec(
            *command,
            f"127.0.0.1:{receiver.port}",
            *("--listen", f"unix:{path}", "--timer", "0.05", "--drain", "0.2"),
            env={**os.environ, "CFN_TOKEN": "secret"},
        )
        try:
            async with served(echo, "127.0.0.1", "::1", agent=path) as port:
                idle = await receiver.until(lambda each: len(each.instances) == 1)
                assert (idle.instances[0].func_id, idle.instances[0].instance) == (echo.func_id, 3)
                assert (len(idle.instances[0].ipv4), len(idle.instances[0].ipv6)) == (4, 16)
                async with AsyncClient("127.0.0.1", port=port) as client:
                    for number in range(20):
                        await client.call("test/echo", bytes([number]))
                busy = await receiver.until(lambda each: each.instances[0].completed_rps > 0)
                assert busy.instances[0].service_time_us > 0
                assert busy.instances[0].capacity_rps > 0
            await receiver.until(lambda each: not each.instances)
        finally:
            agent.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(agent.wait(), WAIT_S) == 0


async def test_several_controllers_are_told_in_one_sequence_and_none_waits_for_another(tmp_path):
    path = tmp_path / "agent.sock"
    with socket.socket() as silent:
        # It takes connections and never answers.
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        deaf = silent.getsockname()[1]
        async with controller() as one, controller() as two, running(path, deaf, one.port, two.port):
            await listening(path)
            say(path, status(1, at_s=1.0))
            heard = [await each.until(lambda advert: advert.instances) for each in (one, two)]
            say(path, status(1, at_s=2.0, load=255))
            heard += [await each.until(lambda a: a.instances[0].load == 255) for each in (one, two)]
            assert len({advert.incarnation for advert in heard}) == 1
            assert len({advert.sequence for advert in heard}) == 4
            assert min(a.sequence for a in heard[2:]) > max(a.sequence for a in heard[:2])
