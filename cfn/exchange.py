"""One request until its answer: when to send, what an answer means, when to give up.

No socket and no clock, so the synchronous and the asyncio client do exactly the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from cfn.chain import Place, Stage, stage_of, stages_of
from cfn.credentials import Credentials
from cfn.errors import (
    BusyError,
    CallError,
    ChainStoppedError,
    NackError,
    NoAnswerError,
    instance_error,
    nack_error,
)
from cfn.extension_bodies import Trace
from cfn.wire import AuthFault, Header, Kind, NackCode, Packet, Report, Status

_REPLAYED = (NackCode.UNAUTHENTICATED, AuthFault.REPLAYED)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a client is.

    Attributes:
        attempts: how often a request is sent at most.
        timeout_s: wait for an answer to the first attempt.
        factor: each further wait is this much longer.
        jitter: each wait is varied by this share, so that clients don't retry in step.
        deadline_s: give up after this long, whatever else.
    """

    attempts: int = 4
    timeout_s: float = 0.5
    factor: float = 2.0
    jitter: float = 0.1
    deadline_s: float = 10.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.timeout_s <= 0 or self.factor < 1 or self.deadline_s <= 0:
            raise ValueError(
                "a retry policy needs an attempt, a timeout, a deadline, and waits that don't shrink"
            )
        if not 0 <= self.jitter < 1:
            raise ValueError("jitter is a share from 0 to less than 1")

    def wait_s(self, attempt: int, uniform: Callable[[float, float], float]) -> float:
        """Seconds to wait after the attempt of that number (from 1)."""
        spread = uniform(1 - self.jitter, 1 + self.jitter)
        return self.timeout_s * self.factor ** (attempt - 1) * spread


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call.

    Attributes:
        payload: the function's output.
        report: status and load of the instance, and the requests that it has.
        affinity: cookie for the next request of the session, 0 without one.
        latency_s: from the first attempt to the answer.
        attempts: how often the request was sent.
        stages: the functions that ran, one after another; more than one for a chain.
        trace: what routers recorded on all the way, None if it was not asked for.
    """

    payload: bytes
    report: Report
    affinity: int
    latency_s: float
    attempts: int
    stages: tuple[Stage, ...]
    trace: Trace | None


class Exchange:
    """The life of one request. Times are seconds of one monotonic clock.

    The owner sends `data` at the beginning, hands every datagram to `receive`, and calls `expire` once
    `deadline` has passed.
    """

    def __init__(
        self,
        request: Packet,
        policy: RetryPolicy,
        now: float,
        uniform: Callable[[float, float], float] = random.uniform,
        *,
        credentials: Credentials | None = None,
    ) -> None:
        self.attempts = 1
        self._request = request
        self._stages = stages_of(request)
        self._credentials = credentials
        self._sequence = 0
        self.data = self._datagram()
        self._policy = policy
        self._uniform = uniform
        self._began = now
        self._refusal: CallError | None = None
        self._obstacle = ""
        self.deadline = self._until(now, policy.wait_s(1, uniform))

    def receive(self, packet: Packet, now: float) -> Reply | None:
        """Take a datagram that came in.

        Returns:
            The reply, or None when the datagram is not the answer or it asks to try again later.

        Raises:
            CallError: the answer is a refusal, and there is nothing to wait for.
        """
        header = packet.header
        stage = stage_of(header)
        if _identity(header) != _identity(self._request.header) or stage not in self._stages:
            return None
        number = self._stages.index(stage) + 1
        place = Place(number, len(self._stages), stage) if len(self._stages) > 1 else None
        if header.kind == Kind.NACK:
            self._refused(nack_error(header.report, place), now)
            return None
        if header.kind != Kind.RESPONSE:
            return None
        if header.report.status != Status.OK:
            failure = instance_error(header.report, packet.payload, place, packet.trace)
            if not isinstance(failure, BusyError):
                raise failure
            self._try_again(failure, self._after_wait(now), now)
            return None
        if place and place.number < place.total:
            raise ChainStoppedError(place)
        return Reply(
            packet.payload,
            header.report,
            header.affinity,
            now - self._began,
            self.attempts,
            self._stages,
            packet.trace,
        )

    def expire(self, now: float) -> bytes:
        """`deadline` has passed: what to send now.

        Raises:
            CallError: no more attempts; the last refusal, or `NoAnswerError`.
        """
        if self.attempts >= self._policy.attempts or now >= self._end:
            raise self._refusal or NoAnswerError(self.attempts, now - self._began, self._obstacle)
        self.attempts += 1
        self._refusal = None
        self.deadline = self._until(now, self._policy.wait_s(self.attempts, self._uniform))
        self.data = self._datagram()
        return self.data

    def unreachable(self, reason: str) -> None:
        """The host said that the request can't be delivered; it may be for a moment only, so try on."""
        self._obstacle = reason

    @property
    def _end(self) -> float:
        return self._began + self._policy.deadline_s

    def _until(self, now: float, wait_s: float) -> float:
        return min(now + wait_s, self._end)

    def _datagram(self) -> bytes:
        """The request, with a proof of its own for every attempt."""
        if not self._credentials:
            return self._request.encode()
        auth = self._credentials.authenticate(self._request.header)
        self._sequence = auth.sequence
        return replace(self._request, extensions=(auth, *self._request.extensions)).encode()

    def _refused(self, error: NackError, now: float) -> None:
        report = error.report
        if error.retry_after_ms:
            self._try_again(error, now + error.retry_after_ms / 1000, now)
        elif (report.status, report.load) == (NackCode.CHAIN_BROKEN, Status.BUSY):
            self._try_again(error, self._after_wait(now), now)
        elif self._credentials and (report.status, report.load) == _REPLAYED:
            # Or the network has doubled the datagram; then the answer comes while we wait.
            self._credentials.sequence.refused(self._sequence)
            self._try_again(error, self._after_wait(now), now)
        else:
            raise error

    def _after_wait(self, now: float) -> float:
        return now + self._policy.wait_s(self.attempts, self._uniform)

    def _try_again(self, refusal: CallError, at: float, now: float) -> None:
        if self.attempts >= self._policy.attempts or at >= self._end:
            raise refusal
        self._refusal = refusal
        self.deadline = max(at, now)


def _identity(header: Header) -> tuple[int, int]:
    return header.request_id, header.tenant
