"""The CFN base header on the wire: types, encoding and decoding.

`docs/wire-format.md` is the authoritative text; the names here are its names. Everything is in network byte
order and stateless: a header is understood from its own bytes alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from cfn.extension_bodies import Chain, Trace
from cfn.extensions import AnyExtension, decode_extensions, encode_extensions
from cfn.wire_error import WireError

PORT = 23793
"""UDP destination port of requests, source port of responses and NACKs (0x5CF1)."""

VERSION = 1
WORD = 4
"""Bytes in one unit of the `length` field."""
BASE_LENGTH = 72
"""Bytes in the base header."""
BASE_WORDS = BASE_LENGTH // WORD
MAX_DATAGRAM = 1400
"""Bytes of header, extensions and payload together that a host sends at most."""
DEFAULT_HOPS = 64
NO_DATA = bytes(16)
"""The content identifier that names nothing."""

_BASE = struct.Struct("!BBBBHBBIIQQ16s16sII")


class Kind(IntEnum):
    """What a datagram is."""

    REQUEST = 1
    RESPONSE = 2
    PREFETCH = 3
    PROBE = 4
    NACK = 5


class Status(IntEnum):
    """What an instance says of the request, in `report.status` of a RESPONSE."""

    OK = 0
    FUNCTION_FAILED = 1
    BUSY = 2
    UNKNOWN_FUNCTION_HERE = 3
    BAD_INPUT = 4
    MISSING_INPUT = 5


class NackCode(IntEnum):
    """Why the network refused, in `report.status` of a NACK."""

    UNKNOWN_FUNCTION = 1
    NOT_PERMITTED = 2
    NO_CAPACITY = 3
    DEMAND_UNMET = 4
    HOP_LIMIT = 5
    MALFORMED = 6
    RATE_EXCEEDED = 7
    UNAUTHENTICATED = 8
    TOO_BIG = 9
    CHAIN_BROKEN = 10


class DemandPart(IntEnum):
    """Which part of the demand can't be met: `report.load` of DEMAND_UNMET."""

    NOT_TOLD = 0
    TYPE = 1
    GRADE = 2
    LATENCY = 3
    COST = 4


class AuthFault(IntEnum):
    """What is wrong with the request's AUTH: `report.load` of UNAUTHENTICATED."""

    NO_AUTH = 1
    WRONG_TAG = 2
    REPLAYED = 3


class ProbeStatus(IntEnum):
    """Which way a PROBE goes, in its `report.status`."""

    PROBE = 0
    ECHO = 1


