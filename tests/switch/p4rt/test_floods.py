"""Packets that the data plane tells of at full speed hold up no client. Needs a C compiler, not root."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from finsy.proto import p4r

from switch.p4rt.server import serve

from .client import Client, connect
from .messages import DELETE, INSERT, action, entry, route
from .test_arrays import digest, multicast
from .test_native import CPU_PORT, DEVICE_ID, Inspected, device, ipv4

__all__ = ["device"]

WRITES = 200
TIMEOUT_S = 60
AT_ONCE = 1000
"""Packets, or digests, that one call makes in native code: the caller's Python is not what limits them."""


@pytest.fixture
async def writer(device: Inspected, tmp_path: Path) -> AsyncGenerator[Client]:
    """The primary of a role of its own, which hears no packet: it only writes."""
    address = f"unix:{tmp_path}/native.sock"
    async with (
        serve(device, DEVICE_ID, address),
        connect(address, DEVICE_ID) as hearer,
        connect(address, DEVICE_ID, role=p4r.Role(name="writer")) as writer,
    ):
        await hearer.arbitrate()
        await hearer.push()
        await writer.arbitrate()
        listening = asyncio.create_task(_listen(hearer))
        yield writer
        listening.cancel()


async def _listen(client: Client) -> None:
    while True:
        await client.stream.read()


@contextmanager
def flooding(make: Callable[[], object]) -> Generator[None]:
    """Make packets from another thread all the time."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            make()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def write_much(client: Client, device: Inspected) -> None:
    """Write until the flood has lost messages, but at least for a while."""
    written = 0
    async with asyncio.timeout(TIMEOUT_S):
        while written < WRITES or not device.pipeline.ended()["lost_messages"]:
            await client.update((INSERT, route(written, 32, 1)))
            await client.update((DELETE, route(written, 32, 1)))
            written += 2


async def test_packet_ins(writer: Client, device: Inspected) -> None:
    await writer.insert(
        multicast(1, *((CPU_PORT, copy) for copy in range(AT_ONCE))),
        entry("acl", {"ingress_port": CPU_PORT}, action("multicast", group=1), priority=1),
    )
    packet = (CPU_PORT << 7).to_bytes(2) + ipv4(1)
    with flooding(lambda: device.pipeline.packet_out(packet)):
        await write_much(writer, device)


async def test_digests(writer: Client, device: Inspected) -> None:
    await writer.insert(
        digest(max_list_size=100, max_timeout_ns=10**6),
        entry("acl", {"ingress_port": 1}, action("learn"), priority=1),
    )
    packets = [ipv4(1)[:6] + number.to_bytes(6) + ipv4(1)[12:] for number in range(AT_ONCE)]
    with flooding(lambda: device.pipeline.bench(1, packets, 1)):
        await write_much(writer, device)
