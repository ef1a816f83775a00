"""Why a program is refused: a numbered error that names the construct and where it comes from.

The numbers are stable: scripts may match on them. `CATALOGUE` lists them all, and so does docs/switch.md.
"""

from __future__ import annotations

from dataclasses import dataclass

CATALOGUE = {
    101: "not JSON",
    102: "missing or mistyped attribute",
    103: "unsupported format version",
    104: "reference to an unknown object",
    105: "inconsistent widths or sizes",
    201: "unsupported primitive",
    202: "unsupported expression",
    203: "unsupported parser operation",
    204: "unsupported match kind",
    205: "unsupported hash algorithm",
    206: "unsupported extern type",
    207: "unsupported header layout",
    208: "missing part of the v1model architecture",
}
"""Number to meaning: 1xx the file is malformed, 2xx it asks for something this switch does not do."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where in the P4 source a construct was written (`source_info` of the JSON)."""

    file: str
    line: int
    column: int
    fragment: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class LoadError(ValueError):
    """The program cannot be run as it is.

    Attributes:
        code: a key of `CATALOGUE`.
        detail: what exactly, naming the construct.
        path: place in the JSON, for example `pipelines[0].tables[3].key`.
        source: place in the P4 source, where the compiler recorded one.
    """

    def __init__(self, code: int, detail: str, path: str = "", source: Source | None = None) -> None:
        self.code = code
        self.detail = detail
        self.path = path
        self.source = source
        at = f" at {source}" if source else ""
        where = f" ({path})" if path else ""
        super().__init__(f"SW{code} {CATALOGUE[code]}: {detail}{at}{where}")
