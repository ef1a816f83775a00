"""What became of each request: one record per request, as lines of JSON between processes and in files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from cfn.cookie import NO_COOKIE, Cookie
from cfn.wire import Kind, Packet, Status


class Outcome(StrEnum):
    """How a request ended."""

    OK = "ok"
    FAILED = "failed"
    """The instance answered with another status than OK."""
    NACK = "nack"
    """The network refused it."""
    LOST = "lost"
    """Neither came within the time that the client waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One request and its end: the fields of `Request` and `Answer`, and of both together.

    Attributes:
        client: host that sent it.
        sent_s: when, in seconds since the Unix epoch.
        latency_ms: from sent to the answer; None when lost.
    """

    client: str
    source: str
    session: int | None
    function: str
    family: int
    bound: bool
    sent_s: float
    latency_ms: float | None
    outcome: Outcome
    code: int = 0
    site: int | None = None
    instance: int | None = None

    def to_line(self) -> str:
        """Write the record as one line."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Record:
        """Read what `to_line` wrote."""
        values: dict[str, Any] = json.loads(line)
        outcome = Outcome(values.pop("outcome"))
        return cls(outcome=outcome, **values)


@dataclass(frozen=True, slots=True)
class Request:
    """A request, before anything is known of its end.

    Attributes:
        source: what sent it: "replay", "session" or "single".
        session: number of its session, unique in the client; None outside of sessions.
        function: its name.
        family: 4 or 6.
        bound: whether it carried a cookie, so that the network had no choice.
    """

    source: str
    session: int | None
    function: str
    family: int
    bound: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says about its request.

    Attributes:
        outcome: how the request ended.
        code: status of the response or code of the NACK, 0 when lost.
        site: number of the site that answered, by the cookie; None for a NACK or when lost.
        instance: number of the instance in its site, likewise.
    """

    outcome: Outcome
    code: int
    site: int | None
    instance: int | None


LOST = Answer(Outcome.LOST, 0, None, None)


def answered(outcome: Outcome, code: int, affinity: int) -> Answer:
    """Make the answer of an instance that says by its cookie, if it has one, which it is."""
    if affinity == NO_COOKIE:
        return Answer(outcome, code, None, None)
    cookie = Cookie.from_int(affinity)
    return Answer(outcome, code, cookie.site, cookie.instance)


def read_answer(packet: Packet) -> Answer:
    """Read a response or a NACK."""
    header = packet.header
    if header.kind == Kind.NACK:
        return Answer(Outcome.NACK, header.report.status, None, None)
    outcome = Outcome.OK if header.report.status == Status.OK else Outcome.FAILED
    return answered(outcome, header.report.status, header.affinity)


def read(lines: Iterable[str]) -> Iterator[Record]:
    """Read lines of records."""
    return map(Record.from_line, lines)
