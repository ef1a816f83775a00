"""Functions: a name, and what computes the output from the input.

@function("vision/detect")
def detect(payload: bytes) -> bytes: ...
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from cfn.names import func_id
from cfn.wire import BASE_LENGTH, MAX_DATAGRAM, Status

MAX_OUTPUT = MAX_DATAGRAM - BASE_LENGTH
"""Bytes that a response has room for."""

Runs = Literal["process", "thread"]


class BadInputError(ValueError):
    """Raised by a function for a payload that it does not accept; the text goes to the client."""


@dataclass(frozen=True, slots=True)
class Function:
    """A named computation; calling it runs it here.

    Attributes:
        name: `namespace/function`.
        compute: from the request's payload to the response's, at most `MAX_OUTPUT` bytes.
        runs: in worker processes (right for what computes) or threads (right for what mostly waits).
        pure: the same input always gives the same output, so that an output may be kept and given again.
    """

    name: str
    compute: Callable[[bytes], bytes]
    runs: Runs = "process"
    pure: bool = False

    @property
    def func_id(self) -> int:
        """The FuncID of the name."""
        return func_id(self.name)

    def __call__(self, payload: bytes) -> bytes:
        """Run the computation."""
        return self.compute(payload)


def function(
    name: str, *, runs: Runs = "process", pure: bool = False
) -> Callable[[Callable[[bytes], bytes]], Function]:
    """Make a `Function` of the decorated callable.

    Raises:
        ValueError: `name` is no function name.
    """
    func_id(name)
    return lambda compute: Function(name, compute, runs, pure)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended.

    Attributes:
        status: of its response.
        payload: of its response.
        cpu_us: CPU time that it took, in µs.
    """

    status: Status
    payload: bytes
    cpu_us: int = field(default=0, compare=False)


def run(target: Function, payload: bytes) -> Outcome:
    """Run a function once; whatever it raises becomes a status and a text for the client."""
    began_ns = time.thread_time_ns()
    outcome = _run(target, payload)
    return replace(outcome, cpu_us=(time.thread_time_ns() - began_ns) // 1000)


def _run(target: Function, payload: bytes) -> Outcome:
    try:
        output = cast(object, target.compute(payload))
    except BadInputError as error:
        return _told(Status.BAD_INPUT, str(error))
    except Exception as error:  # however a function fails, its worker goes on
        return _told(Status.FUNCTION_FAILED, f"{type(error).__name__}: {error}")
    if not isinstance(output, bytes):
        return _told(
            Status.FUNCTION_FAILED, f"{target.name} returned {type(output).__name__} instead of bytes"
        )
    if len(output) > MAX_OUTPUT:
        return _told(Status.FUNCTION_FAILED, f"output of {len(output)} bytes, more than {MAX_OUTPUT}")
    return Outcome(Status.OK, output)


def _told(status: Status, text: str) -> Outcome:
    # A cut inside a character would not be UTF-8 any more.
    return Outcome(status, text.encode()[:MAX_OUTPUT].decode(errors="ignore").encode())
