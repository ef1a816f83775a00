"""What a P4Runtime server needs of the switch around a pipeline."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ..api import Pipeline

P = TypeVar("P", bound=Pipeline)


class Device(Protocol[P]):
    """Ports, and the one program that runs on them. Calls may take seconds and come from any one thread."""

    def build(self, program: bytes) -> P:
        """Make a pipeline of BMv2 JSON. It can be written to at once; packets see it after `run`.

        Raises:
            ValueError: the program cannot be realised; the message says why.
        """
        ...

    def run(self, pipeline: P) -> None:
        """Let packets through a pipeline, in place of the one that ran before, which ends.

        Raises:
            OSError: the ports refuse it; the one that ran before runs on.
        """
        ...

    def discard(self, pipeline: P) -> None:
        """Free a pipeline that never ran."""
        ...
