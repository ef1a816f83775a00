"""The gRPC service that site agents send their adverts to."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from cfn.proto import advert_pb2 as pb
from cfn.proto import advert_pb2_grpc
from control.pace import MIN_INTERVAL_MS
from control.refused import Refused


class Adverts(advert_pb2_grpc.AdvertsServicer):
    """Hands adverts on.

    `take` gets the message and the sender's token, and says how many ms are to pass before the next one, or
    raises `Refused`.
    """

    def __init__(self, take: Callable[[pb.Advert, str], int]):
        self._take = take

    async def Advertise(  # noqa: N802 - the name in advert.proto
        self, request: pb.Advert, context: grpc.aio.ServicerContext[pb.Advert, pb.AdvertAck]
    ) -> pb.AdvertAck:
        """Answer whether the advert was believed, and if not why."""
        metadata = dict(context.invocation_metadata() or ())
        kind, _, token = str(metadata.get("authorization", "")).partition(" ")
        try:
            min_interval_ms = self._take(request, token if kind.lower() == "bearer" else "")
        except Refused as refused:
            return pb.AdvertAck(accepted=False, reason=str(refused), min_interval_ms=MIN_INTERVAL_MS)
        return pb.AdvertAck(accepted=True, min_interval_ms=min_interval_ms)


async def serve(address: str, take: Callable[[pb.Advert, str], int]) -> grpc.aio.Server:
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
