"""The C programs that send, forward and record frames, and the hand-written peer: compiled for each run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cffi

from bench.command import BenchError

SOURCES = Path(__file__).parent / "native"
PROGRAMS = {
    "bare": ("bare.c", "packet_socket.c"),
    "blast": ("blast.c", "packet_socket.c", "xdp_source.c"),
    "pace": ("pace.c", "packet_socket.c"),
    "record": ("record.c", "packet_socket.c"),
}
"""Sources of each program."""
_FLAGS = ("-std=c11", "-O3", "-march=native", "-Wall", "-Wextra", "-Werror")


class BuildError(BenchError):
    """The C compiler is missing or refused a source."""


def build(program: str, directory: Path) -> Path:
    """Compile one of PROGRAMS into `directory` and return the executable's path.

    Raises:
        BuildError: no compiler, or the compiler failed.
    """
    target = directory / program
    _compile(PROGRAMS[program], target)
    return target


def load(library: str, directory: Path) -> tuple[Any, Any]:
    """Compile LIBRARY.c into `directory` and return cffi's view of what LIBRARY.h declares: (ffi, functions).

    Raises:
        BuildError: no compiler, or the compiler failed.
    """
    target = directory / f"{library}.so"
    _compile((f"{library}.c",), target, ("-fPIC", "-shared"))
    ffi: Any = cffi.FFI()
    ffi.cdef((SOURCES / f"{library}.h").read_text())
    return ffi, ffi.dlopen(str(target))


def _compile(sources: Sequence[str], target: Path, flags: Sequence[str] = ()) -> None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise BuildError("the benchmarks need a C compiler (cc) on PATH")
    paths = [str(SOURCES / source) for source in sources]
    command = [compiler, *_FLAGS, *flags, "-o", str(target), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{compiler} failed on {target.name}:\n{done.stderr}")
