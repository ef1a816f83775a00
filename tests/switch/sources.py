"""P4 sources for the differential test: compiled by p4c, and made smaller by statements."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

COMPILE_TIMEOUT_S = 120
REDUCE_TRIES = 40  # programs compiled and run to make one smaller
_STATEMENT = re.compile(r"^ {8}.*;\n$")


def compiled(text: str, p4c: str) -> tuple[bytes, str]:
    """What p4c makes of a program; nothing, and what it said, if it refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "program.p4", Path(folder) / "program.json"
        path.write_text(text)
        command = [p4c, "--std", "p4-16", "-o", str(output), str(path)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=COMPILE_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return b"", f"{p4c} did not end within {COMPILE_TIMEOUT_S} s"
        program = output.read_bytes() if done.returncode == 0 and output.exists() else b""
        return program, done.stderr.decode(errors="replace")


def smaller(text: str, shows: Callable[[str], bool]) -> str:
    """The program with as few statements as still show something."""
    tries = REDUCE_TRIES
    lines = text.splitlines(keepends=True)
    numbers = [n for n, line in enumerate(lines) if _STATEMENT.match(line)]
    size = len(numbers) // 2
    while size and tries:
        at = 0
        while at < len(numbers) and tries:
            without = set(numbers[at : at + size])
            rest = [line for n, line in enumerate(lines) if n not in without]
            tries -= 1
            if shows("".join(rest)):
                lines = rest
                numbers = [n for n, line in enumerate(lines) if _STATEMENT.match(line)]
            else:
                at += size
        size //= 2
    return "".join(lines)