class ComputeType(IntEnum):
    """The kind of processor that a request demands."""

    ANY = 0
    LOGIC = 1
    PARALLEL = 2
    NEURAL = 3


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request needs (32 bits).

    Attributes:
        type: a `ComputeType`; unassigned values (4–15) are carried as they are.
        grade: 0 any, 1 under 500 GFLOPS, 2 to 10 TFLOPS, 3 to 1 PFLOPS, 4 above.
        latency_ms: bound on the response time in ms, 0 for none.
        cost_ceiling: dearest cost class that is acceptable, 0 for none.
    """

    type: int = ComputeType.ANY
    grade: int = 0
    latency_ms: int = 0
    cost_ceiling: int = 0

    def to_int(self) -> int:
        """The field as a 32-bit number; the parts must be in range."""
        return self.type << 28 | self.grade << 24 | self.latency_ms << 8 | self.cost_ceiling

    @classmethod
    def from_int(cls, value: int) -> Demand:
        """Take the 32-bit field apart."""
        return cls(value >> 28, value >> 24 & 0xF, value >> 8 & 0xFFFF, value & 0xFF)


@dataclass(frozen=True, slots=True)
class Report:
    """What the instance, or a refusing router, says (32 bits).

    Attributes:
        status: a `Status` in a RESPONSE, a `NackCode` in a NACK, a `ProbeStatus` in a PROBE, 0 otherwise.
        load: load of the instance, 0–255; in a NACK a detail of the code.
        queue: requests that the instance has, running and waiting; in a NACK the ms after which to try again,
            0 for don't, or for TOO_BIG the bytes that an IP packet may have; in a PREFETCH the site that has
            the input.
    """

    status: int = 0
    load: int = 0
    queue: int = 0

    def to_int(self) -> int:
        """The field as a 32-bit number; the parts must be in range."""
        return self.status << 24 | self.load << 16 | self.queue

    @classmethod
    def from_int(cls, value: int) -> Report:
        """Take the 32-bit field apart."""
        return cls(value >> 24, value >> 16 & 0xFF, value & 0xFFFF)


@dataclass(frozen=True, slots=True)
class Header:
    """The base header without `version`, `length` and `next`, which follow from the rest of the packet.

    Attributes:
        kind: what the datagram is.
        func_id: the function, 64 bits (see `cfn.names`).
        tenant: who asks, 16 bits.
        request_id: 32 bits, unique per client socket among the requests under way.
        flags: 8 bits; none is defined, so 0 when sent.
        hops: how often the request may still be steered: a router that binds it decrements it.
        priority: 0 (default) to 255.
        timestamp: µs of the ingress router's clock, modulo 2³²; hosts echo it.
        affinity: the cookie, 0 for none; opaque to hosts.
        data_in: content identifier of the input, 16 bytes.
        data_out: identifier under which the output is to be known, 16 bytes.
        demand: what the request needs.
        report: what the instance or the refusing router says.
    """

    kind: Kind
    func_id: int
    tenant: int = 0
    request_id: int = 0
    flags: int = 0
    hops: int = DEFAULT_HOPS
    priority: int = 0
    timestamp: int = 0
    affinity: int = 0
    data_in: bytes = NO_DATA
    data_out: bytes = NO_DATA
    demand: Demand = field(default_factory=Demand)
    report: Report = field(default_factory=Report)


@dataclass(frozen=True, slots=True)
class Packet:
    """One CFN datagram: base header, extensions, payload."""

    header: Header
    payload: bytes = b""
    extensions: tuple[AnyExtension, ...] = ()

    @property
    def chain(self) -> Chain | None:
        """The functions still to run, if the packet has a CHAIN."""
        return next((each for each in self.extensions if isinstance(each, Chain)), None)

    @property
    def trace(self) -> Trace | None:
        """What routers recorded, if the packet has a TRACE."""
        return next((each for each in self.extensions if isinstance(each, Trace)), None)

    def encode(self) -> bytes:
        """The datagram's bytes.

        Raises:
            WireError: a value does not fit its field; names the field and its offset.
        """
        header = self.header
        _check_ranges(header)
        first, extensions = encode_extensions(self.extensions)
        base = _BASE.pack(
            VERSION << 4 | header.kind,
            header.flags,
            BASE_WORDS + len(extensions) // WORD,
            first,
            header.tenant,
            header.hops,
            header.priority,
            header.request_id,
            header.timestamp,
            header.affinity,
            header.func_id,
            header.data_in,
            header.data_out,
            header.demand.to_int(),
            header.report.to_int(),
        )
        return base + extensions + self.payload

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Packet:
        """Read a datagram (UDP payload).

        Raises:
            WireError: the bytes are no CFN datagram; names the field and its offset.
        """
        if len(data) < BASE_LENGTH:
            raise WireError("header", 0, f"{len(data)} bytes instead of at least {BASE_LENGTH}")
        (
            version_kind,
            flags,
            words,
            first,
            tenant,
            hops,
            priority,
            request_id,
            timestamp,
            affinity,
            func_id,
            data_in,
            data_out,
            demand,
            report,
        ) = _BASE.unpack_from(data)
        if version_kind >> 4 != VERSION:
            raise WireError("version", 0, f"version {version_kind >> 4} is not {VERSION}")
        try:
            kind = Kind(version_kind & 0xF)
        except ValueError:
            raise WireError("kind", 0, f"kind {version_kind & 0xF} is not assigned") from None
        end = words * WORD
        if words < BASE_WORDS:
            raise WireError("length", 2, f"{words} words are fewer than the base header's {BASE_WORDS}")
        if end > len(data):
            raise WireError("length", 2, f"a header of {end} bytes in a datagram of {len(data)}")
        header = Header(
            kind=kind,
            func_id=func_id,
            tenant=tenant,
            request_id=request_id,
            flags=flags,
            hops=hops,
            priority=priority,
            timestamp=timestamp,
            affinity=affinity,
            data_in=data_in,
            data_out=data_out,
            demand=Demand.from_int(demand),
            report=Report.from_int(report),
        )
        extensions = decode_extensions(first, bytes(data[BASE_LENGTH:end]), BASE_LENGTH)
        return cls(header, bytes(data[end:]), extensions)


def _check_ranges(header: Header) -> None:
    demand, report = header.demand, header.report
    for name, offset, bits, value in (
        ("kind", 0, 4, header.kind),
        ("flags", 1, 8, header.flags),
        ("tenant", 4, 16, header.tenant),
        ("hops", 6, 8, header.hops),
        ("priority", 7, 8, header.priority),
        ("request_id", 8, 32, header.request_id),
        ("timestamp", 12, 32, header.timestamp),
        ("affinity", 16, 64, header.affinity),
        ("func_id", 24, 64, header.func_id),
        ("demand.type", 64, 4, demand.type),
        ("demand.grade", 64, 4, demand.grade),
        ("demand.latency_ms", 65, 16, demand.latency_ms),
        ("demand.cost_ceiling", 67, 8, demand.cost_ceiling),
        ("report.status", 68, 8, report.status),
        ("report.load", 69, 8, report.load),
        ("report.queue", 70, 16, report.queue),
    ):
        if value < 0 or value >> bits:
            raise WireError(name, offset, f"{value} does not fit {bits} bits")
    for name, offset, value in (("data_in", 32, header.data_in), ("data_out", 48, header.data_out)):
        if len(value) != len(NO_DATA):
            raise WireError(name, offset, f"{len(value)} bytes instead of {len(NO_DATA)}")
