"""Data agents, and sources of content that misbehave, on loopback."""

import asyncio
import socket
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from cfn.content.agent import DataAgent, DataAgentConfig
from cfn.content.client import ContentClient
from cfn.content.fetch import Sources
from cfn.wire import Header, Kind, Packet, Report
from tests.cfn.network import free_port

WAIT_S = 30


class Site:
    """A data agent that runs, and a connection to it from its own host."""

    def __init__(self, agent: DataAgent, config: DataAgentConfig, client: ContentClient) -> None:
        self.agent, self.config, self.client = agent, config, client
        self.url = f"http://127.0.0.1:{config.port}"

    def send(self, datagram: bytes, host: str = "127.0.0.1") -> None:
        """A datagram to the port that PREFETCH comes to."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as router:
            router.sendto(datagram, (host, self.config.port))

    async def until(self, **counters: int) -> None:
        """Wait until the counters say so."""
        async with asyncio.timeout(WAIT_S):
            while any(getattr(self.agent.counters, name) != count for name, count in counters.items()):
                await asyncio.sleep(0.01)

    async def holds(self, data_id: bytes) -> None:
        """Wait until content is here."""
        async with asyncio.timeout(WAIT_S):
            while data_id.hex() not in [each["id"] for each in (await self.client.holdings())["content"]]:
                await asyncio.sleep(0.01)


def prefetch(data_in: bytes, holder: int = 0) -> bytes:
    """What a router sends ahead of a request."""
    return Packet(Header(Kind.PREFETCH, 0xF, data_in=data_in, report=Report(queue=holder))).encode()


@asynccontextmanager
async def site(folder: Path, *, hosts=("127.0.0.1",), sites=None, origins=(), timeout_s=10.0, **config):
    """A data agent with its folder and socket in that folder."""
    config.setdefault("port", free_port())
    made = DataAgentConfig(
        folder / "cache",
        folder / "data.sock",
        tuple(map(ip_address, hosts)),
        sources=Sources(sites or {}, origins, timeout_s),
        **config,
    )
    folder.mkdir(exist_ok=True)
    async with DataAgent(made) as agent, ContentClient(made.local) as client:
        yield Site(agent, made, client)


class Source:
    """Answers GET /content/ID as told, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def is_asked(self) -> None:
        """Wait until somebody asks."""
        async with asyncio.timeout(WAIT_S):
            while not self.asked:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def source(body: bytes = b"", status: int = 200, headers=None):
    """A web server that gives every identifier that body, once `gate` is set."""
    made = Source()

    async def answer(request: web.Request) -> web.Response:
        made.asked.append(request.match_info["id"])
        await made.gate.wait()
        return web.Response(status=status, body=body, headers=headers)

    app = web.Application()
    app.router.add_get("/content/{id}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        here = web.TCPSite(runner, "127.0.0.1", 0)
        await here.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
