"""A log of how to take back what was done, so that a failed update or batch leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVarTuple

Arguments = TypeVarTuple("Arguments")


class UndoLog:
    """Inverse steps, last one first.

    With `each`, updates that succeeded are never undone: one that is a single step needs no inverse.
    """

    def __init__(self, *, each: bool) -> None:
        self.each = each
        self._steps: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    def add(self, step: Callable[[*Arguments], object], *arguments: *Arguments) -> None:
        """Remember how to undo what was just done: by this call."""
        self._steps.append((step, arguments))

    def mark(self) -> int:
        """A point to rewind to."""
        return len(self._steps)

    def forget(self) -> None:
        """What was done stays."""
        self._steps.clear()

    def rewind(self, mark: int = 0) -> None:
        """Undo everything done since `mark`."""
        while len(self._steps) > mark:
            step, args = self._steps.pop()
            step(*args)

    @contextmanager
    def all_or_nothing(self) -> Generator[None]:
        """Undo what the block did if it fails."""
        mark = self.mark()
        try:
            yield
        except BaseException:
            self.rewind(mark)
            raise
