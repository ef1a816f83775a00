"""Typed reading of a JSON tree; every failure names the path and the P4 source line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from switch.load.errors import LoadError, Source


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON value with the way to it and the nearest enclosing `source_info`."""

    value: Any
    path: str = ""
    source: Source | None = None

    def fail(self, code: int, detail: str) -> LoadError:
        """The error to raise about this value."""
        return LoadError(code, detail, self.path, self.source)

    def has(self, key: str) -> bool:
        """Whether this object has the attribute and it is not null."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def get(self, key: str) -> Node:
        """The attribute of an object.

        Raises:
            LoadError: it is missing, or this is no object.
        """
        if not isinstance(self.value, dict) or key not in self.value:
            raise self.fail(102, f"attribute {key!r} is missing")
        return self._child(self.value[key], f".{key}" if self.path else key)

    def at(self, index: int) -> Node:
        """The element of an array."""
        if not isinstance(self.value, list) or not index < len(self.value):
            raise self.fail(102, f"element {index} is missing")
        return self._child(self.value[index], f"[{index}]")

    def _child(self, value: Any, step: str) -> Node:
        return Node(value, self.path + step, _source(value) or self.source)

    def each(self) -> Iterator[Node]:
        """The elements of an array."""
        if not isinstance(self.value, list):
            raise self.fail(102, "an array is needed")
        for index in range(len(self.value)):
            yield self.at(index)

    def list_of(self, key: str) -> tuple[Node, ...]:
        """The elements of the array attribute `key`; none where it is absent or null."""
        return tuple(self.get(key).each()) if self.has(key) else ()

    def items(self) -> Iterator[tuple[str, Node]]:
        """The attributes of an object."""
        if not isinstance(self.value, dict):
            raise self.fail(102, "an object is needed")
        for key in self.value:
            yield str(key), self.get(str(key))

    def str(self) -> str:
        """This value as a string."""
        if not isinstance(self.value, str):
            raise self.fail(102, f"a string is needed, not {self.value!r:.60}")
        return self.value

    def opt_str(self) -> str | None:
        """This value as a string, or None for null."""
        return None if self.value is None else self.str()

    def int(self) -> int:
        """This value as an integer."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.fail(102, f"an integer is needed, not {self.value!r:.60}")
        return self.value

    def size(self) -> int:
        """This value as a count that is not negative and that memory can hold."""
        size = self.int()
        if not 0 <= size < 1 << 31:
            raise self.fail(105, f"{size} is no usable size")
        return size

    def bool(self) -> bool:
        """This value as a truth value."""
        if not isinstance(self.value, bool):
            raise self.fail(102, f"true or false is needed, not {self.value!r:.60}")
        return self.value

    def flag(self, key: str, default: bool = False) -> bool:
        """The truth attribute `key`, `default` where absent."""
        return self.get(key).bool() if self.has(key) else default

    def hex(self) -> int:
        """This value, a hexadecimal string that may have a minus sign, as an integer."""
        text = self.str()
        try:
            return int(text, 16)
        except ValueError:
            raise self.fail(102, f"{text!r} is no hexadecimal string") from None


def _source(value: Any) -> Source | None:
    info = value.get("source_info") if isinstance(value, dict) else None
    if not isinstance(info, dict):
        return None
    line, column = info.get("line"), info.get("column")
    return Source(
        str(info.get("filename", "")),
        line if isinstance(line, int) else 0,
        column if isinstance(column, int) else 0,
        str(info.get("source_fragment", "")),
    )
