"""Tells the controller, as the agent of a site would, about the site's one instance."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import grpc

from bench import two_sites
from bench.command import BenchError
from cfn.metrics.assess import assess
from cfn.metrics.profile import DEFAULT
from cfn.metrics.sample import Sample
from cfn.names import func_id
from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc as rpc

_TTL_MS = 600_000
_ANSWER_SECONDS = 30.0
_ASSESSMENT = assess(
    DEFAULT,
    {"compute_logic_utilisation": Sample("compute_logic_utilisation", 100_000, 1000)},
    [{"service_load": Sample("service_load", 20, 200), "response_time": Sample("response_time", 1000, 1000)}],
)
"""Metrics as an agent would tell them, which are a part of what the controller has to read."""


class AdvertError(BenchError):
    """The controller refused an advert or did not answer."""


class Teller:
    """The agents of the sites: one connection to the controller."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = rpc.AdvertsStub(self._channel)
        self._incarnation = time.time_ns() // 1000
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def tell(self, site: str, *, draining: bool) -> int:
        """Advertise a site and return when the advert was sent, in ns of CLOCK_REALTIME.

        Args:
            site: its name.
            draining: its instance wants no new requests.

        Raises:
            AdvertError: the controller refused it or did not answer.
        """
        self._sequence += 1
        state = pb.Instance.DRAINING if draining else pb.Instance.UP
        instance = pb.Instance(
            func_id=func_id(two_sites.FUNCTION_NAME),
            instance=1,
            ipv4=two_sites.HOSTS[site].ipv4.packed,
            service_time_us=1000.0,
            capacity_rps=4000.0,
            concurrency=4,
            state=state,
        )
        sent_ns = time.time_ns()
        advert = pb.Advert(
            site=site,
            incarnation=self._incarnation,
            sequence=self._sequence,
            ttl_ms=_TTL_MS,
            sent_unix_us=sent_ns // 1000,
            cpu_capacity=1.0,
            instances=[instance],
        )
        _ASSESSMENT.put_into(advert)
        metadata = (("authorization", f"Bearer {two_sites.TOKENS[site]}"),)
        try:
            answer = self._stub.Advertise(
                advert, metadata=metadata, timeout=_ANSWER_SECONDS, wait_for_ready=True
            )
        except grpc.RpcError as error:
            raise AdvertError(f"advert of {site}: {error}") from error
        if not answer.accepted:
            raise AdvertError(f"advert of {site} refused: {answer.reason}")
        return sent_ns
