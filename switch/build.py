"""Build: generated C and the runtime to a shared object, kept by digest in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

RUNTIME = Path(__file__).parent / "runtime"
FLAGS = (
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-O3",
    "-march=native",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fno-strict-aliasing",
)
TRACING = (*FLAGS, "-O1", "-DTRACING")
"""Flags of the program that explains (runtime/trace.h): it runs few packets, so it is built in a hurry."""

COUNTING = (*FLAGS, "-DTABLE_STATS")
"""Flags of a program that counts each table's hits and misses."""

# -Wno: the runtime's inline functions that a program does not use, and labels of states that it never enters.
WARNINGS = ("-Wall", "-Wno-unused")
TIMEOUT_S = 600
SCRATCH = "build-"


class BuildError(RuntimeError):
    """The C compiler is missing or did not accept the program; the message has what it said."""


def compiler() -> list[str]:
    """The C compiler's command: $CC, or cc."""
    return shlex.split(os.environ.get("CC", "cc"))


def extra_flags() -> tuple[str, ...]:
    """What the user adds to the compiler's flags: $CFLAGS, for example `-fsanitize=address,undefined -g`."""
    return tuple(shlex.split(os.environ.get("CFLAGS", "")))


def cache_directory() -> Path:
    """Where shared objects are kept: $XDG_CACHE_HOME/cfn-switch, by default under ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "cfn-switch"


def build(source: str, flags: tuple[str, ...] = FLAGS, like: tuple[str, ...] | None = None) -> Path:
    """The shared object of a generated program, compiled unless the cache has it.

    Several processes may build the same program at once: each compiles to a file of its own, and the last
    rename wins. One that works on the state of another program says with `like` what flags that one had.

    Raises:
        BuildError: the compiler failed.
    """
    command = compiler()
    flags += extra_flags()
    runtime = _runtime_digest(command, flags)
    structures = runtime if like is None else _runtime_digest(command, like + extra_flags())
    digest = _digest(runtime.hex(), structures.hex(), source)[:16].hex()
    directory = cache_directory()
    target = directory / f"{digest}.so"
    if target.exists():
        return target
    directory.mkdir(parents=True, exist_ok=True)
    with _building(directory) as lock, tempfile.TemporaryDirectory(dir=directory, prefix=SCRATCH) as scratch:
        program = Path(scratch) / "program.c"
        program.write_text(source)
        output = Path(scratch) / "program.so"
        units = [str(program), *sorted(str(path) for path in RUNTIME.glob("*.c"))]
        define = f"-DRUNTIME_DIGEST=0x{structures[:8].hex()}ull"
        _run([*command, *flags, *WARNINGS, define, f"-I{RUNTIME}", "-o", str(output), *units], lock)
        output.replace(target)
    return target


@contextlib.contextmanager
def _building(directory: Path) -> Generator[int]:
    """Hold the cache while something is built there; what killed builds left goes first, if no other runs.

    The compiler inherits the lock: it may outlive a process that is killed.
    """
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in directory.glob(f"{SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
        fcntl.flock(place, fcntl.LOCK_SH)
        yield place
    finally:
        os.close(place)


def _runtime_digest(command: list[str], flags: tuple[str, ...]) -> bytes:
    """Of all that a shared object is made of but the program: equal digests, equal structures."""
    sources = [path.name + "\0" + path.read_text() for path in sorted(RUNTIME.glob("*.[ch]"))]
    return _digest(_version(command), " ".join(flags), _machine(flags), *sources)


def _digest(*parts: str) -> bytes:
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "big") + part.encode())
    return state.digest()


def _version(command: list[str]) -> str:
    return _run([*command, "--version"]).partition("\n")[0]


def _machine(flags: tuple[str, ...]) -> str:
    """With -march=native the processor is part of the input: a cache may be shared between machines."""
    if "-march=native" not in flags:
        return ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return os.uname().machine


def _run(command: list[str], *inherited: int) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, pass_fds=inherited
        )
    except FileNotFoundError as error:
        raise BuildError(f"there is no C compiler {command[0]!r}: install one or set CC") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{command[0]} took longer than {TIMEOUT_S} s") from error
    if done.returncode:
        raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr}")
    return done.stdout
