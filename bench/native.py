"""The C programs that send, forward and record frames: compiled for each run, in a second."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent / "native"
_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror")


class BuildError(Exception):
    """The C compiler is missing or refused a source."""


def build(program: str, directory: Path, extra: Sequence[Path] = ()) -> Path:
    """Compile native/PROGRAM.c with what it shares (and `extra` sources) and return the executable's path.

    Raises:
        BuildError: no compiler, or the compiler failed.
    """
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise BuildError("the benchmarks need a C compiler (cc) on PATH")
    target = directory / program
    sources = [SOURCES / f"{program}.c", SOURCES / "packet_socket.c", *extra]
    includes = [f"-I{folder}" for folder in sorted({str(path.parent) for path in extra})]
    command = [compiler, *_FLAGS, *includes, "-o", str(target), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{compiler} failed on {program}:\n{done.stderr}")
    return target
