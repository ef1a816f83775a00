"""The extensions that have a meaning: CHAIN, AUTH and TRACE, and how their bodies are laid out.

Every class has the `type` and the `encode_body` of `cfn.extensions.Extension`, which stands for all others.
Offsets are those of docs/wire-format.md, and errors name the field with the extension: `chain.left`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from cfn.wire_error import WireError

MAX_CHAIN = 8
"""Functions that a CHAIN can hold."""
_PREFIX = 2
"""Bytes of an extension before its body."""
_ID_LENGTH = 16
_CHAIN_FUNCTION = struct.Struct("!Q16s")
_AUTH = struct.Struct("!HIQ")
AUTH_LENGTH = _PREFIX + _AUTH.size
"""Bytes of an AUTH."""
_RECORD = struct.Struct("!HBBHHIHH")
RECORD_LENGTH = _RECORD.size
"""Bytes of one record of a TRACE."""


class ExtensionType(IntEnum):
    """Assigned extension types, in no order; in a packet AUTH comes before CHAIN, and that before TRACE."""

    CHAIN = 1
    AUTH = 2
    TRACE = 3


@dataclass(frozen=True, slots=True)
class ChainFunction:
    """A function still to run.

    Attributes:
        func_id: 64 bits.
        data_out: identifier under which its output is to be known, 16 bytes.
    """

    func_id: int
    data_out: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """CHAIN: the functions to run on the output, one after another.

    Attributes:
        functions: those still to run, the next one first; at most `MAX_CHAIN`.
        done: functions that have run, 0–255.
    """

    functions: tuple[ChainFunction, ...]
    done: int = 0

    @property
    def type(self) -> int:
        """`ExtensionType.CHAIN`."""
        return ExtensionType.CHAIN

    def encode_body(self, offset: int) -> bytes:
        """The body of an extension that starts at `offset`.

        Raises:
            WireError: a value does not fit its field.
        """
        if len(self.functions) > MAX_CHAIN:
            raise WireError(
                "chain.left", offset + 3, f"{len(self.functions)} functions are more than {MAX_CHAIN}"
            )
        _check_bits(("chain.done", offset + 2, 8, self.done))
        parts = [bytes((self.done, len(self.functions)))]
        for number, function in enumerate(self.functions):
            at = offset + 4 + number * _CHAIN_FUNCTION.size
            _check_bits(("chain.func_id", at, 64, function.func_id))
            if len(function.data_out) != _ID_LENGTH:
                raise WireError(
                    "chain.data_out", at + 8, f"{len(function.data_out)} bytes instead of {_ID_LENGTH}"
                )
            parts.append(_CHAIN_FUNCTION.pack(function.func_id, function.data_out))
        return b"".join(parts)

    @classmethod
    def decode_body(cls, body: bytes, offset: int) -> Self:
        """Read the body of an extension that starts at `offset`.

        Raises:
            WireError: more functions than a chain has, or a length that is not theirs.
        """
        done, left = body[0], body[1]
        if left > MAX_CHAIN:
            raise WireError("chain.left", offset + 3, f"{left} functions are more than {MAX_CHAIN}")
        _check_length("chain", offset, body, 4 + left * _CHAIN_FUNCTION.size)
        return cls(tuple(ChainFunction(*each) for each in _CHAIN_FUNCTION.iter_unpack(body[2:])), done)


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH: who sent the request, and the proof.

    Attributes:
        sender: 16 bits; which of the tenant's clients, 0–255.
        sequence: 32 bits; grows with every datagram of the sender.
        tag: 64 bits; see `cfn.auth`.
    """

    sender: int
    sequence: int
    tag: int

    @property
    def type(self) -> int:
        """`ExtensionType.AUTH`."""
        return ExtensionType.AUTH

    def encode_body(self, offset: int) -> bytes:
        """The body of an extension that starts at `offset`.

        Raises:
            WireError: a value does not fit its field.
        """
        _check_bits(
            ("auth.sender", offset + 2, 16, self.sender),
            ("auth.sequence", offset + 4, 32, self.sequence),
            ("auth.tag", offset + 8, 64, self.tag),
        )
        return _AUTH.pack(self.sender, self.sequence, self.tag)

    @classmethod
    def decode_body(cls, body: bytes, offset: int) -> Self:
        """Read the body of an extension that starts at `offset`.

        Raises:
            WireError: a length other than AUTH's.
        """
        _check_length("auth", offset, body, AUTH_LENGTH)
        return cls(*_AUTH.unpack(body))


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """What one router says of the packet.

    Attributes:
        router: 16 bits.
        outcome: 8 bits; what became of the packet there, numbered by the router's program.
        hops: `hops` of the packet as it left.
        site: that the packet was bound to or came from, 0 for none.
        instance: the same, 0 for none.
        time_us: the router's clock when the packet came, modulo 2³²; each router has a clock of its own.
        queue: packets that waited for the port when this one came to it, modulo 2¹⁶.
        residence_us: from the packet's arrival at the router until it left, modulo 2¹⁶.
    """

    router: int
    outcome: int
    hops: int
    site: int
    instance: int
    time_us: int
    queue: int
    residence_us: int


