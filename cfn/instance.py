"""What an instance does with a request: answer at once, run it, let it wait, or recognise a retry.

No sockets, no workers, no clock: `cfn.server` brings them. Everything happens on one thread.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from cfn.function import Outcome
from cfn.load import Utilisation, load_of
from cfn.response import build_response
from cfn.usual import Usual
from cfn.wire import Packet, Report, Status

REMEMBER_S = 5.0
"""How long an answer is kept for retries."""
REMEMBER_MAX = 2048
"""How many answers are kept at most; each has at most one datagram."""
_MOST_REQUESTS = 0xFFFF
"""That a response can tell."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request that is to be run, and whom to answer (hashable; only the server looks into it).

    Attributes:
        client: whom to answer.
        request: as it came.
        content: the input, where the request names it instead of carrying it; an open file.
    """

    client: Any
    request: Packet
    content: BinaryIO | None = field(default=None, compare=False)

    @property
    def key(self) -> Hashable:
        """Equal for a request and its retries, and for nothing else."""
        header = self.request.header
        asked = header.tenant, header.func_id, header.request_id
        return self.client, asked, header.data_in, self.request.payload


@dataclass(frozen=True, slots=True)
class Counters:
    """What an instance has done since it started; every number only grows.

    Attributes:
        arrived: requests taken or answered BUSY, retries not counted.
        completed: runs that ended, with whatever status.
        failed: those of them whose function failed.
        refused: requests answered BUSY.
        busy_us: sum of the completed runs' durations in µs.
        cpu_us: sum of the CPU times that they took, in µs.
        beside_us: sum of the times that others ran beside them, each counted, in µs.
    """

    arrived: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    busy_us: int = 0
    cpu_us: int = 0
    beside_us: int = 0


class InstanceState:
    """One instance of one function: its queue, its memory of answers, its load."""

    def __init__(self, func_id: int, *, workers: int, queue_limit: int, now: float) -> None:
        self.counters = Counters()
        self._func_id = func_id
        self._workers = workers
        self._queue_limit = queue_limit
        self._utilisation = Utilisation(workers, now)
        self._cpu_us = Usual()
        self._to_prepare: deque[Job] = deque()
        self._preparing: set[Hashable] = set()
        self._queue: deque[Job] = deque()
        self._running: dict[Hashable, tuple[float, float]] = {}
        self._waiting: set[Hashable] = set()
        self._answers: OrderedDict[Hashable, tuple[float, Outcome]] = OrderedDict()

    @property
    def queue(self) -> int:
        """Requests that wait for a worker."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """Requests that a worker has."""
        return len(self._running)

    @property
    def usual_cpu_us(self) -> float:
        """CPU time of a run that is not long for this function, in µs; 0 before the first."""
        return self._cpu_us.value

    @property
    def load_now(self) -> int:
        """The load 0–255 of this moment, as responses tell it."""
        return load_of(len(self._running) / self._workers, self.queue)

    def load(self, now: float) -> int:
        """The load 0–255 of late, as sites advertise it."""
        return load_of(self._utilisation.value(now), self.queue)

    def arrive(self, job: Job, now: float, *, prepare: bool = False) -> Packet | None:
        """Take a request.

        Args:
            job: the request.
            now: the time.
            prepare: it can't run as it is: `next_to_prepare` is to hand it out before `next_job`.

        Returns:
            The response when it can be given at once; otherwise the request will be handed out, or it is the
            retry of one that is under way, whose response will do for both.
        """
        if job.request.header.func_id != self._func_id:
            return self._respond(job.request, Outcome(Status.UNKNOWN_FUNCTION_HERE, b""))
        key = job.key
        if key in self._running or key in self._waiting or key in self._preparing:
            return None
        if outcome := self._remembered(key, now):
            return self._respond(job.request, outcome)
        if not prepare:
            return self._admit(job)
        # As many as could wait and run; those that are prepared keep no worker from the others.
        if len(self._preparing) >= self._workers + self._queue_limit:
            return self._refuse(job)
        self._to_prepare.append(job)
        self._preparing.add(key)
        return None

    def next_to_prepare(self) -> Job | None:
        """A request whose input is to be got now; then call `prepared` or `settle`."""
        return self._to_prepare.popleft() if self._to_prepare else None

    def prepared(self, job: Job) -> Packet | None:
        """The job has its input: it takes its place as if it had arrived now; see `arrive`."""
        self._preparing.discard(job.key)
        return self._admit(job)

    def settle(self, job: Job, outcome: Outcome, now: float) -> Packet:
        """The job has its outcome without a run; returns the response, which is remembered for retries."""
        key = job.key
        self._preparing.discard(key)
        self._remember(key, outcome, now)
        return self._respond(job.request, outcome)

    def drop_waiting(self) -> list[Job]:
        """Give up the requests that wait for a worker, and return them."""
        dropped = list(self._queue)
        self._queue.clear()
        self._waiting.clear()
        return dropped

    def next_job(self, now: float) -> Job | None:
        """The request that a worker is to start now, if one waits and a worker is free."""
        if not self._queue or len(self._running) >= self._workers:
            return None
        job = self._queue.popleft()
        key = job.key
        self._waiting.discard(key)
        self._running[key] = now, self._utilisation.worked_s(now)
        self._utilisation.change(+1, now)
        return job

    def finish(self, job: Job, outcome: Outcome, now: float) -> None:
        """A worker has ended the job; its answer is remembered for retries."""
        key = job.key
        began, worked_s = self._running.pop(key)
        took_s = now - began
        beside_s = self._utilisation.worked_s(now) - worked_s - took_s
        self._utilisation.change(-1, now)
        self._cpu_us.add(outcome.cpu_us)
        counters = self.counters
        self.counters = replace(
            counters,
            completed=counters.completed + 1,
            failed=counters.failed + (outcome.status == Status.FUNCTION_FAILED),
            busy_us=counters.busy_us + round(took_s * 1e6),
            cpu_us=counters.cpu_us + outcome.cpu_us,
            beside_us=counters.beside_us + max(0, round(beside_s * 1e6)),
        )
        self._remember(key, outcome, now)

    def answer(self, job: Job, outcome: Outcome) -> Packet:
        """The response to a finished job, with load and requests as they are now."""
        return self._respond(job.request, outcome)

    def _admit(self, job: Job) -> Packet | None:
        if len(self._queue) >= self._queue_limit and len(self._running) >= self._workers:
            return self._refuse(job)
        self.counters = replace(self.counters, arrived=self.counters.arrived + 1)
        self._queue.append(job)
        self._waiting.add(job.key)
        return None

    def _refuse(self, job: Job) -> Packet:
        counters = self.counters
        self.counters = replace(counters, arrived=counters.arrived + 1, refused=counters.refused + 1)
        return self._respond(job.request, Outcome(Status.BUSY, b""))

    def _remember(self, key: Hashable, outcome: Outcome, now: float) -> None:
        self._answers[key] = (now, outcome)
        if len(self._answers) > REMEMBER_MAX:
            self._answers.popitem(last=False)

    def _remembered(self, key: Hashable, now: float) -> Outcome | None:
        while self._answers and next(iter(self._answers.values()))[0] < now - REMEMBER_S:
            self._answers.popitem(last=False)
        kept = self._answers.get(key)
        return kept[1] if kept else None

    def _respond(self, request: Packet, outcome: Outcome) -> Packet:
        report = Report(outcome.status, self.load_now, min(self.running + self.queue, _MOST_REQUESTS))
        return build_response(request, report, outcome.payload)
