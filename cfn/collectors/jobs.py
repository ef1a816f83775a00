"""From what an agent is told to collect to the collectors that do it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

import aiohttp

from cfn.collectors.collecting import Job
from cfn.collectors.collector import Collector
from cfn.collectors.config import CollectConfig
from cfn.collectors.energy import find_energy
from cfn.collectors.host import InterfaceCollector, MemoryCollector, PowerCollector, StorageCollector
from cfn.collectors.orca import OrcaGrpcCollector, OrcaHttpCollector
from cfn.collectors.prometheus import PrometheusCollector


async def jobs(config: CollectConfig, clock: Callable[[], float], stack: AsyncExitStack) -> list[Job]:
    """All collectors of a file, whose connections are closed with the stack."""
    found: list[Job] = []
    if config.host:
        host = config.host
        collectors: list[Collector] = [MemoryCollector(), StorageCollector(host.storage)]
        if host.interface:
            collectors.append(InterfaceCollector(host.interface, clock, host.rate_mbps))
        if host.energy and (energy := find_energy()):
            collectors.append(PowerCollector(energy, clock))
        found += map(host.job, collectors)
    session = await stack.enter_async_context(aiohttp.ClientSession())
    for endpoint in config.prometheus:
        readings = [each.reading for each in endpoint.read]
        found.append(endpoint.job(PrometheusCollector(endpoint.url, readings, session, clock)))
    for server in config.orca:
        if server.url:
            found.append(server.job(OrcaHttpCollector(server.url, server.reported, session)))
        elif server.grpc:
            collector = OrcaGrpcCollector(server.grpc, server.reported)
            stack.push_async_callback(collector.close)
            found.append(server.job(collector))
    return found
