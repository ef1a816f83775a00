"""Small P4 programs that are measured, each with what p4c made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Program:
    """A program of this folder."""

    name: str

    @property
    def source(self) -> Path:
        """P4."""
        return FOLDER / f"{self.name}.p4"

    @property
    def json(self) -> Path:
        """BMv2 JSON."""
        return FOLDER / f"{self.name}.json"

    @property
    def p4info(self) -> Path:
        """P4Info as text."""
        return FOLDER / f"{self.name}.p4info.txtpb"


BASIC_ROUTING = Program("basic_routing")
CHOOSE = Program("choose")
EXACT = Program("exact")
