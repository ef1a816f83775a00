"""Compile the program with p4c, and tell whether `compiled/` is up to date.

`python -m p4src.build` compiles; `python -m p4src.build --check` exits 1 when stale.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from p4src import COMPILED, JSON, P4INFO

SOURCES = Path(__file__).parent
PROVENANCE = COMPILED / "provenance.txt"
P4C = "p4c-bm2-ss"


def source_digest(folder: Path = SOURCES) -> str:
    """SHA-256 (hex) over the names and texts of all `.p4` files of `folder`, in name order."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.p4")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def recorded() -> dict[str, str]:
    """What `compiled/` was made from: `source` (digest) and `p4c` (version)."""
    return dict(line.split(": ", 1) for line in PROVENANCE.read_text().splitlines())


def p4c_version(p4c: str) -> str:
    """The version p4c gives of itself, such as `1.2.5.16`.

    Raises:
        ValueError: it does not say.
    """
    text = subprocess.run(
        [p4c, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    ).stdout
    found = re.search(r"Version (\S+)", text)
    if not found:
        raise ValueError(f"{p4c} --version says no version: {text!r}")
    return found[1]


def compile_into(folder: Path, p4c: str) -> None:
    """Compile `cfn.p4` into `folder` under the names that `compiled/` uses.

    Raises:
        subprocess.CalledProcessError: p4c refused the program; it has said why on stderr.
    """
    command = [p4c, "--std", "p4-16", "--arch", "v1model", "-Wall", "--p4runtime-files"]
    command += [str((folder / P4INFO.name).resolve()), "-o", str((folder / JSON.name).resolve()), "cfn.p4"]
    # From the sources' own folder: the JSON names source files as they are given.
    subprocess.run(command, check=True, cwd=SOURCES)


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m p4src.build", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="compile nothing, say whether compiled/ is stale"
    )
    parser.add_argument("--p4c", default=P4C, help=f"the compiler (default: {P4C} on PATH)")
    args = parser.parse_args()
    if args.check:
        if recorded()["source"] == source_digest():
            return 0
        print("p4src/compiled is stale: run `make p4` with p4c installed", file=sys.stderr)
        return 1
    p4c = shutil.which(args.p4c)
    if not p4c:
        print(f"no {args.p4c} on PATH: install p4c, or name it with --p4c", file=sys.stderr)
        return 1
    compile_into(COMPILED, p4c)
    PROVENANCE.write_text(f"source: {source_digest()}\np4c: {p4c_version(p4c)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
