"""Primitive calls: what actions (and parser states and deparsers) do, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from switch.load.expression import Data, FieldOf, HeaderPlace, Truth


@dataclass(frozen=True, slots=True)
class Assign:
    """dst = src, truncated (or clamped, for a saturating field) to dst's width."""

    dst: FieldOf
    src: Data


@dataclass(frozen=True, slots=True)
class AssignVarbit:
    """Copy one varbit field to another."""

    dst: FieldOf
    src: FieldOf


@dataclass(frozen=True, slots=True)
class AssignHeader:
    """Copy validity and, if valid, all fields."""

    dst: HeaderPlace
    src: HeaderPlace


@dataclass(frozen=True, slots=True)
class AssignStack:
    """Copy a header stack."""

    dst: int
    src: int


@dataclass(frozen=True, slots=True)
class AssignUnionStack:
    """Copy a stack of header unions."""

    dst: int
    src: int


@dataclass(frozen=True, slots=True)
class SetValid:
    """Make a header valid; its fields become 0 if it was not."""

    header: HeaderPlace


@dataclass(frozen=True, slots=True)
class SetInvalid:
    """Make a header invalid."""

    header: HeaderPlace


@dataclass(frozen=True, slots=True)
class Shift:
    """push_front (positive) or pop_front (negative) of a header stack by `count` elements."""

    stack: int
    count: int


@dataclass(frozen=True, slots=True)
class MarkToDrop:
    """egress_spec = drop port, multicast group = 0; of the standard metadata or of a copy of it."""

    port: FieldOf
    group: FieldOf | None


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at primitive `target` of the same action; with a condition, only if that is 0."""

    target: int
    unless: Data | None


@dataclass(frozen=True, slots=True)
class Exit:
    """End the control after this action."""


@dataclass(frozen=True, slots=True)
class Count:
    """Count the packet in a counter's cell."""

    counter: int
    index: Data


@dataclass(frozen=True, slots=True)
class RegisterRead:
    """dst = register[index]; unchanged when the index is out of bounds."""

    dst: FieldOf
    register: int
    index: Data


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """register[index] = value; nothing when the index is out of bounds."""

    register: int
    index: Data
    value: Data


@dataclass(frozen=True, slots=True)
class ExecuteMeter:
    """dst = colour of the packet by meter[index]; unchanged when the index is out of bounds."""

    meter: int
    index: Data
    dst: FieldOf


@dataclass(frozen=True, slots=True)
class Hash:
    """dst = base + calculation % maximum (1 for a maximum of 0)."""

    dst: FieldOf
    base: Data
    calculation: int
    maximum: Data


@dataclass(frozen=True, slots=True)
class Random:
    """dst = uniform in [low, high]; unchanged when low > high."""

    dst: FieldOf
    low: Data
    high: Data


@dataclass(frozen=True, slots=True)
class SendDigest:
    """Send this digest at the end of ingress; the last one of a packet wins."""

    digest: Data


@dataclass(frozen=True, slots=True)
class Clone:
    """Clone to a session at the end of this control, with the fields of a list preserved."""

    egress: bool
    session: Data
    field_list: Data


@dataclass(frozen=True, slots=True)
class Resubmit:
    """Start over with the packet as it came, with the fields of a list preserved."""

    field_list: Data


@dataclass(frozen=True, slots=True)
class Recirculate:
    """Start over with the deparsed packet, with the fields of a list preserved."""

    field_list: Data


@dataclass(frozen=True, slots=True)
class Truncate:
    """Cut what is sent to `length` bytes; the smallest of several wins."""

    length: Data


MESSAGE_PART = re.compile(r"\\[{}]|(?P<place>\{(?:\\[{}]|[^}])*\})")
"""In the text of log_msg: a place for a value, whatever it has between its braces, or an escaped brace."""


@dataclass(frozen=True, slots=True)
class Log:
    """Tell the operator."""

    format: str
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """assert or assume: a packet for which it does not hold is dropped and told of."""

    condition: Truth
    what: str


Primitive = (
    Assign
    | AssignVarbit
    | AssignHeader
    | AssignStack
    | AssignUnionStack
    | SetValid
    | SetInvalid
    | Shift
    | MarkToDrop
    | Jump
    | Exit
    | Count
    | RegisterRead
    | RegisterWrite
    | ExecuteMeter
    | Hash
    | Random
    | SendDigest
    | Clone
    | Resubmit
    | Recirculate
    | Truncate
    | Log
    | Check
)
