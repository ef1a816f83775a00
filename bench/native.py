"""The C programs that send, forward and record frames: compiled for each run, in a second."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.command import BenchError

SOURCES = Path(__file__).parent / "native"
PROGRAMS = {
    "bare": ("bare.c", "packet_socket.c"),
    "blast": ("blast.c", "packet_socket.c", "xdp_source.c"),
    "pace": ("pace.c", "packet_socket.c"),
    "record": ("record.c", "packet_socket.c"),
}
"""Sources of each program."""
_FLAGS = ("-std=c11", "-O3", "-Wall", "-Wextra", "-Werror")


class BuildError(BenchError):
    """The C compiler is missing or refused a source."""


def build(program: str, directory: Path) -> Path:
    """Compile one of PROGRAMS into `directory` and return the executable's path.

    Raises:
        BuildError: no compiler, or the compiler failed.
    """
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise BuildError("the benchmarks need a C compiler (cc) on PATH")
    target = directory / program
    sources = [str(SOURCES / source) for source in PROGRAMS[program]]
    command = [compiler, *_FLAGS, "-o", str(target), *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{compiler} failed on {program}:\n{done.stderr}")
    return target
