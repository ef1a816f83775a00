"""What becomes of packets, by number and name, as the compiled program's P4Info has them."""

from __future__ import annotations

from finsy.proto import p4i
from google.protobuf import text_format

from p4src import P4INFO


def names() -> dict[int, str]:
    """The members of the program's enum `Outcome`."""
    info = text_format.Parse(P4INFO.read_text(), p4i.P4Info())
    members = info.type_info.serializable_enums["Outcome"].members
    return {int.from_bytes(member.value): member.name for member in members}
