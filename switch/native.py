"""The shared object of a program, called through cffi (ABI mode: only the program itself is compiled)."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import cffi

from switch.api import ExistsError
from switch.build import RUNTIME

NO_PORT = 0xFFFFFFFF
ACTION_MEMBER = 0xFFFFFFFE
ACTION_GROUP = 0xFFFFFFFF

_WORD = 8


ffi: Any = cffi.FFI()
for _header in ("api.h", "trace_kind.h"):
    ffi.cdef((RUNTIME / _header).read_text())


def open_library(path: Path) -> Any:
    """The functions of `api.h` in a built program."""
    return ffi.dlopen(str(path))


def words(value: int, count: int) -> Any:
    """An integer as `count` 64-bit words, low word first, for C to read; at least one word."""
    return ffi.from_buffer("uint64_t[]", value.to_bytes(_WORD * max(count, 1), "little"))


def check(result: int, what: str) -> int:
    """A C function's result, its errors as exceptions.

    Raises:
        OverflowError: no room (the declared size is used up).
        KeyError: there is no such handle.
        IndexError: an index is out of bounds.
        ExistsError: what is to be added is there already.
        ValueError: the call does not fit the state (in use, refers to nothing).
        OSError: anything else.
    """
    if result >= 0:
        return result
    code = -result
    match code:
        case errno.ENOSPC | errno.E2BIG:
            raise OverflowError(f"{what}: full")
        case errno.ENOENT:
            raise KeyError(what)
        case errno.ERANGE:
            raise IndexError(f"{what}: index out of bounds")
        case errno.EEXIST:
            raise ExistsError(f"{what}: exists already")
        case errno.EBUSY:
            raise ValueError(f"{what}: still in use")
        case errno.EINVAL:
            raise ValueError(f"{what}: refers to something that does not exist")
        case errno.ENOTSUP:
            raise ValueError(f"{what}: the table does not support timeouts")
        case _:
            raise OSError(code, f"{what}: {os.strerror(code)}")
