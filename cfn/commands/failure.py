"""How a command says that it failed: one line, and an exit code."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

FAILED = 1
"""Exit code of a command that was understood but could not do it; what is wrongly written exits with 2."""


def fail(reason: object) -> NoReturn:
    """Print one line on standard error and exit with `FAILED`."""
    print(f"cfn: {reason}", file=sys.stderr)
    raise typer.Exit(FAILED)
