"""A log of how to take back what was done, so that a failed update or batch leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager


class UndoLog:
    """Inverse steps, last one first."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def add(self, step: Callable[[], object]) -> None:
        """Remember how to undo what was just done."""
        self._steps.append(step)

    def mark(self) -> int:
        """A point to rewind to."""
        return len(self._steps)

    def forget(self) -> None:
        """What was done stays."""
        self._steps.clear()

    def rewind(self, mark: int = 0) -> None:
        """Undo everything done since `mark`."""
        while len(self._steps) > mark:
            self._steps.pop()()

    @contextmanager
    def all_or_nothing(self) -> Generator[None]:
        """Undo what the block did if it fails."""
        mark = self.mark()
        try:
            yield
        except BaseException:
            self.rewind(mark)
            raise
