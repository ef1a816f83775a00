"""The gRPC service that site agents send their adverts to."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc
from control.refused import Refused

MIN_INTERVAL_MS = 20
"""Adverts that come faster than this tell nothing new: a service time or two has to pass."""


class Adverts(advert_pb2_grpc.AdvertsServicer):
    """Hands adverts on; `take` gets the message and the sender's token, and raises `Refused`."""

    def __init__(self, take: Callable[[pb.Advert, str], None]):
        self._take = take

    async def Advertise(  # noqa: N802 - the name in advert.proto
        self, request: pb.Advert, context: grpc.aio.ServicerContext[pb.Advert, pb.AdvertAck]
    ) -> pb.AdvertAck:
        """Answer whether the advert was believed, and if not why."""
        metadata = dict(context.invocation_metadata() or ())
        kind, _, token = str(metadata.get("authorization", "")).partition(" ")
        try:
            self._take(request, token if kind.lower() == "bearer" else "")
        except Refused as refused:
            return pb.AdvertAck(accepted=False, reason=str(refused), min_interval_ms=MIN_INTERVAL_MS)
        return pb.AdvertAck(accepted=True, min_interval_ms=MIN_INTERVAL_MS)


async def serve(address: str, take: Callable[[pb.Advert, str], None]) -> grpc.aio.Server:
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
