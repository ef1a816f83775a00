"""Functions that take as long as the pace of their site says, which may change at any time.

A site's pace is a file in the folder that the environment names, called by the inode of the site's network
namespace: that is how a function knows where it runs. It holds milliseconds for one request. They are slept
and not computed, so that a slowdown is exact and costs the machine nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from cfn.function import Function, function
from topo import netns

FOLDER = "CFN_BENCH_PACES"
"""Environment variable that names the folder."""
_OWN = Path("/proc/self/ns/net")


def set_pace(folder: Path, namespace: str, ms: float) -> None:
    """Let each request at the site of a network namespace take so long from now on."""
    _, inode = netns.identity(namespace)
    path = folder / str(inode)
    fresh = path.with_suffix(".new")
    fresh.write_text(str(ms))
    fresh.replace(path)


def pace_ms() -> float:
    """Return how long a request takes in the caller's network namespace; nothing where nobody has said."""
    try:
        return float((Path(os.environ[FOLDER]) / str(_OWN.stat().st_ino)).read_text())
    except (KeyError, FileNotFoundError):
        return 0.0


def _paced(name: str) -> Function:
    @function(name, runs="thread")
    def take_time(payload: bytes) -> bytes:
        time.sleep(pace_ms() / 1000)
        return payload

    return take_time


two_choices, one_choice = _paced("pace/two"), _paced("pace/one")
lead_16, lead_48, lead_96 = (_paced(f"pace/lead{lead}") for lead in (16, 48, 96))
"""The contenders of `bench.fastloop` and `bench.leads`, which take the site's time."""