@dataclass(frozen=True, slots=True)
class Trace:
    """TRACE: one record per router.

    Attributes:
        records: the newest first.
        missed: routers that had no room for a record, 255 for more.
        reserved: 8 bits, 0 when sent; kept as it came.
    """

    records: tuple[TraceRecord, ...] = ()
    missed: int = 0
    reserved: int = 0

    @property
    def type(self) -> int:
        """`ExtensionType.TRACE`."""
        return ExtensionType.TRACE

    def encode_body(self, offset: int) -> bytes:
        """The body of an extension that starts at `offset`.

        Raises:
            WireError: a value does not fit its field.
        """
        _check_bits(
            ("trace.missed", offset + 2, 8, self.missed), ("trace.reserved", offset + 3, 8, self.reserved)
        )
        parts = [bytes((self.missed, self.reserved))]
        for number, record in enumerate(self.records):
            at = offset + 4 + number * _RECORD.size
            _check_bits(
                ("trace.router", at, 16, record.router),
                ("trace.outcome", at + 2, 8, record.outcome),
                ("trace.hops", at + 3, 8, record.hops),
                ("trace.site", at + 4, 16, record.site),
                ("trace.instance", at + 6, 16, record.instance),
                ("trace.time_us", at + 8, 32, record.time_us),
                ("trace.queue", at + 12, 16, record.queue),
                ("trace.residence_us", at + 14, 16, record.residence_us),
            )
            parts.append(
                _RECORD.pack(
                    record.router,
                    record.outcome,
                    record.hops,
                    record.site,
                    record.instance,
                    record.time_us,
                    record.queue,
                    record.residence_us,
                )
            )
        return b"".join(parts)

    @classmethod
    def decode_body(cls, body: bytes, offset: int) -> Self:
        """Read the body of an extension that starts at `offset`.

        Raises:
            WireError: a length that is not one of whole records.
        """
        size = len(body) - _PREFIX
        _check_length("trace", offset, body, 4 + size // _RECORD.size * _RECORD.size)
        return cls(tuple(TraceRecord(*each) for each in _RECORD.iter_unpack(body[2:])), body[0], body[1])


def _check_length(extension: str, offset: int, body: bytes, expected: int) -> None:
    if _PREFIX + len(body) != expected:
        raise WireError(
            f"{extension}.length",
            offset + 1,
            f"{(_PREFIX + len(body)) // 4} words instead of {expected // 4}",
        )


def _check_bits(*fields: tuple[str, int, int, int]) -> None:
    for name, offset, bits, value in fields:
        if value < 0 or value >> bits:
            raise WireError(name, offset, f"{value} does not fit {bits} bits")
