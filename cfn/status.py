"""What function servers and the data agent tell the agent of their site: JSON datagrams on a unix socket.

One datagram tells of one instance, or of all that the site holds.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MAX_STATUS = 32768
"""Bytes of a status datagram at most."""
MAX_ALSO = 1250
"""Functions that an instance tells of at most, besides the first; they have room with any FuncIDs."""
MAX_HELD = 128
"""Inputs that a site tells of at most, and results likewise."""
REPORT_INTERVAL_S = 0.05
"""How often a server reports a change."""
REPORT_AT_LEAST_S = 0.25
"""How often a server reports an instance without any change."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
FuncId = Annotated[int, Field(ge=0, lt=2**64)]
DataId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Status(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def encode(self) -> bytes:
        """The datagram."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a datagram.

        Raises:
            ValueError: in one line, which field is wrong and why.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, each['loc'])) or 'status'}: {each['msg']}" for each in error.errors()
            )
            raise ValueError(wrong) from None


class InstanceStatus(_Status):
    """The state of one instance; counters grow from the server's start on.

    Attributes:
        started_us: when the server started, µs since the Unix epoch; a new value resets the counters.
        at_us: when this was measured, µs of the host's monotonic clock.
        func_id: the function.
        also: further functions that the same workers run at the same addresses.
        instance: unique within the site, 16 bits.
        ipv4: where it listens, if it does on IPv4.
        ipv6: the same for IPv6.
        state: `gone` is the last that an instance says.
        load: 0–255.
        queue: requests that wait.
        workers: how many requests it runs at once.
        arrived: requests taken or refused as busy.
        completed: runs that ended.
        failed: those of them whose function failed.
        busy_us: sum of the durations of the completed runs, in µs.
        cpu_us: sum of the CPU times that they took, in µs.
        beside_us: sum of the times that others ran beside them, each counted, in µs.
        usual_cpu_us: CPU time of a run that is not long for this function, in µs; 0 before the first.
    """

    started_us: Count
    at_us: Count
    func_id: FuncId
    also: Annotated[tuple[FuncId, ...], Field(max_length=MAX_ALSO)] = ()
    instance: Annotated[int, Field(ge=0, lt=2**16)]
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None
    state: Literal["up", "draining", "gone"] = "up"
    load: Annotated[int, Field(ge=0, le=255)]
    queue: Count
    workers: Annotated[int, Field(ge=1)]
    arrived: Count
    completed: Count
    failed: Count
    busy_us: Count
    cpu_us: Count
    beside_us: Count
    usual_cpu_us: Count

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.ipv4 is None and self.ipv6 is None:
            raise ValueError("an instance has an ipv4 or an ipv6 address")
        return self


class HeldResult(BaseModel):
    """A result that the site holds, by what it is the result of.

    Attributes:
        func_id: the function.
        data_in: content identifier of its input, in hexadecimal digits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    func_id: FuncId
    data_in: DataId


class HoldingsStatus(_Status):
    """What the data agent holds, most recently used first; nothing is the last that it says.

    Attributes:
        started_us: when the data agent started, µs since the Unix epoch.
        at_us: when this was so, µs of the host's monotonic clock.
        inputs: content identifiers, in hexadecimal digits.
        results: of pure functions.
    """

    started_us: Count
    at_us: Count
    inputs: Annotated[list[DataId], Field(max_length=MAX_HELD)]
    results: Annotated[list[HeldResult], Field(max_length=MAX_HELD)]


def decode_status(data: bytes) -> InstanceStatus | HoldingsStatus:
    """Read a datagram of either sort.

    Raises:
        ValueError: in one line, which field is wrong and why.
    """
    try:
        told: object = json.loads(data)
    except ValueError:
        told = None
    sort = HoldingsStatus if isinstance(told, dict) and "inputs" in told else InstanceStatus
    return sort.decode(data)
