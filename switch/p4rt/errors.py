"""Errors with the canonical gRPC code the specification asks for, alone and in a batch (§ 10, 12.3)."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from finsy.proto import p4r, rpc_code, rpc_status
from google.protobuf.any_pb2 import Any as AnyMessage

SPACE = "cfn-v1model"
"""The error space of `p4.v1.Error`: target and architecture (§ 10)."""

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that carries a serialised `google.rpc.Status`."""

_STATUS_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class P4RuntimeError(Exception):
    """A refusal: a `google.rpc.Code` and one sentence that names the place."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status_code(self) -> grpc.StatusCode:
        """The code as grpcio has it."""
        return _STATUS_CODES[self.code]


def invalid_argument(message: str) -> P4RuntimeError:
    """The request is malformed whatever the state of the switch."""
    return P4RuntimeError(rpc_code.INVALID_ARGUMENT, message)


def not_found(message: str) -> P4RuntimeError:
    """What the request refers to does not exist."""
    return P4RuntimeError(rpc_code.NOT_FOUND, message)


def already_exists(message: str) -> P4RuntimeError:
    """What the request inserts is there already."""
    return P4RuntimeError(rpc_code.ALREADY_EXISTS, message)


def out_of_range(message: str) -> P4RuntimeError:
    """An index past the end of an array, or a value wider than its type."""
    return P4RuntimeError(rpc_code.OUT_OF_RANGE, message)


def exhausted(message: str) -> P4RuntimeError:
    """A table, profile or value set is full."""
    return P4RuntimeError(rpc_code.RESOURCE_EXHAUSTED, message)


def denied(message: str) -> P4RuntimeError:
    """The client, or anybody, may not do this."""
    return P4RuntimeError(rpc_code.PERMISSION_DENIED, message)


def failed_precondition(message: str) -> P4RuntimeError:
    """The state of the switch does not allow this now."""
    return P4RuntimeError(rpc_code.FAILED_PRECONDITION, message)


def unimplemented(message: str) -> P4RuntimeError:
    """The specification has it, this target does not."""
    return P4RuntimeError(rpc_code.UNIMPLEMENTED, message)


def internal(message: str) -> P4RuntimeError:
    """A fault of the switch itself."""
    return P4RuntimeError(rpc_code.INTERNAL, message)


class BatchError(P4RuntimeError):
    """Requests of a batch failed: UNKNOWN overall, and a `p4.v1.Error` for each in order (§ 12.3, 13.3)."""

    def __init__(self, what: str, results: Sequence[P4RuntimeError | None]):
        failed = [(index, error) for index, error in enumerate(results) if error is not None]
        index, first = next((pair for pair in failed if pair[1].code != rpc_code.ABORTED), failed[0])
        super().__init__(
            rpc_code.UNKNOWN, f"{len(failed)} of {len(results)} {what}s failed; [{index}]: {first.message}"
        )
        self.results = tuple(results)

    def details(self) -> bytes:
        """The `google.rpc.Status` for the trailing metadata, serialised."""
        status = rpc_status.Status(code=self.code, message=self.message)
        for result in self.results:
            error = p4r.Error()
            if result is not None:
                error.canonical_code = result.code
                error.message = result.message
                error.space = SPACE
                error.code = result.code
            packed = AnyMessage()
            packed.Pack(error)
            status.details.append(packed)
        return status.SerializeToString()
