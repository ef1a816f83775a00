"""How each benchmark runs as a command: what goes wrong is told in a line, not in a traceback."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import typer


class BenchError(Exception):
    """Something that the benchmark needs is missing or does not work; the text says what."""


def run(main: Callable[..., None]) -> None:
    """Run `main` with the options of its signature."""
    # finsy warns of what a target needn't have (gNMI); what goes wrong is raised anyway.
    logging.getLogger("finsy").setLevel(logging.ERROR)
    try:
        typer.run(main)
    except BenchError as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED)
        raise SystemExit(1) from None


@contextmanager
def signals_interrupt() -> Generator[None]:
    """End the block by KeyboardInterrupt on SIGTERM and SIGHUP, as Ctrl-C does: it is left in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
