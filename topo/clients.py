"""Live clients on one host: sessions that keep their cookie, and single requests that have none.

`python -m topo.clients …` runs inside the host's namespace, sends until SIGTERM, waits for what is under way
and ends. It writes a record (`topo.records`) for each request to its standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cfn.client import AsyncClient
from cfn.cookie import NO_COOKIE
from cfn.errors import InstanceError, NackError, NoAnswerError
from cfn.exchange import Reply, RetryPolicy
from cfn.session import AsyncSession
from topo.inputs import inputs
from topo.records import LOST, Answer, Outcome, Record, Request, answered


@dataclass(frozen=True)
class Load:
    """What the clients of a host do.

    Attributes:
        client: name of the host, for the records.
        networks: anycast addresses, by address family.
        tenant: who asks.
        functions: names; requests and sessions take turns.
        sessions: how many sessions there are at any time; an ended one is followed by a new one.
        requests: requests of one session.
        think_ms: mean pause in a session between an answer and the next request.
        singles_per_s: mean rate of single requests.
        timeout_s: a request without an answer for that long is lost; it is sent once.
        seed: of all random choices.
    """

    client: str
    networks: dict[int, str]
    tenant: int
    functions: Sequence[str]
    sessions: int
    requests: int
    think_ms: float
    singles_per_s: float
    timeout_s: float
    seed: int


class Clients:
    """Sends what a `Load` asks for until it is told to stop."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._random = random.Random(load.seed)
        self._functions = itertools.cycle(load.functions)
        self._families = itertools.cycle(load.networks)
        self._session_numbers = itertools.count(1)
        self._policy = RetryPolicy(attempts=1, timeout_s=load.timeout_s, jitter=0, deadline_s=load.timeout_s)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Send nothing new."""
        self._stop.set()

    async def run(self) -> None:
        """Send until `stop`, and return when the last request has ended."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._load.sessions):
                tasks.create_task(self._sessions())
            if self._load.singles_per_s:
                tasks.create_task(self._singles(tasks))

    async def _sessions(self) -> None:
        await self._pause(self._random.random() * self._load.requests * self._load.think_ms)
        while not self._stop.is_set():
            function, family = next(self._functions), next(self._families)
            number = next(self._session_numbers)
            async with self._open(family) as client:
                session = AsyncSession(client)
                for payload in itertools.islice(self._payloads(function), self._load.requests):
                    bound = session.cookies.get(function, self._load.tenant) != NO_COOKIE
                    request = Request("session", number, function, family, bound)
                    await self._record(request, session.call(function, payload))
                    await self._pause(self._random.expovariate(1 / self._load.think_ms))
                    if self._stop.is_set():
                        return

    async def _singles(self, tasks: asyncio.TaskGroup) -> None:
        due = asyncio.get_running_loop().time()
        payloads = {function: self._payloads(function) for function in self._load.functions}
        while not self._stop.is_set():
            tasks.create_task(self._single(next(self._functions), payloads))
            due += self._random.expovariate(self._load.singles_per_s)
            await self._pause(max(0.0, due - asyncio.get_running_loop().time()) * 1000)

    async def _single(self, function: str, payloads: dict[str, itertools.cycle[bytes]]) -> None:
        family = next(self._families)
        async with self._open(family) as client:
            call = client.call(function, next(payloads[function]))
            await self._record(Request("single", None, function, family, bound=False), call)

    def _open(self, family: int) -> AsyncClient:
        return AsyncClient(self._load.networks[family], tenant=self._load.tenant, policy=self._policy)

    def _payloads(self, function: str) -> itertools.cycle[bytes]:
        choices = list(inputs(function))
        self._random.shuffle(choices)
        return itertools.cycle(choices)

    async def _pause(self, milliseconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(milliseconds / 1000):
                await self._stop.wait()

    async def _record(self, request: Request, call: Coroutine[Any, Any, Reply]) -> None:
        sent_s, began = time.time(), time.monotonic()
        answer = await _answer(call)
        latency_ms = None if answer is LOST else (time.monotonic() - began) * 1000
        record = Record(
            client=self._load.client,
            sent_s=sent_s,
            latency_ms=latency_ms,
            **asdict(request),
            **asdict(answer),
        )
        sys.stdout.write(record.to_line())


async def _answer(call: Coroutine[Any, Any, Reply]) -> Answer:
    try:
        reply = await call
    except NackError as error:
        return Answer(Outcome.NACK, error.code, None, None)
    except InstanceError as error:
        return Answer(Outcome.FAILED, error.status, None, None)
    except NoAnswerError:
        return LOST
    return answered(Outcome.OK, reply.report.status, reply.affinity)


async def _main(load: Load) -> None:
    clients = Clients(load)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, clients.stop)
    await clients.run()


def main() -> None:
    """Run the clients that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m topo.clients", description=__doc__)
    parser.add_argument("--client", required=True)
    parser.add_argument("--ipv4", required=True)
    parser.add_argument("--ipv6", required=True)
    parser.add_argument("--function", action="append", required=True, dest="functions")
    parser.add_argument("--tenant", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=0)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--think-ms", type=float, default=200)
    parser.add_argument("--singles-per-s", type=float, default=0)
    parser.add_argument("--timeout-s", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    values = vars(parser.parse_args())
    networks = {4: values.pop("ipv4"), 6: values.pop("ipv6")}
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    asyncio.run(_main(Load(networks=networks, **values)))


if __name__ == "__main__":
    main()
