import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from finsy.proto import p4r

from switch.p4rt.server import serve

from . import bmv2, differs_on_bmv2
from .client import Client, connect
from .memory_pipeline import MemoryDevice, MemoryPipeline

DEVICE_ID = 7

Connect = Callable[..., "AsyncGenerator[Client]"]


ON_BMV2 = os.environ.get("P4RT_TARGET") == "bmv2"
"""Whether the suite runs against the reference; `differs_on_bmv2.py` says which tests do not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not ON_BMV2:
        return
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    for item in here:
        reason = differs_on_bmv2.reason(item)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def device() -> MemoryDevice:
    return MemoryDevice()


@pytest.fixture
async def address(device: MemoryDevice, tmp_path: Path) -> AsyncGenerator[str]:
    """Where a server without a pipeline listens."""
    if ON_BMV2:
        async with bmv2.running(DEVICE_ID, tmp_path) as address:
            yield address
        return
    path = f"unix:{tmp_path}/p4rt.sock"
    async with serve(device, DEVICE_ID, path):
        yield path


class Clients:
    """Connects clients that are closed with the test."""

    def __init__(self, address: str, stack: AsyncExitStack):
        self._address = address
        self._stack = stack

    async def __call__(self, election_id: int | None = 1, role: p4r.Role | None = None) -> Client:
        return await self._stack.enter_async_context(connect(self._address, DEVICE_ID, election_id, role))


@pytest.fixture
async def clients(address: str) -> AsyncGenerator[Clients]:
    async with AsyncExitStack() as stack:
        yield Clients(address, stack)


@pytest.fixture
async def primary(clients: Clients) -> Client:
    """A primary that has pushed no pipeline."""
    client = await clients(election_id=10)
    assert await client.arbitrate() == 0
    return client


@pytest.fixture
async def client(primary: Client) -> Client:
    """A primary with `everything.p4` running."""
    await primary.push()
    return primary


class Unseen:
    """What is behind BMv2's server: a test that looks at more than whether it changed goes no further."""

    def summary(self) -> None:
        return None

    def __getattr__(self, name: str) -> object:
        pytest.skip("it looks at what is behind the server")


@pytest.fixture
def pipeline(client: Client, device: MemoryDevice) -> MemoryPipeline | Unseen:
    if ON_BMV2:
        return Unseen()
    assert device.running is not None
    return device.running
