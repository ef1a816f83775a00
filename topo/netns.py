"""Network namespaces: made, entered for the length of a block, listed and removed.

A namespace is named as `ip netns` names it (a bind mount in /run/netns), so that a lab can be looked at with
ordinary tools.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2 import netns as _netns

NETNS_DIR = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def path_of(name: str) -> Path:
    """Return where the namespace `name` is mounted."""
    return NETNS_DIR / name


def create(name: str) -> None:
    """Create a namespace in which nothing forwards and nothing autoconfigures; its loopback is up.

    Raises:
        FileExistsError: a namespace of that name exists.
        PermissionError: the caller may not create namespaces.
    """
    if path_of(name).exists():
        raise FileExistsError(f"network namespace {name} exists")
    _netns.create(name)
    with entered(name):
        for setting, value in (
            ("net/ipv4/ip_forward", "0"),
            ("net/ipv6/conf/all/forwarding", "0"),
            ("net/ipv6/conf/default/accept_ra", "0"),
            ("net/ipv6/conf/default/autoconf", "0"),
            ("net/ipv6/conf/default/router_solicitations", "0"),
            ("net/ipv6/conf/default/accept_dad", "0"),
            ("net/ipv4/conf/default/rp_filter", "0"),
            ("net/ipv4/conf/all/rp_filter", "0"),
        ):
            write_sysctl(setting, value)
    index = interface_index(name, "lo")
    with routes(name) as ipr:
        ipr.link("set", index=index, state="up")


def remove(name: str) -> None:
    """Remove the namespace `name` with all interfaces in it; nothing happens when there is none.

    A process that still runs inside keeps the namespace alive, but no longer by name.
    """
    path = path_of(name)
    # Fails where a creation was cut short before its mount; then there is only the file.
    _libc.umount2(str(path).encode(), _MNT_DETACH)
    path.unlink(missing_ok=True)


def names(prefix: str = "") -> list[str]:
    """List the named namespaces that start with `prefix`, sorted."""
    if not NETNS_DIR.is_dir():
        return []
    return sorted(entry.name for entry in NETNS_DIR.iterdir() if entry.name.startswith(prefix))


def enter(name: str) -> None:
    """Move the calling thread into the namespace `name` for good.

    Raises:
        FileNotFoundError: there is no such namespace.
        OSError: the kernel refused.
    """
    fd = os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)
    try:
        set_namespace(fd)
    finally:
        os.close(fd)


@contextmanager
def entered(name: str) -> Generator[None]:
    """Run a block with the calling thread in the namespace `name`.

    Sockets opened in the block belong to that namespace for as long as they live. The block must not await:
    the whole thread is elsewhere meanwhile.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(name)
        try:
            yield
        finally:
            set_namespace(own)
    finally:
        os.close(own)


@contextmanager
def routes(name: str) -> Generator[IPRoute]:
    """Open an rtnetlink socket that works in the namespace `name`."""
    with entered(name):
        ipr = IPRoute()
    try:
        yield ipr
    finally:
        ipr.close()


def set_namespace(fd: int) -> None:
    """Move the calling thread into the network namespace that `fd` refers to (setns(2))."""
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def interface_index(name: str, interface: str) -> int:
    """Return the index of an interface in the namespace `name`.

    Raises:
        OSError: there is no such interface.
    """
    with entered(name):
        return socket.if_nametoindex(interface)


def identity(name: str) -> tuple[int, int]:
    """Return (device, inode) of the namespace, which every /proc/PID/ns/net of its processes shares."""
    status = path_of(name).stat()
    return status.st_dev, status.st_ino


def processes(identities: set[tuple[int, int]]) -> list[int]:
    """List the ids of all processes that run in one of the namespaces given by `identity`."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "ns/net").stat()
        except OSError:  # it ended meanwhile, or is another user's
            continue
        if (status.st_dev, status.st_ino) in identities:
            found.append(int(entry.name))
    return found


def write_sysctl(setting: str, value: str) -> None:
    """Write /proc/sys/`setting` as seen from the calling thread's namespace."""
    path = Path("/proc/sys") / setting
    if path.exists():  # a kernel without IPv6 has none of its settings
        path.write_text(value)
