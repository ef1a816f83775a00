"""Files by name in one folder, bounded in bytes together; what was not used for longest goes first.

A file is written beside and renamed, so that under its name it is always whole. The order of use is kept in
the files' modification times and so survives a restart. One process owns a folder; others may read its files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from cfn.content.errors import NoRoomError

_LOCK = ".lock"
_ARRIVING = ".arriving-"


class DiskCache:
    """The files of a folder whose names match a pattern; owns the folder until it is closed.

    Files that are arriving count as soon as they have bytes: the folder never holds more than `limit`.
    """

    def __init__(
        self,
        folder: Path,
        limit: int,
        pattern: re.Pattern[str],
        gone: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the folder over, with what an earlier run left in it.

        Args:
            folder: made if it isn't there; files in it with other names are left alone.
            limit: bytes that all files together may have.
            pattern: what a name looks like.
            gone: told of each name whose file is dropped.

        Raises:
            OSError: the folder can't be used; says why.
        """
        self._folder = folder
        self._limit = limit
        self._gone = gone
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._size = 0
        self._arrivals = 0
        self._last_use_ns = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        self._scan(pattern)
        self._make_room(0)

    def close(self) -> None:
        """Leave the folder to the next owner."""
        os.close(self._lock)

    def __contains__(self, name: str) -> bool:
        return name in self._sizes

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[str]:
        """The names, most recently used first."""
        return reversed(self._sizes)

    @property
    def limit(self) -> int:
        """Bytes that all files together may have."""
        return self._limit

    @property
    def size(self) -> int:
        """Bytes of all files, and of those that are arriving."""
        return self._size

    def size_of(self, name: str) -> int:
        """Bytes of one file.

        Raises:
            KeyError: there is none of this name.
        """
        return self._sizes[name]

    def use(self, name: str) -> Path | None:
        """The file of that name, which counts as used now; None when there is none."""
        if name not in self._sizes:
            return None
        path = self._folder / name
        # Two uses within one tick of the clock have an order, too.
        self._last_use_ns = max(self._last_use_ns + 1, time.time_ns())
        try:
            os.utime(path, ns=(self._last_use_ns, self._last_use_ns))
        except FileNotFoundError:
            self._forget(name)
            return None
        self._sizes.move_to_end(name)
        return path

    def arrival(self, name: str) -> Arrival:
        """Begin to write the file of that name."""
        self._arrivals += 1
        return Arrival(self, name, self._folder / f"{_ARRIVING}{self._arrivals}")

    def drop(self, name: str) -> None:
        """Remove the file of that name, if there is one."""
        if name in self._sizes:
            (self._folder / name).unlink(missing_ok=True)
            self._forget(name)

    def grow(self, written: int, more: int) -> None:
        """An arriving file of `written` bytes is to have `more`: make room for them.

        Raises:
            NoRoomError: there is none, even if everything else goes.
        """
        if written + more > self._limit:
            raise NoRoomError(f"more than the {self._limit} bytes that the cache has")
        self._make_room(more)
        self._size += more

    def arrived(self, name: str, path: Path, size: int) -> None:
        """An arriving file is whole: from now on it has its name."""
        path.replace(self._folder / name)
        self._size -= self._sizes.get(name, 0)
        self._sizes[name] = size
        self.use(name)

    def shrink(self, size: int) -> None:
        """An arriving file of that size was given up."""
        self._size -= size

    def _make_room(self, more: int) -> None:
        while self._size + more > self._limit:
            if not self._sizes:
                raise NoRoomError(f"what arrives would take more than the cache's {self._limit} bytes")
            self.drop(next(iter(self._sizes)))

    def _forget(self, name: str) -> None:
        self._size -= self._sizes.pop(name)
        self._gone(name)

    def _scan(self, pattern: re.Pattern[str]) -> None:
        found: list[tuple[int, str, int]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(_ARRIVING):
                    os.unlink(entry.path)
                elif pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    found.append((stat.st_mtime_ns, entry.name, stat.st_size))
        self._sizes.update((name, size) for _, name, size in sorted(found))
        self._size = sum(self._sizes.values())


class Arrival:
    """A file that is being written; leaving its `with` block before `finish` removes it."""

    def __init__(self, cache: DiskCache, name: str, path: Path) -> None:
        self.size = 0
        self._cache = cache
        self._name = name
        self._path = path
        self._file = path.open("xb", buffering=0)

    def __enter__(self) -> Arrival:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._file.closed:
            self._file.close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            self._cache.shrink(self.size)

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            NoRoomError: more than the cache has room for.
            OSError: the disk refuses them.
        """
        self._cache.grow(self.size, len(chunk))
        self.size += len(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]

    def finish(self) -> None:
        """The file is whole: give it its name."""
        self._cache.arrived(self._name, self._path, self.size)
        self._file.close()


def _lock(folder: Path) -> int:
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise OSError(error.errno, f"{folder} is in use by another data agent") from None
    return lock
