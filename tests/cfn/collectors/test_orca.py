"""Load reports, from real HTTP and gRPC servers.

One case: pytest tests/cfn/collectors/test_orca.py -k grpc
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import grpc
import pytest

from cfn.collectors.collector import CollectorError
from cfn.collectors.orca import (
    HEADER,
    HEADER_BIN,
    METHOD,
    Named,
    OrcaGrpcCollector,
    OrcaHttpCollector,
    Reported,
    parse,
)
from cfn.metrics.sample import Sample, Statistic
from cfn.proto import orca_pb2 as pb
from tests.cfn.collectors.web import serving

OF_7 = Reported(
    7, 500, {"kv_cache": Named("kv_cache", 1e6), "gpu": Named("compute_parallel_utilisation", 1e6)}
)
REPORT = pb.LoadReport(
    cpu_utilization=0.25,
    mem_utilization=0.5,
    application_utilization=1.5,
    rps_fractional=40.5,
    eps=8.1,
    named_metrics={"kv_cache": 0.125},
    utilization={"gpu": 0.75},
)
SAMPLES = {
    "compute_logic_utilisation": 250_000,
    "memory_utilisation": 500_000,
    "service_utilisation": 1_500_000,
    "service_rate": 40_500,
    "service_errors": 200_000,
    "kv_cache": 125_000,
    "compute_parallel_utilisation": 750_000,
}
TEXT = (
    "TEXT cpu_utilization=0.25, mem_utilization=0.5,application_utilization=1.5,rps_fractional=40.5,eps=8.1,"
    "named_metrics.kv_cache=0.125,utilization.gpu=0.75,unheard_of=1"
)
JSON = (
    'JSON {"cpu_utilization": 0.25, "memUtilization": 0.5, "application_utilization": 1.5, '
    '"rps_fractional": 40.5, "eps": 8.1, "named_metrics": {"kv_cache": 0.125}, "utilization": {"gpu": 0.75}, '
    '"unheard_of": 1}'
)
BIN = base64.b64encode(REPORT.SerializeToString()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {HEADER: TEXT},
        {HEADER: TEXT.replace("=", ":")},
        {HEADER: JSON},
        {HEADER: f"BIN {BIN}"},
        {HEADER_BIN: BIN},
    ],
    ids=["text", "text with colons", "json", "bin", "bin header"],
)
async def test_reports_in_headers_of_every_format(headers) -> None:
    async with serving() as page, aiohttp.ClientSession() as session:
        page.headers = headers
        found = await OrcaHttpCollector(page.url, OF_7, session).collect()
    assert {sample.metric: sample.value for sample in found} == SAMPLES
    assert {sample[2:] for sample in found} == {Sample("", 0, 500, Statistic.CURRENT, instance=7)[2:]}


def test_what_is_0_was_not_told_and_errors_need_requests() -> None:
    assert OF_7.samples(pb.LoadReport(eps=3)) == []
    assert [sample.value for sample in OF_7.samples(pb.LoadReport(rps=3))] == [3000, 0]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "has no header endpoint-load-metrics"),
        ({HEADER: "cpu_utilization=1"}, "begins with none of TEXT, JSON and BIN"),
        ({HEADER: "YAML cpu: 1"}, "begins with none of TEXT, JSON and BIN"),
        ({HEADER: "TEXT cpu_utilization"}, "'cpu_utilization' is not name=value"),
        ({HEADER: "TEXT cpu_utilization=much"}, "could not convert"),
        ({HEADER: "JSON {"}, "header endpoint-load-metrics: "),
        ({HEADER: "BIN !"}, "header endpoint-load-metrics: "),
        ({HEADER_BIN: base64.b64encode(b"\xff").decode()}, "header endpoint-load-metrics: "),
    ],
)
def test_what_is_no_report_is_refused(headers, why: str) -> None:
    with pytest.raises(CollectorError, match=why):
        parse(headers)


@pytest.mark.parametrize("wrong", ["nan", "inf", "-1"])
def test_what_is_no_amount_is_refused(wrong: str) -> None:
    with pytest.raises(CollectorError, match="no amount for compute_logic_utilisation"):
        OF_7.samples(parse({HEADER: f"TEXT cpu_utilization={wrong}"}))


class Service(grpc.GenericRpcHandler):
    """What a gRPC server with out-of-band reports does: one at once, and then one each interval."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def service(self, handler_call_details):
        if handler_call_details.method == METHOD:
            return grpc.unary_stream_rpc_method_handler(self._stream)
        return None

    async def _stream(self, request: bytes, _):
        self.requests.append(request)
        for _ in range(3):
            yield REPORT.SerializeToString()


@asynccontextmanager
async def grpc_server(*handlers: grpc.GenericRpcHandler) -> AsyncIterator[str]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def test_reports_out_of_band_by_grpc() -> None:
    service = Service()
    async with grpc_server(service) as target:
        collector = OrcaGrpcCollector(target, OF_7)
        for _ in range(2):
            found = await collector.collect()
            assert {sample.metric: sample.value for sample in found} == SAMPLES
        await collector.close()
    # Field 1, 2 bytes: in that field 2, the varint of 500,000,000 ns.
    assert service.requests == [bytes.fromhex("0a06 1080cab5ee01")] * 2


async def test_a_server_without_the_service_is_told() -> None:
    async with grpc_server() as target:
        collector = OrcaGrpcCollector(target, OF_7)
        with pytest.raises(CollectorError, match="UNIMPLEMENTED"):
            await collector.collect()
        await collector.close()


async def test_a_server_that_is_away_is_told() -> None:
    collector = OrcaGrpcCollector("127.0.0.1:1", OF_7)
    with pytest.raises(CollectorError, match="UNAVAILABLE"):
        await collector.collect()
    await collector.close()
