"""Inputs by content identifier: bytes that are not what they are called never get in."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from cfn.content.cache import Arrival, DiskCache
from cfn.content.errors import MismatchError, TooBigError
from cfn.names import DATA_ID_LENGTH

_NAME = re.compile(rf"[0-9a-f]{{{2 * DATA_ID_LENGTH}}}")


class ContentStore:
    """Content on disk, in files named by its identifier in hexadecimal digits."""

    def __init__(self, folder: Path, limit: int, largest: int) -> None:
        """Take a folder over; see `DiskCache`.

        Args:
            folder: of its own.
            limit: bytes of all content together.
            largest: bytes that one item may have.
        """
        self._largest = largest
        self._unproven: set[str] = set()
        self._cache = DiskCache(folder, limit, _NAME, self._unproven.discard)
        # A power cut may have left what an earlier run wrote with other bytes than it had.
        self._unproven.update(self._cache)

    def close(self) -> None:
        """Leave the folder to the next owner."""
        self._cache.close()

    def __iter__(self) -> Iterator[bytes]:
        """The identifiers, most recently used first."""
        return map(bytes.fromhex, self._cache)

    @property
    def limit(self) -> int:
        """Bytes of all content together at most."""
        return self._cache.limit

    @property
    def size(self) -> int:
        """Bytes of all content together."""
        return self._cache.size

    def size_of(self, data_id: bytes) -> int:
        """Bytes of one item; KeyError when it isn't held."""
        return self._cache.size_of(data_id.hex())

    def use(self, data_id: bytes) -> bool:
        """Whether the content is held; it then counts as used now."""
        return self._cache.use(data_id.hex()) is not None

    async def find(self, data_id: bytes) -> Path | None:
        """The file that holds the content, which counts as used now; None when it isn't held."""
        name = data_id.hex()
        path = self._cache.use(name)
        if path and name in self._unproven:
            proven = await asyncio.to_thread(_holds, path, data_id)
            self._unproven.discard(name)
            if not proven:
                self._cache.drop(name)
                return None
        return path

    def arrival(self, data_id: bytes) -> ContentArrival:
        """Begin to take content; see `ContentArrival`."""
        return ContentArrival(self._cache.arrival(data_id.hex()), data_id, self._largest)


class ContentArrival:
    """Content that arrives piece by piece, in a `with` block; only what is whole and right stays."""

    def __init__(self, arrival: Arrival, data_id: bytes, largest: int) -> None:
        self._arrival = arrival
        self._data_id = data_id
        self._largest = largest
        self._digest = hashlib.sha256()

    def __enter__(self) -> ContentArrival:
        return self

    def __exit__(self, *error: object) -> None:
        self._arrival.__exit__(*error)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooBigError: the item has more than `largest`.
            NoRoomError: the cache has no room for it.
            OSError: the disk refuses them.
        """
        if self._arrival.size + len(chunk) > self._largest:
            raise TooBigError(f"more than {self._largest} bytes")
        self._arrival.write(chunk)
        self._digest.update(chunk)

    def finish(self) -> None:
        """That was all.

        Raises:
            MismatchError: it is not what the identifier names.
        """
        found = self._digest.digest()[:DATA_ID_LENGTH]
        if found != self._data_id:
            raise MismatchError(f"{self._arrival.size} bytes that are {found.hex()}")
        self._arrival.finish()


def _holds(path: Path, data_id: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()[:DATA_ID_LENGTH] == data_id
    except FileNotFoundError:
        return False
