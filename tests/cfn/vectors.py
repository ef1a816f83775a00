"""The test vectors of docs/wire-format.md: blocks marked `yaml vector`, `yaml cookie`, `yaml malformed`."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cfn.extensions import Extension
from cfn.wire import ComputeType, Demand, Header, Kind, NackCode, Packet, Report, Status

DOCUMENT = Path(__file__).parents[2] / "docs" / "wire-format.md"


def load(sort: str) -> list[dict[str, Any]]:
    blocks = re.findall(rf"^```yaml {sort}\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    return [YAML(typ="safe").load(block) for block in blocks]


def data(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"])


def packet(vector: dict[str, Any]) -> Packet:
    """The packet that the vector's fields describe."""
    kind = Kind[vector["kind"]]
    numbers = ("tenant", "request_id", "flags", "hops", "priority", "timestamp", "affinity", "func_id")
    header = Header(
        kind=kind,
        **{name: vector.get(name, 0) for name in numbers},
        **{name: bytes.fromhex(vector.get(name, "00" * 16)) for name in ("data_in", "data_out")},
        demand=_demand(vector.get("demand")),
        report=_report(kind, vector.get("report")),
    )
    extensions = tuple(Extension(e["type"], bytes.fromhex(e["body"])) for e in vector.get("extensions", ()))
    return Packet(header, bytes.fromhex(vector.get("payload", "")), extensions)


def _demand(fields: dict[str, Any] | None) -> Demand:
    return Demand(**{**fields, "type": ComputeType[fields["type"]]}) if fields else Demand()


def _report(kind: Kind, fields: dict[str, Any] | None) -> Report:
    if not fields:
        return Report()
    names = {Kind.RESPONSE: Status, Kind.NACK: NackCode}.get(kind)
    status = names[fields["status"]] if names else fields["status"]
    return Report(status, fields["load"], fields["queue"])
