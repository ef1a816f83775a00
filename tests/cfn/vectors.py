"""The test vectors of docs/wire-format.md: blocks marked `yaml vector`, `cookie`, `auth` or `malformed`."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cfn.extension_bodies import Auth, Chain, ChainFunction, Trace, TraceRecord
from cfn.extensions import AnyExtension, Extension
from cfn.wire import ComputeType, Demand, Header, Kind, NackCode, Packet, ProbeStatus, Report, Status

DOCUMENT = Path(__file__).parents[2] / "docs" / "wire-format.md"


def load(sort: str) -> list[dict[str, Any]]:
    blocks = re.findall(rf"^```yaml {sort}\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    return [YAML(typ="safe").load(block) for block in blocks]


def data(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"])


def packet(vector: dict[str, Any]) -> Packet:
    """The packet that the vector's fields describe."""
    extensions = tuple(_extension(fields) for fields in vector.get("extensions", ()))
    return Packet(header(vector), bytes.fromhex(vector.get("payload", "")), extensions)


def header(vector: dict[str, Any]) -> Header:
    """The base header that the vector's fields describe; a request without a kind."""
    kind = Kind[vector.get("kind", "REQUEST")]
    numbers = ("tenant", "request_id", "flags", "hops", "priority", "timestamp", "affinity", "func_id")
    return Header(
        kind=kind,
        **{name: vector.get(name, 0) for name in numbers},
        **{name: bytes.fromhex(vector.get(name, "00" * 16)) for name in ("data_in", "data_out")},
        demand=_demand(vector.get("demand")),
        report=_report(kind, vector.get("report")),
    )


def _extension(fields: dict[str, Any]) -> AnyExtension:
    match fields:
        case {"auth": body}:
            return Auth(**body)
        case {"chain": body}:
            functions = body["functions"]
            return Chain(
                tuple(ChainFunction(each["func_id"], bytes.fromhex(each["data_out"])) for each in functions),
                body["done"],
            )
        case {"trace": body}:
            return Trace(**body | {"records": tuple(TraceRecord(**each) for each in body["records"])})
        case _:
            return Extension(fields["type"], bytes.fromhex(fields["body"]))


def _demand(fields: dict[str, Any] | None) -> Demand:
    return Demand(**{**fields, "type": ComputeType[fields["type"]]}) if fields else Demand()


def _report(kind: Kind, fields: dict[str, Any] | None) -> Report:
    if not fields:
        return Report()
    names = {Kind.RESPONSE: Status, Kind.NACK: NackCode, Kind.PROBE: ProbeStatus}.get(kind)
    status = names[fields["status"]] if names else fields["status"]
    return Report(status, fields["load"], fields["queue"])
