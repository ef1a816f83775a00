"""Field types of the operator's YAML files: strict numbers, names, and typed addresses."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, Strict

from cfn.names import func_prefix

_A = TypeVar("_A", IPv4Address, IPv6Address)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_KEY = re.compile(r"[0-9A-Fa-f]{16}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_ADDRESS_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})")


class Model(BaseModel):
    """Base of all models read from a file: frozen, unknown fields refused, no NaN and no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def as_text(value: Any) -> Any:
    """Refuse numbers where a file has to have text: pydantic would take 1 for the address 0.0.0.1."""
    if isinstance(value, int | float | bytes):
        raise ValueError(f"must be text, not the {type(value).__name__} {value!r}")  # noqa: TRY004
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name: a letter, then at most 31 letters, digits, '_' or '-'")
    return value


def _mac(value: str) -> str:
    mac = value.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise ValueError("must be a MAC address such as 02:00:00:00:01:00")
    if int(mac[:2], 16) & 1:
        raise ValueError("must be a unicast MAC address (lowest bit of the first byte 0)")
    if mac == "00:00:00:00:00:00":
        raise ValueError("must not be the all-zero MAC address")
    return mac


def _host_address(address: _A) -> _A:
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        raise ValueError("must be an address of a host (not multicast, unspecified or loopback)")
    return address


def _grpc_target(value: str) -> str:
    if value.startswith("unix:") and len(value) > len("unix:"):
        return value
    match = _ADDRESS_AND_PORT.fullmatch(value)
    if not match or not 0 < int(match[2]) < 65536:
        raise ValueError("must be HOST:PORT (with a port in 1..65535), [IPv6]:PORT or unix:PATH")
    return value


def hex_key(value: SecretStr) -> SecretStr:
    """Check that a secret is a key of 64 bits, without telling it."""
    if not _KEY.fullmatch(value.get_secret_value()):
        raise ValueError("must be a key of 16 hexadecimal digits, as text")
    return value


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$"})]
"""Name of a router, host, site, tenant or class."""

Mac = Annotated[str, BeforeValidator(as_text), AfterValidator(_mac)]
"""Unicast MAC address, normalised to lower case with colons."""

IPv4 = Annotated[IPv4Address, BeforeValidator(as_text), AfterValidator(_host_address)]
IPv6 = Annotated[IPv6Address, BeforeValidator(as_text), AfterValidator(_host_address)]

GrpcTarget = Annotated[str, AfterValidator(_grpc_target)]
"""Where a gRPC server listens."""

Port = Annotated[int, Strict(), Field(ge=1, le=510)]
"""Switch port; v1model ports are 9 bits wide, 511 is the drop port and 0 is not used."""

Id14 = Annotated[int, Strict(), Field(ge=1, le=2**14 - 1)]
Id16 = Annotated[int, Strict(), Field(ge=1, le=2**16 - 1)]
Id8 = Annotated[int, Strict(), Field(ge=1, le=255)]
Grade = Annotated[int, Strict(), Field(ge=1, le=4)]
"""Grade of computing power, 1 (least) to 4, as the demand field of a request has it (docs/wire-format.md)."""

Lead = Annotated[int, Strict(), Field(ge=0, le=254)]
"""Difference of two loads, which are 0 to 255; 255 itself tells a router to draw once."""

DeviceId = Annotated[int, Strict(), Field(ge=1, le=2**64 - 1)]

Milliseconds = Annotated[float, Strict(), Field(ge=0, le=60_000)]
Cost = Annotated[float, Strict(), Field(ge=0, le=1e9)]
"""Amount of money a request, in a unit that is the operator's own and the same everywhere."""

Amount = Annotated[float, Strict(), Field(ge=0, le=1e12)]

Mtu = Annotated[int, Strict(), Field(ge=1280, le=65_535)]
"""Longest IP packet, in bytes; 1,280 is the least that IPv6 works over (RFC 8200, section 5)."""

WarmUp = Annotated[float, Strict(), Field(ge=0, le=60)]
"""Seconds; for how long an instance has been known is told up to a minute (`policy.candidate.LONG_S`)."""
Part = Annotated[float, Strict(), Field(ge=0, le=1)]
Probability = Annotated[float, Strict(), Field(ge=0, le=1)]
Mbps = Annotated[float, Strict(), Field(gt=0, le=1e6)]


def _ordered(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError(f"must be [lowest, highest], not {list(value)}")
    return value


def _service_name(value: str) -> str:
    func_prefix(value)
    return value


_Int8 = Annotated[int, Strict(), Field(ge=1, le=2**8 - 1)]
_Int16 = Annotated[int, Strict(), Field(ge=1, le=2**16 - 1)]
Range8 = Annotated[tuple[_Int8, _Int8], AfterValidator(_ordered)]
Range16 = Annotated[tuple[_Int16, _Int16], AfterValidator(_ordered)]
"""Lowest and highest value, both inclusive; 0 stands for "no bound" in a demand and is never in a range."""

ServiceName = Annotated[str, AfterValidator(_service_name)]
"""`namespace/function`, `namespace/*` or a FuncID as 0x…"""
