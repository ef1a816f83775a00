"""The function server: UDP sockets in front of the instances, workers behind them.

One event loop on one thread owns every queue and counter, so nothing needs a lock and datagrams are taken in
the order they came; the functions run elsewhere (`cfn.workers`), so the loop never waits for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cfn.agent_link import AgentLink
from cfn.function import Function, Outcome
from cfn.inputs import Inputs
from cfn.instance import InstanceState, Job
from cfn.status import REPORT_AT_LEAST_S, REPORT_INTERVAL_S, InstanceStatus
from cfn.wire import PORT, Kind, Packet
from cfn.wire_error import WireError
from cfn.workers import Workers, start_workers

if TYPE_CHECKING:
    from cfn.content.client import ContentClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """One instance: a function at its own addresses.

    Attributes:
        function: what it runs.
        number: the instance's id, 16 bits, unique within the site.
        listen: one IPv4 address, one IPv6 address, or one of each.
        workers: how many requests run at once.
        queue_limit: how many may wait; the next is answered BUSY.
    """

    function: Function
    number: int
    listen: tuple[IPv4Address | IPv6Address, ...]
    workers: int = 1
    queue_limit: int = 64

    def __post_init__(self) -> None:
        families = [address.version for address in self.listen]
        if not families or len(set(families)) != len(families):
            raise ValueError(
                f"instance {self.number}: listens on one IPv4 address, one IPv6 address, or one of each"
            )
        if any(address.is_unspecified for address in self.listen):
            raise ValueError(
                f"instance {self.number}: an instance is an address, so it can't listen on all of them"
            )
        if not 0 <= self.number < 1 << 16:
            raise ValueError(f"instance {self.number}: an id has 16 bits")
        if self.workers < 1 or self.queue_limit < 0:
            raise ValueError(f"instance {self.number}: needs at least one worker, and no negative queue")


class Server:
    """Runs instances until it is closed.

    async with Server([InstanceConfig(detect, 3, (IPv4Address("10.2.0.1"),))]):
        ...
    """

    def __init__(
        self,
        instances: Sequence[InstanceConfig],
        *,
        port: int = PORT,
        agent: Path | None = None,
        data: Path | None = None,
    ) -> None:
        """Describe a server; nothing is opened yet.

        Args:
            instances: what to run.
            port: UDP port of every address.
            agent: the site agent's unix socket; without one nobody is told.
            data: the data agent's unix socket; without one no request can name its input instead of carrying
                it, and no result is kept.
        """
        self._instances = [_Instance(config, port) for config in instances]
        self._agent = agent
        self._data = data
        self._stack = contextlib.AsyncExitStack()
        self._reporter: asyncio.Task[None] | None = None
        self._draining = False

    async def __aenter__(self) -> Server:
        """Listen.

        Raises:
            OSError: an address can't be listened on; says which.
        """
        try:
            # Workers first: they are forked, and nothing should be open or running by then.
            for instance in self._instances:
                instance.start_workers()
            client = await self._stack.enter_async_context(_connect(self._data)) if self._data else None
            for instance in self._instances:
                await instance.listen(client)
        except BaseException:
            await self._close()
            raise
        if self._agent:
            self._reporter = asyncio.create_task(self._report(AgentLink(self._agent)))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop at once: what runs or waits is dropped, and the agent told that the instances are gone."""
        if self._reporter:
            self._reporter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reporter
        await self._close()

    async def drain(self, seconds: float) -> None:
        """Tell the agent to send no new sessions, and go on serving for that long."""
        self._draining = True
        await asyncio.sleep(seconds)

    async def _close(self) -> None:
        for instance in self._instances:
            await instance.close()
        await self._stack.aclose()

    async def _report(self, link: AgentLink) -> None:
        said: dict[int, tuple[float, Any]] = {}
        try:
            while True:
                state = "draining" if self._draining else "up"
                for number, instance in enumerate(self._instances):
                    now = time.monotonic()
                    status = instance.status(state)
                    content = status.model_dump(exclude={"at_us"})
                    at, last = said.get(number, (0.0, None))
                    if content != last or now - at >= REPORT_AT_LEAST_S:
                        link.send(status)
                        said[number] = now, content
                await asyncio.sleep(REPORT_INTERVAL_S)
        finally:
            for instance in self._instances:
                link.send(instance.status("gone"))
            link.close()


