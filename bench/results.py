"""Where results go, and on what machine they were measured."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "out"


def write(name: str, results: dict[str, Any]) -> Path:
    """Write results and the machine's description to bench/out/NAME.json and return the path."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(json.dumps({**results, "machine": machine()}, indent=2) + "\n")
    return path


def machine() -> dict[str, str | int]:
    """Describe this machine: processor, number of cores that may be used, kernel, Python."""
    return {
        "processor": processor(Path("/proc/cpuinfo").read_text()),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def processor(cpuinfo: str) -> str:
    """Return the processor's name from the text of /proc/cpuinfo, or the machine's type where it has none."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()
