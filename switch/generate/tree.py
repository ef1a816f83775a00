"""Walking a typed program."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any


def parts(value: Any) -> Iterator[Any]:
    """The direct parts of a dataclass or tuple."""
    if isinstance(value, tuple):
        yield from value  # pyright: ignore[reportUnknownVariableType]
    else:
        for name in _fields(type(value)):
            yield getattr(value, name)


@cache
def _fields(type_: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(type_)) if dataclasses.is_dataclass(type_) else ()


def walk(value: Any) -> Iterator[Any]:
    """The parts of a tree of dataclasses and tuples, `value` first."""
    yield value
    for part in parts(value):
        yield from walk(part)
