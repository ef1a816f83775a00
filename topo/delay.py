"""The lab's own delay line: a small C program between two routers where the kernel has no netem."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "delayline"
_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror")


class BuildError(Exception):
    """The C compiler is missing or refused the delay line's source."""


@dataclass(frozen=True)
class LinkCounters:
    """What happened to the frames of one direction of a wire; `errors` could not be read or sent."""

    source: str
    sink: str
    received: int
    sent: int
    lost: int
    overflow: int
    errors: int
    queued: int


def build() -> Path:
    """Compile the delay line, or take it from the cache, and return the program's path.

    Raises:
        BuildError: no compiler, or the compiler failed.
    """
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise BuildError("the delay line needs a C compiler (cc) on PATH, or a kernel with netem")
    sources = sorted(SOURCES.glob("*.c"))
    digest = hashlib.sha256(" ".join((compiler, *_FLAGS)).encode())
    for path in sorted((*sources, *SOURCES.glob("*.h"))):
        digest.update(path.read_bytes())
    program = _cache_dir() / f"delayline-{digest.hexdigest()[:16]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent) as directory:
            fresh = Path(directory) / "delayline"
            command = [compiler, *_FLAGS, "-o", str(fresh), *map(str, sources)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BuildError(f"{compiler} failed on the delay line:\n{done.stderr}")
            fresh.rename(program)
    return program


def statistics(stats_socket: Path) -> list[LinkCounters]:
    """Ask the delay line that listens at `stats_socket` for the counters of all its links.

    Raises:
        OSError: no delay line listens there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(stats_socket))
        text = b"".join(iter(lambda: connection.recv(65536), b""))
    rows = json.loads(text)
    return [LinkCounters(row.pop("from"), row.pop("to"), **row) for row in rows]


def _cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cfn" / "topo"
