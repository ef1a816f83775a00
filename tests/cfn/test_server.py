"""What a server tells its agent, and what it refuses to be."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from cfn.client import AsyncClient
from cfn.server import InstanceConfig, Server
from cfn.status import REPORT_AT_LEAST_S, InstanceStatus
from tests.cfn.network import free_port
from tests.cfn.sample_functions import echo, moody

WAIT_S = 30


class Agent:
    """Hears what servers report."""

    def __init__(self, path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    async def until(self, wanted) -> InstanceStatus:
        async with asyncio.timeout(WAIT_S):
            while True:
                said = InstanceStatus.decode(await asyncio.get_running_loop().sock_recv(self._socket, 4096))
                if wanted(said):
                    return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def agent(tmp_path):
    made = Agent(tmp_path / "agent.sock")
    yield made
    made.close()


def config(number: int = 1, *listen: str, target=echo, **options) -> InstanceConfig:
    return InstanceConfig(target, number, tuple(map(ip_address, listen or ("127.0.0.1",))), **options)


async def test_every_instance_is_reported_with_what_it_has_done(tmp_path, agent):
    port = free_port()
    instances = [config(1), config(2, "127.0.0.2", "::1", target=moody, workers=3)]
    async with Server(instances, port=port, agent=tmp_path / "agent.sock"):
        first = await agent.until(lambda said: said.instance == 1)
        assert (first.func_id, first.state, first.workers, first.completed) == (echo.func_id, "up", 1, 0)
        async with AsyncClient("127.0.0.2", port=port) as client:
            for number in range(5):
                await client.call("test/moody", b"number %d" % number)
        second = await agent.until(lambda said: said.instance == 2 and said.completed == 5)
    assert (second.arrived, second.queue, second.workers) == (5, 0, 3)
    assert (str(second.ipv4), str(second.ipv6)) == ("127.0.0.2", "::1")
    assert second.busy_us > 0


async def test_an_idle_instance_goes_on_reporting(tmp_path, agent):
    async with Server([config()], port=free_port(), agent=tmp_path / "agent.sock"):
        first = await agent.until(lambda _: True)
        second = await agent.until(lambda _: True)
    assert second.at_us - first.at_us >= REPORT_AT_LEAST_S * 1e6 * 0.9


async def test_a_server_that_ends_says_draining_and_gone(tmp_path, agent):
    port = free_port()
    async with Server([config()], port=port, agent=tmp_path / "agent.sock") as server:
        await agent.until(lambda said: said.state == "up")
        draining = asyncio.create_task(server.drain(0.2))
        await agent.until(lambda said: said.state == "draining")
        async with AsyncClient("127.0.0.1", port=port) as client:
            assert (await client.call("test/echo", b"still here")).payload == b"still here"
        await draining
    await agent.until(lambda said: said.state == "gone")


async def test_an_agent_that_is_away_is_missed_once_and_heard_again(tmp_path, caplog):
    path = tmp_path / "agent.sock"
    async with Server([config()], port=free_port(), agent=path):
        async with asyncio.timeout(WAIT_S):
            while "does not listen" not in caplog.text:
                await asyncio.sleep(0.01)
        agent = Agent(path)
        await agent.until(lambda said: said.state == "up")
        await agent.until(lambda said: said.state == "up")
        agent.close()
    assert caplog.text.count("does not listen: No such file") == 1


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"listen": ()}, "one IPv4 address"),
        ({"listen": (ip_address("127.0.0.1"), ip_address("127.0.0.2"))}, "one IPv4 address"),
        ({"listen": (ip_address("::"),)}, "is an address"),
        ({"number": 65536}, "16 bits"),
        ({"workers": 0}, "at least one worker"),
        ({"queue_limit": -1}, "no negative queue"),
    ],
)
def test_an_impossible_instance_is_refused(wrong, text):
    values = {"function": echo, "number": 1, "listen": (ip_address("127.0.0.1"),)}
    with pytest.raises(ValueError, match=text):
        InstanceConfig(**{**values, **wrong})


async def test_a_server_that_cannot_listen_leaves_nothing_open():
    port = free_port()
    with pytest.raises(OSError, match="cannot listen on 192"):
        async with Server([config(1), config(2, "192.0.2.1")], port=port):
            pass
    async with Server([config(1)], port=port), AsyncClient("127.0.0.1", port=port) as client:
        assert (await client.call("test/echo", b"free")).payload == b"free"
