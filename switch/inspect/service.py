"""The gRPC service beside P4Runtime that explains packets and tells counts (switch/proto/inspect.proto)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from switch.api import PORT_MASK
from switch.build import BuildError
from switch.dataplane import Dataplane
from switch.device import Device
from switch.inspect.counts import statistics
from switch.inspect.explain import explain
from switch.inspect.ids import name_ids
from switch.p4rt.config import PipelineConfig
from switch.proto import inspect_pb2 as pb
from switch.proto import inspect_pb2_grpc as pb_grpc

_Context = grpc.aio.ServicerContext[Any, Any]


def add_to(device: Device) -> Callable[[grpc.aio.Server, PipelineConfig], None]:
    """What adds the service for a device to a P4Runtime server."""

    def add(server: grpc.aio.Server, config: PipelineConfig) -> None:
        pb_grpc.add_InspectServicer_to_server(Service(device, config), server)

    return add


class Service(pb_grpc.InspectServicer):
    """Answers for the program that runs on a device; `config` knows the names that P4Runtime clients gave."""

    def __init__(self, device: Device, config: PipelineConfig) -> None:
        self._device = device
        self._config = config

    async def Explain(self, request: pb.ExplainRequest, context: _Context) -> pb.Explanation:  # noqa: N802
        """See the protocol's definition."""
        if request.port > PORT_MASK:
            reason = f"port {request.port} is not in 0..{PORT_MASK}"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, reason)
        try:
            explained = await asyncio.to_thread(self._explain, request.port, request.packet)
        except OSError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except BuildError as error:
            await context.abort(grpc.StatusCode.INTERNAL, str(error))
        if explained is None:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no program runs")
        explanation, dataplane = explained
        running = self._config.running
        if running is not None and running.pipeline is dataplane:
            name_ids(explanation, dataplane.shape, running.state)
        return explanation

    async def Statistics(  # noqa: N802
        self, request: pb.StatisticsRequest, context: _Context
    ) -> pb.SwitchStatistics:
        """See the protocol's definition."""
        counted = await asyncio.to_thread(self._count)
        if counted is None:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no program runs")
        return counted

    def _count(self) -> pb.SwitchStatistics | None:
        with self._device.running() as running:
            return None if running is None else statistics(running)

    def _explain(self, port: int, packet: bytes) -> tuple[pb.Explanation, Dataplane] | None:
        """What the program that runs does, and which one that is."""
        with self._device.running() as running:
            prepared = running
        if prepared is not None:
            prepared.prepare_trace()  # for seconds, in which the device is free
        with self._device.running() as running:
            return None if running is None else (explain(running, port, packet), running)