class _Instance:
    """One instance's sockets and workers around its `InstanceState`."""

    def __init__(self, config: InstanceConfig, port: int) -> None:
        self._config = config
        self._port = port
        self._started_us = time.time_ns() // 1000
        self._endpoints: list[_Endpoint] = []
        self._workers: Workers | None = None
        self._inputs = Inputs(config.function, None)
        self._preparing: set[asyncio.Task[None]] = set()
        self._state = InstanceState(
            config.function.func_id,
            workers=config.workers,
            queue_limit=config.queue_limit,
            now=time.monotonic(),
        )

    def start_workers(self) -> None:
        self._workers = start_workers(self._config.function, self._config.workers)

    async def listen(self, data: ContentClient | None) -> None:
        self._inputs = Inputs(self._config.function, data)
        for address in self._config.listen:
            endpoint = socket.socket(
                socket.AF_INET if address.version == 4 else socket.AF_INET6,
                socket.SOCK_DGRAM | socket.SOCK_NONBLOCK,
            )
            try:
                endpoint.bind((str(address), self._port))
            except OSError as error:
                endpoint.close()
                text = f"cannot listen on {address} port {self._port}: {error.strerror}"
                raise OSError(error.errno, text) from None
            _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Endpoint(self), sock=endpoint
            )
            self._endpoints.append(protocol)

    def received(self, data: bytes, client: Any, transport: asyncio.DatagramTransport) -> None:
        try:
            request = Packet.decode(data)
        except WireError as error:
            log.debug("from %s: %s", client, error)
            return
        if request.header.kind != Kind.REQUEST:
            return
        job = Job((client, transport), request)
        prepare = self._inputs.concern(request)
        self._send(job, self._state.arrive(job, time.monotonic(), prepare=prepare))
        self._dispatch()

    def status(self, state: Any) -> InstanceStatus:
        now = time.monotonic()
        counters = self._state.counters
        return InstanceStatus(
            started_us=self._started_us,
            at_us=round(now * 1e6),
            func_id=self._config.function.func_id,
            instance=self._config.number,
            ipv4=next((a for a in self._config.listen if isinstance(a, IPv4Address)), None),
            ipv6=next((a for a in self._config.listen if isinstance(a, IPv6Address)), None),
            state=state,
            load=self._state.load(now),
            queue=self._state.queue,
            workers=self._config.workers,
            arrived=counters.arrived,
            completed=counters.completed,
            failed=counters.failed,
            busy_us=counters.busy_us,
            cpu_us=counters.cpu_us,
            beside_us=counters.beside_us,
            usual_cpu_us=round(self._state.usual_cpu_us),
        )

    async def close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()
        if self._workers:
            self._workers.close()
            self._workers = None
        for task in self._preparing:
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)
        await self._inputs.close()
        for job in self._state.drop_waiting():
            if job.content:
                job.content.close()

    def _dispatch(self) -> None:
        while job := self._state.next_to_prepare():
            task = asyncio.create_task(self._prepare(job))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)
        while self._workers and (job := self._state.next_job(time.monotonic())):
            data = job.content or job.request.payload
            self._workers.submit(data, lambda outcome, job=job: self._done(job, outcome))

    async def _prepare(self, job: Job) -> None:
        found = await self._inputs.find(job.request)
        if isinstance(found, Outcome):
            self._send(job, self._state.settle(job, found, time.monotonic()))
            return
        refusal = self._state.prepared(replace(job, content=found))
        if refusal and found:
            found.close()
        self._send(job, refusal)
        self._dispatch()

    def _done(self, job: Job, outcome: Outcome) -> None:
        if self._workers is None:
            return
        self._state.finish(job, outcome, time.monotonic())
        self._dispatch()
        self._send(job, self._state.answer(job, outcome))
        self._inputs.keep(job.request, outcome)

    def _send(self, job: Job, response: Packet | None) -> None:
        if response:
            address, transport = job.client
            transport.sendto(response.encode(), address)


class _Endpoint(asyncio.DatagramProtocol):
    """One listening socket."""

    def __init__(self, instance: _Instance) -> None:
        self._instance = instance
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    async def close(self) -> None:
        if self._transport:
            self._transport.close()
            await self._closed.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self._transport:
            self._instance.received(data, addr, self._transport)

    def error_received(self, exc: Exception) -> None:
        # A client that has closed its socket; it is not waiting for anything.
        log.debug("%s", exc)


def _connect(data: Path) -> ContentClient:
    # aiohttp takes longer to import than all the rest; whoever has no data agent does without.
    from cfn.content.client import ContentClient  # noqa: PLC0415

    return ContentClient(data)
