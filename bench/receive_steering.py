"""Which core the kernel handles an interface's incoming frames on (receive packet steering).

See scaling.rst in the kernel's networking documentation. Without it the frames of a veth are handled on the
core that sent them, so the kernel's forwarding would run on the sender's core instead of the device's.
"""

from __future__ import annotations

import subprocess

from topo import netns

# sysfs shows the interfaces of the namespace it was mounted in, so it is mounted anew, for this one command.
_SCRIPT = 'mount -t sysfs sysfs /sys && echo "$1" > "/sys/class/net/$0/queues/rx-0/rps_cpus"'


class SteeringError(Exception):
    """The kernel refused."""


def to_core(namespace: str, interface: str, core: int) -> None:
    """Have the kernel handle what comes in on `interface` on `core`.

    Raises:
        SteeringError: the kernel refused.
    """
    command = ["nsenter", f"--net={netns.path_of(namespace)}", "unshare", "--mount"]
    command += ["sh", "-c", _SCRIPT, interface, mask(core)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SteeringError(f"{interface}: receive packet steering to core {core}: {done.stderr.strip()}")


def mask(core: int) -> str:
    """Return the bitmap of one core as sysfs writes it: groups of 32 bits in hexadecimal, highest first."""
    groups = [0] * (core // 32 + 1)
    groups[core // 32] = 1 << core % 32
    return ",".join(f"{group:08x}" for group in reversed(groups))
