"""When a lab is ready: asked of its parts, again and again, until they say so or one of them has ended."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from cfn.client import build_request
from cfn.content.client import ContentClient
from cfn.content.errors import ContentError
from cfn.wire import MAX_DATAGRAM, PORT, Kind, NackCode, Packet, Status
from cfn.wire_error import WireError
from topo import controller_status, delay, netns
from topo.inputs import inputs
from topo.plan import Host, Plan
from topo.state import RunDir

TIMEOUT_S = 90.0
_AGAIN_S = 0.2

Check = Callable[[], None]
"""Raises when a process that the lab needs has ended."""


class NotReadyError(Exception):
    """Something didn't get ready in time; the text says what and what it said last."""


async def until(what: str, probe: Callable[[], Awaitable[str | None]], check: Check) -> None:
    """Wait until `probe` returns None; otherwise it returns what is still missing.

    Raises:
        NotReadyError: it still said so after `TIMEOUT_S`.
        Exception: what `check` raises.
    """
    missing: str | None = None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while (missing := await probe()) is not None:
                check()
                await asyncio.sleep(_AGAIN_S)
    except TimeoutError:
        raise NotReadyError(f"{what}: {missing or 'no answer'} after {TIMEOUT_S:.0f} s") from None


async def delayline(stats_socket: Path, check: Check) -> None:
    """Wait until the delay line stands in all its wires.

    Raises:
        NotReadyError: see `until`.
    """

    async def probe() -> str | None:
        try:
            delay.statistics(stats_socket)
        except OSError as error:
            return str(error)
        return None

    await until("the delay line", probe, check)


async def network_programmed(
    plan: Plan, status_socket: Path, check: Check, domain: str | None = None
) -> None:
    """Wait until a domain's controller knows all instances and has written every table of its routers.

    Raises:
        NotReadyError: see `until`.
    """

    async def probe() -> str | None:
        try:
            status = await controller_status.status(status_socket)
        except (OSError, ValueError) as error:
            return f"the controller doesn't answer ({error})"
        return next(missing(plan, status, domain), None)

    await until("the network", probe, check)


def missing(plan: Plan, status: dict[str, Any], domain: str | None = None) -> Iterator[str]:
    """Yield what a controller's status (`control.status`) still lacks of a lab that is ready.

    Sites of other domains are known by what their functions add up to.
    """
    for name, router in status["routers"].items():
        if not router["up"]:
            yield f"the controller isn't connected to {name}"
        elif router["pending"]:
            refused = f", {router['refused']} writes were refused" if router["refused"] else ""
            yield f"{router['pending']} table entries of {name} are not written yet{refused}"
    for site in plan.sites.values():
        advert = status["sites"][site.name]["advert"]
        if advert is None:
            yield f"no advert of {site.name} has come"
        elif plan.domain_of(site.name) != domain:
            wanted = {instance.function for instance in site.instances}
            known = {one["function"] for one in advert["instances"]}
            yield from (f"{name} of {site.name} is not known" for name in sorted(wanted - known))
        elif (known := len(advert["instances"])) < len(site.instances):
            yield f"{site.name} has advertised {known} of {len(site.instances)} instances"


async def data_agents_answer(plan: Plan, run: RunDir, check: Check) -> None:
    """Wait until each data agent has answered at its socket.

    Raises:
        NotReadyError: see `until`.
    """
    for site in plan.sites.values():
        if site.data_agent:
            async with ContentClient(run.data(site.name)) as data:

                async def probe(data: ContentClient = data) -> str | None:
                    try:
                        await data.holdings()
                    except ContentError as error:
                        return str(error)
                    return None

                await until(f"the data agent of {site.name}", probe, check)


async def servers_answer(plan: Plan, check: Check) -> None:
    """Wait until each instance has answered at its own addresses, asked from its own host.

    Raises:
        NotReadyError: see `until`.
    """
    for site in plan.sites.values():
        for instance in site.instances:
            for address in (instance.ipv4, instance.ipv6):
                with _open(site.host, address) as sock:
                    await _answered(sock, plan, instance.function, f"{instance.label} at {address}", check)


async def services_answer(plan: Plan, check: Check) -> None:
    """Wait until each function has answered each client, over IPv4 and IPv6.

    Raises:
        NotReadyError: see `until`.
    """
    functions = sorted({instance.function for site in plan.sites.values() for instance in site.instances})
    for client in plan.clients:
        for address in plan.anycast:
            with _open(client, address) as sock:
                for function in functions:
                    what = f"{function} from {client.name} over IPv{address.version}"
                    await _answered(sock, plan, function, what, check)


def _open(host: Host, address: IPv4Address | IPv6Address) -> socket.socket:
    with netns.entered(host.namespace):
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.connect((str(address), PORT))
    return sock


async def _answered(sock: socket.socket, plan: Plan, function: str, what: str, check: Check) -> None:
    tenant = next(iter(plan.spec.tenants.values()), 0)
    numbers = itertools.count(1)

    async def probe() -> str | None:
        return await _ask(
            sock, build_request(function, inputs(function)[0], request_id=next(numbers), tenant=tenant)
        )

    await until(what, probe, check)


async def _ask(sock: socket.socket, request: Packet) -> str | None:
    """Send a request once; None when it is answered OK, else what came of it."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(1.0):
            await loop.sock_sendall(sock, request.encode())
            while True:
                answer = Packet.decode(await loop.sock_recv(sock, MAX_DATAGRAM + 1)).header
                if answer.request_id != request.header.request_id:
                    continue
                if answer.kind == Kind.NACK:
                    return f"refused, {NackCode(answer.report.status).name}"
                return None if answer.report.status == Status.OK else Status(answer.report.status).name
    except TimeoutError:
        return "no answer"
    except (OSError, WireError, ValueError) as error:
        return str(error)
