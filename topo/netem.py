"""Links by the kernel's own network emulation, where it has it (tc-netem(8)).

A switch sends past the queueing discipline of its ports, so netem can't sit there. Each impaired link has two
veth pairs instead; the ends away from the switches hand their frames to each other (tc-mirred(8)), and netem
is the queueing discipline of the end that a frame leaves by.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from topo import netns
from topo.impairment import Impairment


class TcError(Exception):
    """`tc` refused a command."""


def is_available(namespace: str) -> bool:
    """Tell whether the kernel has netem and mirred, by trying both on the loopback of a lab's namespace."""
    if not shutil.which("tc"):
        return False
    attempts = (
        ("qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"),
        ("qdisc", "add", "dev", "lo", "ingress"),
        _redirect("lo", "lo"),
    )
    try:
        for attempt in attempts:
            _tc(namespace, attempt)
    except TcError:
        return False
    finally:
        for parent in ("root", "ingress"):
            _tc(namespace, ("qdisc", "del", "dev", "lo", parent), check=False)
    return True


def join(namespace: str, a: str, b: str, impairment: Impairment) -> None:
    """Join two interfaces into a link with an impairment.

    Raises:
        TcError: the kernel lacks what it takes, see `is_available`.
    """
    for source, sink in ((a, b), (b, a)):
        _tc(namespace, ("qdisc", "add", "dev", sink, "root", "netem", *impairment.netem_arguments()))
        redirect(namespace, source, sink)


def redirect(namespace: str, source: str, sink: str) -> None:
    """Send every frame that comes in at `source` out of `sink`, through its queueing discipline."""
    _tc(namespace, ("qdisc", "add", "dev", source, "ingress"))
    _tc(namespace, _redirect(source, sink))


def _redirect(source: str, sink: str) -> tuple[str, ...]:
    match = (
        "filter",
        "add",
        "dev",
        source,
        "parent",
        "ffff:",
        "protocol",
        "all",
        "u32",
        "match",
        "u32",
        "0",
        "0",
    )
    return (*match, "action", "mirred", "egress", "redirect", "dev", sink)


def _tc(namespace: str, arguments: Sequence[str], *, check: bool = True) -> None:
    with netns.entered(namespace):  # the child inherits it
        done = subprocess.run(["tc", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise TcError(f"tc {' '.join(arguments)}: {done.stderr.strip()}")
