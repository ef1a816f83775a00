"""Build a program's fuzz target and run it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switch.build import RUNTIME
from switch.generate import generate
from switch.generate.shape import Shape
from switch.load import load

from .shape import declare

HARNESS = Path(__file__).with_name("target.c")
FLAGS = (
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-O1",
    "-g",
    "-pthread",
    "-fno-strict-aliasing",
    "-fno-omit-frame-pointer",
    "-fno-inline",  # see target.c
    "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=all",
    "-Wno-unused",
)
UNCOUNTED = "fun:replicas_free\n"  # it goes over 100,000 places that are mostly empty, at each input
TIMEOUT_S = 10  # of one input
MEMORY_MB = 4096
LONGEST = 16384


class FuzzError(RuntimeError):
    """The target could not be built, or it failed; says where the input is."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to: `actions` are those of the program that ran, of those that it has."""

    executions: int
    edges: int
    all_edges: int
    actions: int
    all_actions: int

    def __str__(self) -> str:
        return (
            f"{self.executions} executions, {self.edges} of {self.all_edges} edges, "
            f"{self.actions} of {self.all_actions} actions"
        )


def compiler() -> str:
    """clang with libFuzzer: $FUZZ_CC, or clang.

    Raises:
        FuzzError: there is none; says what to install.
    """
    name = os.environ.get("FUZZ_CC", "clang")
    found = shutil.which(name)
    if found is None:
        raise FuzzError(f"there is no {name}: install clang with its runtime (Debian: apt install clang)")
    probe = "int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }"
    flags = ["-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", os.devnull]
    done = subprocess.run([found, *flags], input=probe, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FuzzError(f"{found} lacks libFuzzer (Debian: apt install libclang-rt-dev):\n{done.stderr}")
    return found


def build(program: Path, folder: Path) -> tuple[Path, Shape]:
    """Compile the target of a BMv2 JSON file into a folder; also the program's shape.

    Raises:
        FuzzError: the compiler is missing or failed.
        LoadError: the program cannot be run.
    """
    command = compiler()
    folder.mkdir(parents=True, exist_ok=True)
    generated = generate(load(program.read_bytes()))
    names = ("program.c", "shape.h", "uncounted", "target")
    source, shape, uncounted, target = (folder / name for name in names)
    source.write_text(generated.source)
    shape.write_text(declare(generated.shape))
    uncounted.write_text(UNCOUNTED)
    places = [f'-DPROGRAM="{source.absolute()}"', f'-DSHAPE="{shape.absolute()}"', f"-I{RUNTIME}"]
    places += [f"-fsanitize-coverage-ignorelist={uncounted}", "-DRUNTIME_DIGEST=0"]
    units = [str(HARNESS), *sorted(str(path) for path in RUNTIME.glob("*.c"))]
    done = subprocess.run(
        [command, *FLAGS, *places, "-o", str(target), *units], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FuzzError(f"{program}: {done.stderr}")
    return target, generated.shape


def run(target: Path, corpus: Sequence[Path], *options: str) -> Outcome:
    """Run a target with libFuzzer's options; new inputs go to the first corpus.

    Raises:
        FuzzError: the target failed; what it said is in the message.
    """
    folder = target.parent
    findings = folder / "findings"
    findings.mkdir(exist_ok=True)
    standing = [
        f"-timeout={TIMEOUT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={LONGEST}",
        "-len_control=0",
        f"-artifact_prefix={findings}/",
        "-print_coverage=1",
        "-print_final_stats=1",
    ]
    done = subprocess.run(
        [str(target), *standing, *options, *map(str, corpus)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    (folder / "log").write_text(done.stderr)
    if done.returncode:
        raise FuzzError(f"{target} failed, see {folder}/log:\n{_failure(done.stderr)}")
    return _outcome(done.stderr)


def _failure(log: str) -> str:
    lines = log.splitlines()
    start = next((i for i, line in enumerate(lines) if re.search(r"ERROR|runtime error", line)), -40)
    return "\n".join(lines[start:][:60])


def _outcome(log: str) -> Outcome:
    def number(pattern: str) -> int:
        found = re.findall(pattern, log)
        return int(found[-1]) if found else 0

    ran = set(re.findall(r"^COVERED_FUNC:.*?\b(action_\d+_\w+)", log, re.MULTILINE))
    rest = set(re.findall(r"^UNCOVERED_FUNC:.*?\b(action_\d+_\w+)", log, re.MULTILINE))
    return Outcome(
        number(r"stat::number_of_executed_units:\s*(\d+)"),
        number(r"\bcov: (\d+)"),
        number(r"Loaded \d+ modules\s+\((\d+) inline"),
        len(ran),
        len(ran | rest),
    )
