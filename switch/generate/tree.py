"""Walking a typed program."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any


def parts(value: Any) -> Iterator[Any]:
    """The direct parts of a dataclass or tuple."""
    if isinstance(value, tuple):
        yield from value  # pyright: ignore[reportUnknownVariableType]
    elif dataclasses.is_dataclass(value):
        yield from (getattr(value, field.name) for field in dataclasses.fields(value))


def walk(value: Any) -> Iterator[Any]:
    """The parts of a tree of dataclasses and tuples, `value` first."""
    yield value
    for part in parts(value):
        yield from walk(part)
