"""Compile a program ahead of time: `python -m switch.prepare PROGRAM.json`.

A switch compiles what it has not run before, which takes seconds; P4Runtime clients may not wait for that.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .command_line import one_line
from .device import Device


def prepare(program: Path) -> None:
    """Leave a program's compiled form in the cache, where switches of this user find it.

    Raises:
        OSError: the file can't be read.
        ValueError: the program can't be run, or the C compiler failed.
    """
    Device({}).build(program.read_bytes()).close()


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m switch.prepare", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("program", type=Path, help="BMv2 JSON, as p4c writes it")
    try:
        prepare(parser.parse_args().program)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"switch.prepare: {one_line(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
