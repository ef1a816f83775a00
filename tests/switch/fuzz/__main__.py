"""Fuzz programs with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.

Inputs that were found are kept below the output folder and used again by the next run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from switch.captures import Capture

from .seeds import seeds
from .target import FuzzError, build, run

LENGTH = 128  # bytes of the packets to start from, beside those given
MOST = 48


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and run a target for each program; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.switch.fuzz", description=__doc__)
    parser.add_argument("programs", nargs="+", type=Path, help="BMv2 JSON files")
    parser.add_argument("--time", type=int, default=60, help="seconds a program (60)")
    parser.add_argument("--packets", type=Path, help="a pcap file whose packets to start from")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="where inputs and logs go")
    chosen = parser.parse_args(arguments)
    packets = [bytes(LENGTH), bytes([0xFF]) * LENGTH]
    if chosen.packets:
        with closing(Capture(chosen.packets)) as capture:
            given = [packet for _, packet in capture]
        packets += given[:: len(given) // MOST + 1]
    failed = False
    for program in chosen.programs:
        folder = chosen.out / program.stem
        corpus, start = folder / "corpus", folder / "start"
        for place in (corpus, start):
            place.mkdir(parents=True, exist_ok=True)
        try:
            target, shape = build(program, folder)
            for number, seed in enumerate(seeds(shape, packets)):
                (start / str(number)).write_bytes(seed)
            since = time.monotonic()
            outcome = run(target, [corpus, start], f"-max_total_time={chosen.time}", "-use_value_profile=1")
        except FuzzError as error:
            failed = True
            sys.stderr.write(f"{program}: {error}\n")
        else:
            sys.stdout.write(f"{program}: {outcome} in {time.monotonic() - since:.0f} s\n")
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
