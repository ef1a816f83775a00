"""`python launch.py PARENT FILE`: becomes exabgp with this configuration, which ends when its parent does.

A controller that is killed has no time to end it, and a speaker must not speak for nobody.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""`prctl(2)`; it holds across `execve(2)`."""


def main(parent: int, file: str) -> None:
    """Become exabgp, unless the parent process is gone already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        os.execv(sys.executable, [sys.executable, "-m", "exabgp", file])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
