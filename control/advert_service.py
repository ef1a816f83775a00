"""The gRPC service that site agents send their adverts to."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import grpc

from cfn.advert_sender import TIMEOUT_S
from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc
from control.pace import MIN_INTERVAL_MS
from control.refused import Refused

Take = Callable[[pb.Advert, str, float], int]


class Adverts(advert_pb2_grpc.AdvertsServicer):
    """Hands adverts on.

    `take` gets the message, the sender's token, and the seconds that it has waited. It says how many ms
    are to pass before the next one, or raises `Refused`.
    """

    def __init__(self, take: Take):
        self._take = take

    async def Advertise(  # noqa: N802 - the name in advert.proto
        self, request: pb.Advert, context: grpc.aio.ServicerContext[pb.Advert, pb.AdvertAck]
    ) -> pb.AdvertAck:
        """Answer whether the advert was believed, and if not why."""
        metadata = dict(context.invocation_metadata() or ())
        kind, _, token = str(metadata.get("authorization", "")).partition(" ")
        try:
            token = token if kind.lower() == "bearer" else ""
            min_interval_ms = self._take(request, token, _waited_s(context))
        except Refused as refused:
            return pb.AdvertAck(accepted=False, reason=str(refused), min_interval_ms=MIN_INTERVAL_MS)
        return pb.AdvertAck(accepted=True, min_interval_ms=min_interval_ms)


def _waited_s(context: grpc.aio.ServicerContext[pb.Advert, pb.AdvertAck]) -> float:
    """For how long a call has waited since it came, if it is an agent's."""
    left = cast("float | None", context.time_remaining())
    return max(0.0, TIMEOUT_S - left) if left is not None else 0.0


async def serve(address: str, take: Take) -> grpc.aio.Server:
    """Listen for adverts at `HOST:PORT` or `unix:PATH`.

    Raises:
        OSError: cannot listen there.
    """
    server = grpc.aio.server()
    advert_pb2_grpc.add_AdvertsServicer_to_server(Adverts(take), server)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen for adverts at {address}") from error
    await server.start()
    return server
