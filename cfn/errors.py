"""What a call can end in, other than an output."""

from __future__ import annotations

from enum import IntEnum

from cfn.chain import Place
from cfn.extension_bodies import Trace
from cfn.wire import AuthFault, DemandPart, NackCode, Report, Status


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


class SequenceUsedUpError(CallError):
    """The sender has no sequence number left to prove itself with: the client needs another sender."""


class ChainStoppedError(CallError):
    """A function of a chain answered, and nobody on the way carried the chain on.

    Attributes:
        place: the function that answered.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(f"no router carried the chain on after {place}")
        self.place = place


class NackError(CallError):
    """The network refused the request.

    Attributes:
        code: why.
        report: the code with its details.
        place: the function of the chain that was refused, None without a chain.
    """

    def __init__(self, report: Report, place: Place | None = None) -> None:
        super().__init__(_text(_name(NackCode, report.status), self.detail(report), place))
        self.code = report.status
        self.report = report
        self.place = place

    @property
    def retry_after_ms(self) -> int:
        """When to try again, 0 for don't."""
        return 0

    @classmethod
    def detail(cls, report: Report) -> str:
        """What the report says beside the code, for people."""
        return ""


class _LaterError(NackError):
    @property
    def retry_after_ms(self) -> int:
        return self.report.queue

    @classmethod
    def detail(cls, report: Report) -> str:
        return f"try again in {report.queue} ms" if report.queue else ""


class UnknownFunctionError(NackError):
    """No function in the network has this FuncID."""


class NotPermittedError(NackError):
    """The tenant may not use the function."""


class NoCapacityError(_LaterError):
    """No instance takes requests now."""


class DemandUnmetError(NackError):
    """No instance can meet the demand; `report.load` is the `DemandPart` that it can't meet."""

    @classmethod
    def detail(cls, report: Report) -> str:
        """The part."""
        return _name(DemandPart, report.load).lower() if report.load else ""


class HopLimitError(NackError):
    """The request may not be steered any further."""


class MalformedError(NackError):
    """The network does not take the datagram for a request."""


class RateExceededError(_LaterError):
    """The tenant asks more often than was agreed."""


class UnauthenticatedError(NackError):
    """The tenant's requests need an AUTH that holds; `report.load` is the `AuthFault` of this one."""

    @classmethod
    def detail(cls, report: Report) -> str:
        """The fault."""
        return _name(AuthFault, report.load).lower().replace("_", " ") if report.load else ""


class TooBigError(NackError):
    """The request would not fit a link on its way; `report.queue` is the bytes an IP packet may have."""

    @classmethod
    def detail(cls, report: Report) -> str:
        """The room."""
        return f"an IP packet may have {report.queue} bytes"


class ChainBrokenError(NackError):
    """A function of the chain did not answer OK; `report.load` is the `Status` that it answered."""

    @classmethod
    def detail(cls, report: Report) -> str:
        """The status."""
        return _name(Status, report.load)


class InstanceError(CallError):
    """The instance answered with a status other than OK.

    Attributes:
        status: what it said.
        text: its explanation, if it gave one.
        report: load of the instance, and the requests that it has.
        place: the function of the chain that answered, None without a chain.
        trace: what routers recorded, if that was asked for.
    """

    def __init__(self, report: Report, text: str, place: Place | None, trace: Trace | None) -> None:
        super().__init__(_text(_name(Status, report.status), text, place))
        self.status = report.status
        self.text = text
        self.report = report
        self.place = place
        self.trace = trace


class FunctionFailedError(InstanceError):
    """The function raised an error."""


class BusyError(InstanceError):
    """The instance's queue is full."""


class UnknownFunctionHereError(InstanceError):
    """The instance does not run the function."""


class InputRefusedError(InstanceError):
    """The function does not accept the payload."""


class InputMissingError(InstanceError):
    """The instance could not get the input that the request names instead of carrying it."""


_NACKS: dict[int, type[NackError]] = {
    NackCode.UNKNOWN_FUNCTION: UnknownFunctionError,
    NackCode.NOT_PERMITTED: NotPermittedError,
    NackCode.NO_CAPACITY: NoCapacityError,
    NackCode.DEMAND_UNMET: DemandUnmetError,
    NackCode.HOP_LIMIT: HopLimitError,
    NackCode.MALFORMED: MalformedError,
    NackCode.RATE_EXCEEDED: RateExceededError,
    NackCode.UNAUTHENTICATED: UnauthenticatedError,
    NackCode.TOO_BIG: TooBigError,
    NackCode.CHAIN_BROKEN: ChainBrokenError,
}
_STATUSES: dict[int, type[InstanceError]] = {
    Status.FUNCTION_FAILED: FunctionFailedError,
    Status.BUSY: BusyError,
    Status.UNKNOWN_FUNCTION_HERE: UnknownFunctionHereError,
    Status.BAD_INPUT: InputRefusedError,
    Status.MISSING_INPUT: InputMissingError,
}


def _name(codes: type[IntEnum], code: int) -> str:
    try:
        return codes(code).name
    except ValueError:
        return f"{codes.__name__} {code}"


def _text(name: str, detail: str, place: Place | None) -> str:
    text = f"{name}: {detail}" if detail else name
    return f"{text}, at {place} of the chain" if place else text


def nack_error(report: Report, place: Place | None = None) -> NackError:
    """The exception for a NACK's report."""
    return _NACKS.get(report.status, NackError)(report, place)


def instance_error(
    report: Report, payload: bytes, place: Place | None = None, trace: Trace | None = None
) -> InstanceError:
    """The exception for a response that is not OK."""
    text = payload.decode(errors="replace")
    return _STATUSES.get(report.status, InstanceError)(report, text, place, trace)
