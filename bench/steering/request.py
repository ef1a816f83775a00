"""A request on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from control.model import InstanceKey

NOBODY = InstanceKey(0, 0)


@dataclass(slots=True, eq=False)
class Session:
    """Requests that want the same instance.

    Attributes:
        key: the instance that its cookie names; None before the first answer.
        moves: how often another instance answered than the time before.
    """

    key: InstanceKey | None = None
    moves: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """One request, from its first sending to its answer.

    Attributes:
        number: of the request, in the order of sending.
        func_id: what it asks for.
        router: where it enters the network.
        flow: of the client; what a router hashes when it keeps flows together.
        run_s: what it takes on an idle site of speed 1, in seconds.
        share: of a core that it takes meanwhile: less than 1 where it waits for something else in between.
        sent: when the client sent it first.
        done: told when the answer is there, with the request.
        session: that it belongs to, if any.
        counted: in response times.
        steered: when it entered the network, the last time.
        key: the instance that it came to; nobody's before that.
        tries: how often it was sent.
        arrived: when it came to that instance.
        ahead: requests that ran or waited there then.
        ended: when the instance was done with it.
        answered: when its answer was there; below 0: not yet.
        refused: whether the answer at hand is BUSY.
        load: of the instance, as the response tells it, 0–255.
        queue: requests that run or wait there, likewise.
    """

    number: int
    func_id: int
    router: str
    flow: int
    run_s: float
    share: float
    sent: float
    done: Callable[[Request], None]
    session: Session | None = None
    counted: bool = True
    steered: float = 0.0
    key: InstanceKey = NOBODY
    tries: int = 0
    arrived: float = 0.0
    ahead: int = 0
    ended: float = 0.0
    answered: float = -1.0
    refused: bool = False
    load: int = 0
    queue: int = 0
