"""Load reports of Open Request Cost Aggregation (ORCA), as many proxies, gRPC and model servers know them.

Either in a header of an HTTP answer, `endpoint-load-metrics` with the formats TEXT, JSON and BIN or
`endpoint-load-metrics-bin` (Envoy's orca_parser), or out of band from gRPC's OpenRcaService (gRFC A51).
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from cfn.collectors import http
from cfn.collectors.collector import CollectorError
from cfn.metrics.sample import Sample, Statistic, whole
from cfn.proto import orca_pb2 as pb

HEADER = "endpoint-load-metrics"
HEADER_BIN = "endpoint-load-metrics-bin"
METHOD = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics"
_PPM = 1_000_000
_SHARES = {
    "cpu_utilization": "compute_logic_utilisation",
    "mem_utilization": "memory_utilisation",
    "application_utilization": "service_utilisation",
}
_NUMBERS = {*_SHARES, "rps", "rps_fractional", "eps"}
_MAPS = ("named_metrics", "utilization", "request_cost")


@dataclass(frozen=True, slots=True)
class Named:
    """What one of the values is that a report has by name.

    Attributes:
        metric: the raw metric.
        scale: what one of the value is in units of the metric.
    """

    metric: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Reported:
    """Whose the reports are, and what they mean.

    Attributes:
        instance: number of the instance.
        window_ms: over how long values are thought to be measured, at least 1.
        named: what values with names mean; others don't count.
    """

    instance: int | None
    window_ms: int
    named: Mapping[str, Named]

    def samples(self, report: pb.LoadReport) -> list[Sample]:
        """What a report tells. Of 0 it can't be known whether it was told, so it is not."""
        values = {
            metric: getattr(report, name) * _PPM for name, metric in _SHARES.items() if getattr(report, name)
        }
        rate = report.rps_fractional or float(report.rps)
        if rate > 0:
            values["service_rate"] = rate * 1000
            values["service_errors"] = min(1.0, report.eps / rate) * _PPM
        for name, named in self.named.items():
            told = [getattr(report, of)[name] for of in _MAPS if name in getattr(report, of)]
            if told:
                values[named.metric] = told[0] * named.scale
        wrong = [metric for metric, value in values.items() if not math.isfinite(value) or value < 0]
        if wrong:
            raise CollectorError(f"tells what is no amount for {', '.join(wrong)}")
        return [
            Sample(metric, whole(value), self.window_ms, Statistic.CURRENT, instance=self.instance)
            for metric, value in values.items()
        ]


class OrcaHttpCollector:
    """Reports in a header of the answer to a GET."""

    def __init__(self, url: str, reported: Reported, session: aiohttp.ClientSession) -> None:
        self.name = url
        self._reported = reported
        self._session = session

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`."""
        headers = await http.headers(self._session, self.name)
        return self._reported.samples(parse(headers))


class OrcaGrpcCollector:
    """Reports out of band; each time the first one of a stream."""

    def __init__(self, target: str, reported: Reported) -> None:
        self.name = target
        self._reported = reported
        self._channel = grpc.aio.insecure_channel(target)

    async def collect(self) -> Sequence[Sample]:
        """See `Collector.collect`."""
        call = self._channel.unary_stream(
            METHOD,
            request_serializer=pb.LoadReportRequest.SerializeToString,
            response_deserializer=pb.LoadReport.FromString,
        )(self._request())
        try:
            async for report in call:
                return self._reported.samples(report)
        except grpc.aio.AioRpcError as error:
            raise CollectorError(f"{error.code().name}: {error.details()}") from None
        finally:
            call.cancel()
        raise CollectorError("tells nothing")

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    def _request(self) -> pb.LoadReportRequest:
        seconds, ms = divmod(self._reported.window_ms, 1000)
        interval = pb.LoadReportRequest.Interval(seconds=seconds, nanos=ms * 1_000_000)
        return pb.LoadReportRequest(report_interval=interval)


def parse(headers: Mapping[str, str]) -> pb.LoadReport:
    """The report in the headers of an answer, whose names are compared without regard to case.

    Raises:
        CollectorError: there is none, or it can't be read.
    """
    found = headers.get(HEADER)
    kind, text = found.split(" ", 1) if found and " " in found else (None, found)
    if found is None and (encoded := headers.get(HEADER_BIN)):
        kind, text = "BIN", encoded
    if text is None:
        raise CollectorError(f"has no header {HEADER}")
    try:
        if kind == "JSON":
            return json_format.Parse(text, pb.LoadReport(), ignore_unknown_fields=True)
        if kind == "BIN":
            return pb.LoadReport.FromString(base64.b64decode(text, validate=True))
        if kind == "TEXT":
            return _parse_text(text)
    except (json_format.ParseError, DecodeError, binascii.Error, ValueError) as error:
        raise CollectorError(f"header {HEADER}: {str(error).splitlines()[0]}") from None
    raise CollectorError(f"header {HEADER}: begins with none of TEXT, JSON and BIN")


def _parse_text(text: str) -> pb.LoadReport:
    """`name=value` with commas between; `named_metrics.x` and the like are in the maps."""
    report = pb.LoadReport()
    for item in text.split(","):
        name, sign, value = item.partition("=") if "=" in item else item.partition(":")
        name = name.strip()
        if not sign:
            raise ValueError(f"{item.strip()!r} is not name=value")
        of, dot, key = name.partition(".")
        if name in _NUMBERS:
            setattr(report, name, int(value) if name == "rps" else float(value))
        elif dot and of in _MAPS:
            getattr(report, of)[key] = float(value)
    return report
