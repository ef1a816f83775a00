"""Hosts in network namespaces, each joined by a veth pair to an interface of the switch."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_numbers = itertools.count()

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


def ip(*arguments: str) -> str:
    """Run ip(8)."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def make_link(interface: str, namespace: str) -> None:
    """A veth pair: `interface` here, `eth0` in the namespace, both up."""
    ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    ip("link", "set", interface, "up")
    ip("-n", namespace, "link", "set", "eth0", "up")


@contextmanager
def hosts(count: int) -> Iterator[list[tuple[str, str]]]:
    """(interface here, namespace there) of as many hosts; all gone afterwards."""
    made: list[tuple[str, str]] = []
    try:
        for _ in range(count):
            name = f"sw{os.getpid()}x{next(_numbers)}"
            ip("netns", "add", name)
            made.append((name, name))
            make_link(name, name)
        yield made
    finally:
        for interface, namespace in made:
            subprocess.run(["ip", "link", "del", interface], capture_output=True, check=False, timeout=30)
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False, timeout=30)
