"""The event log: one JSON object a line, for people to follow and for programs to read."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from typing import Any, TextIO

KEPT = 100


class EventLog:
    """Writes events and keeps the last ones for the status."""

    def __init__(self, out: TextIO | None = None):
        """Write to `out`, or nowhere."""
        self._out = out
        self.last: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def __call__(self, event: str, **fields: Any) -> None:
        """Tell an event with its fields; `time` is in seconds since the Unix epoch."""
        told = {"time": round(time.time(), 6), "event": event, **fields}
        self.last.append(told)
        if self._out is not None:
            print(json.dumps(told, ensure_ascii=False, default=str), file=self._out, flush=True)


class LogEvents(logging.Handler):
    """Tells what a library logs as events, with the error it was about instead of a traceback."""

    def __init__(self, events: EventLog, level: int):
        super().__init__(level)
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record."""
        error = record.exc_info[1] if record.exc_info else None
        self._events(record.name, message=record.getMessage(), error=error and str(error))
