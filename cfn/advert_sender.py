"""Sending adverts to the controller over gRPC."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import grpc

from cfn.holdings import NOTHING, Holdings
from cfn.metrics.assess import Assessment
from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc
from cfn.site import InstanceView

VALID_FOR = 3.5
"""Intervals between adverts: two may get lost before the controller forgets the site."""
TIMEOUT_S = 2.0
"""An acknowledgement that takes longer counts as none."""


class SendError(Exception):
    """The controller could not be reached, or did not acknowledge; the text says which."""


class Numbers:
    """What a site's adverts are numbered by, to whichever controllers: the newer one can be told."""

    def __init__(self) -> None:
        self.incarnation = time.time_ns() // 1000
        self._sequence = itertools.count(1)

    def next(self) -> int:
        """The next sequence."""
        return next(self._sequence)


class AdvertSender:
    """A site's connection to a controller, within an `async with` block; numbers the adverts it sends."""

    def __init__(
        self, controller: str, site: str, token: str, *, ttl_ms: int = 3500, numbers: Numbers | None = None
    ) -> None:
        """Describe a connection.

        Args:
            controller: `host:port` or another gRPC target.
            site: name in the controller's catalogue.
            token: proves that the adverts are the site's.
            ttl_ms: how long each advert is valid; longer where the controller asks for fewer of them.
            numbers: those of the site's other connections; None without any.
        """
        self._controller = controller
        self._site = site
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._ttl_ms = self._least_ttl_ms = ttl_ms
        self._numbers = numbers or Numbers()
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> AdvertSender:
        # gRPC's own backoff grows to minutes; how soon to try again is the caller's decision.
        options = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ]
        self._channel = grpc.aio.insecure_channel(self._controller, options=options)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._channel:
            await self._channel.close()

    async def send(
        self,
        instances: Sequence[InstanceView],
        held: Holdings = NOTHING,
        *,
        cpu_utilisation: float = 0.0,
        cpu_capacity: float = 0.0,
        assessment: Assessment | None = None,
    ) -> pb.AdvertAck:
        """Send one advert; without anything it withdraws the site.

        An assessment is of the same instances.

        Returns:
            What the controller says of it, acceptance or not.

        Raises:
            SendError: nothing came back.
        """
        if self._channel is None:
            raise RuntimeError("use the sender in an `async with` block")
        advert = pb.Advert(
            site=self._site,
            incarnation=self._numbers.incarnation,
            sequence=self._numbers.next(),
            ttl_ms=self._ttl_ms,
            sent_unix_us=time.time_ns() // 1000,
            cpu_utilisation=cpu_utilisation,
            cpu_capacity=cpu_capacity,
            instances=[to_message(view) for view in instances],
            inputs=sorted(held.inputs),
            results=[
                pb.Result(func_id=key.func_id, data_in=key.data_in, data_out=key.data_out)
                for key in sorted(held.results)
            ],
        )
        if assessment:
            assessment.put_into(advert)
        stub = advert_pb2_grpc.AdvertsStub(self._channel)
        try:
            ack: pb.AdvertAck = await stub.Advertise(advert, metadata=self._metadata, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            reason = f"{error.code().name}: {error.details()}"
            raise SendError(f"controller {self._controller}: {reason}") from None
        self._ttl_ms = max(self._least_ttl_ms, round(VALID_FOR * ack.min_interval_ms))
        return ack


def to_message(view: InstanceView) -> pb.Instance:
    """An instance as it is advertised."""
    return pb.Instance(
        func_id=view.func_id,
        also=view.also,
        instance=view.instance,
        ipv4=view.ipv4.packed if view.ipv4 else b"",
        ipv6=view.ipv6.packed if view.ipv6 else b"",
        load=view.load,
        queue=view.queue,
        service_time_us=view.service_time_us,
        arrival_rps=view.arrival_rps,
        completed_rps=view.completed_rps,
        error_rps=view.error_rps,
        capacity_rps=view.capacity_rps,
        concurrency=view.concurrency,
        state=pb.Instance.DRAINING if view.draining else pb.Instance.UP,
    )
