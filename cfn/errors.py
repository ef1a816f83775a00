"""What a call can end in, other than an output."""

from __future__ import annotations

from enum import IntEnum

from cfn.wire import NackCode, Report, Status


class CallError(Exception):
    """A call that brought no output."""


class NoAnswerError(CallError):
    """Neither a response nor a NACK came, however often the request was sent.

    Attributes:
        attempts: how often it was sent.
        waited_s: seconds from the first attempt until giving up.
    """

    def __init__(self, attempts: int, waited_s: float, reason: str = "") -> None:
        text = f"no answer to {attempts} attempt{'s' if attempts > 1 else ''} in {waited_s:.2f} s"
        super().__init__(f"{text}: {reason}" if reason else text)
        self.attempts = attempts
        self.waited_s = waited_s


class NackError(CallError):
    """The network refused the request.

    Attributes:
        code: why.
        retry_after_ms: when to try again, 0 for don't.
    """

    def __init__(self, code: int, retry_after_ms: int) -> None:
        name = _name(NackCode, code)
        super().__init__(f"{name}, try again in {retry_after_ms} ms" if retry_after_ms else name)
        self.code = code
        self.retry_after_ms = retry_after_ms


class UnknownFunctionError(NackError):
    """No function in the network has this FuncID."""


class NotPermittedError(NackError):
    """The tenant may not use the function."""


class NoCapacityError(NackError):
    """No instance takes requests now."""


class DemandUnmetError(NackError):
    """No instance can meet the demand."""


class HopLimitError(NackError):
    """The request may not be steered any further."""


class MalformedError(NackError):
    """The network does not take the datagram for a request."""


class InstanceError(CallError):
    """The instance answered with a status other than OK.

    Attributes:
        status: what it said.
        text: its explanation, if it gave one.
        report: load and queue of the instance.
    """

    def __init__(self, status: int, text: str, report: Report) -> None:
        name = _name(Status, status)
        super().__init__(f"{name}: {text}" if text else name)
        self.status = status
        self.text = text
        self.report = report


class FunctionFailedError(InstanceError):
    """The function raised an error."""


class BusyError(InstanceError):
    """The instance's queue is full."""


class UnknownFunctionHereError(InstanceError):
    """The instance does not run the function."""


class InputRefusedError(InstanceError):
    """The function does not accept the payload."""


_NACKS: dict[int, type[NackError]] = {
    NackCode.UNKNOWN_FUNCTION: UnknownFunctionError,
    NackCode.NOT_PERMITTED: NotPermittedError,
    NackCode.NO_CAPACITY: NoCapacityError,
    NackCode.DEMAND_UNMET: DemandUnmetError,
    NackCode.HOP_LIMIT: HopLimitError,
    NackCode.MALFORMED: MalformedError,
}
_STATUSES: dict[int, type[InstanceError]] = {
    Status.FUNCTION_FAILED: FunctionFailedError,
    Status.BUSY: BusyError,
    Status.UNKNOWN_FUNCTION_HERE: UnknownFunctionHereError,
    Status.BAD_INPUT: InputRefusedError,
}


def _name(codes: type[IntEnum], code: int) -> str:
    try:
        return codes(code).name
    except ValueError:
        return f"{codes.__name__} {code}"


def nack_error(report: Report) -> NackError:
    """The exception for a NACK's report."""
    return _NACKS.get(report.status, NackError)(report.status, report.queue)


def instance_error(report: Report, payload: bytes) -> InstanceError:
    """The exception for the report and payload of a response that is not OK."""
    text = payload.decode(errors="replace")
    return _STATUSES.get(report.status, InstanceError)(report.status, text, report)
