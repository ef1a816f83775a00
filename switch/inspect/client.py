"""Asking a running switch."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import grpc

from switch.inspect.options import Server
from switch.proto import inspect_pb2 as pb
from switch.proto import inspect_pb2_grpc as pb_grpc

TIMEOUT_S = 300
"""How long to wait for an answer: the first explanation of a program compiles it."""

_OPTIONS = (("grpc.max_receive_message_length", -1),)


class Client:
    """One connection; all calls raise ConnectionError with what went wrong."""

    def __init__(self, channel: grpc.Channel, address: str) -> None:
        self._stub = pb_grpc.InspectStub(channel)
        self._address = address

    def explain(self, port: int, packet: bytes) -> pb.Explanation:
        """The way that a packet would take now."""
        try:
            return self._stub.Explain(pb.ExplainRequest(port=port, packet=packet), timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            raise self._failed(error) from None

    def statistics(self) -> pb.SwitchStatistics:
        """All counts."""
        try:
            return self._stub.Statistics(pb.StatisticsRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            raise self._failed(error) from None

    def _failed(self, error: grpc.RpcError) -> ConnectionError:
        said = str(error.details()) if isinstance(error, grpc.Call) else str(error)
        return ConnectionError(f"{self._address}: {said}")


@contextmanager
def connect(server: Server) -> Generator[Client]:
    """Connect to a switch, for as long as the block runs.

    Raises:
        OSError: a PEM file cannot be read.
    """
    with _channel(server) as channel:
        yield Client(channel, server.address)


def _channel(server: Server) -> grpc.Channel:
    if server.ca is None:
        return grpc.insecure_channel(server.address, _OPTIONS)
    credentials = grpc.ssl_channel_credentials(_pem(server.ca), _pem(server.key), _pem(server.certificate))
    return grpc.secure_channel(server.address, credentials, _OPTIONS)


def _pem(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()
