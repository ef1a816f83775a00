"""What every part of the state works on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from .. import api
from .codec import ActionCodec
from .p4info import Schema


class Context:
    """One pipeline, and the P4Info by which clients speak of it."""

    def __init__(self, schema: Schema, pipeline: api.Pipeline):
        self.schema = schema
        self.pipeline = pipeline
        self.actions = ActionCodec(schema)
        self._depth = 0

    @contextmanager
    def instant(self) -> Generator[None]:
        """Make what the block does one change for packets, also inside another such block."""
        if self._depth:
            yield
            return
        self._depth += 1
        try:
            with self.pipeline.batch():
                yield
        finally:
            self._depth -= 1
