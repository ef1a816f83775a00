"""Outputs of pure functions: kept under DataOut, bound to (FuncID, DataIn).

DataOut is derived from FuncID and DataIn (`cfn.names.data_out_id`) and says nothing of the output's bytes, so
a result is believed only from a function server of this site, and never passed to another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cfn.content.cache import DiskCache
from cfn.names import data_in_id, data_out_id

_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{32})-([0-9a-f]{32})")
"""FuncID, DataIn, and the identifier of the output's bytes, by which a damaged file shows."""


class ResultKey(NamedTuple):
    """What a result is the result of."""

    func_id: int
    data_in: bytes

    @property
    def data_out(self) -> bytes:
        """The identifier under which it is known."""
        return data_out_id(self.func_id, self.data_in)


class ResultStore:
    """Results on disk; see `DiskCache`."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Take a folder of its own over, for `limit` bytes of results."""
        self._names: dict[bytes, str] = {}
        self._cache = DiskCache(folder, limit, _NAME, self._gone)
        # Should there be two of one name, the one used last stays.
        for name in reversed(list(self._cache)):
            self._bind(name)

    def close(self) -> None:
        """Leave the folder to the next owner."""
        self._cache.close()

    def __iter__(self) -> Iterator[ResultKey]:
        """What results are held of, most recently used first."""
        return map(_key, self._cache)

    @property
    def limit(self) -> int:
        """Bytes of all results together at most."""
        return self._cache.limit

    @property
    def size(self) -> int:
        """Bytes of all results together."""
        return self._cache.size

    def find(self, data_out: bytes) -> Path | None:
        """The file that holds the result of that name, which counts as used now; None when it isn't held."""
        name = self._names.get(data_out)
        path = self._cache.use(name) if name else None
        if name and path and data_in_id(path.read_bytes()).hex() != name.rpartition("-")[2]:
            self._cache.drop(name)
            return None
        return path

    def get(self, key: ResultKey) -> bytes | None:
        """The output, None when it isn't held."""
        path = self.find(key.data_out)
        return path.read_bytes() if path else None

    def put(self, key: ResultKey, output: bytes) -> None:
        """Keep an output, in place of any that was known for the same.

        Raises:
            NoRoomError: it is larger than the whole store.
            OSError: the disk refuses it.
        """
        name = f"{key.func_id:016x}-{key.data_in.hex()}-{data_in_id(output).hex()}"
        with self._cache.arrival(name) as arrival:
            arrival.write(output)
            arrival.finish()
        self._bind(name)

    def _bind(self, name: str) -> None:
        data_out = _key(name).data_out
        before = self._names.get(data_out)
        if before and before != name:
            self._cache.drop(before)
        self._names[data_out] = name

    def _gone(self, name: str) -> None:
        self._names.pop(_key(name).data_out, None)


def _key(name: str) -> ResultKey:
    func_id, data_in, _ = name.split("-")
    return ResultKey(int(func_id, 16), bytes.fromhex(data_in))
