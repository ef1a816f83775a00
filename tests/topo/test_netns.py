from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from topo import netns


def test_a_namespace_has_its_loopback_up_and_forwards_nothing(new_namespace: Callable[[], str]) -> None:
    name = new_namespace()
    with netns.entered(name):
        forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
    assert forwarding == "0"
    assert name in netns.names("cfntest")


def test_a_second_of_the_same_name_is_refused(new_namespace: Callable[[], str]) -> None:
    name = new_namespace()
    with pytest.raises(FileExistsError, match=name):
        netns.create(name)


def test_remove_is_idempotent(new_namespace: Callable[[], str]) -> None:
    name = new_namespace()
    netns.remove(name)
    netns.remove(name)
    assert name not in netns.names()


def test_entered_comes_back_after_an_error(new_namespace: Callable[[], str]) -> None:
    before = os.readlink("/proc/thread-self/ns/net")
    with pytest.raises(ZeroDivisionError), netns.entered(new_namespace()):
        _ = 1 / (os.readlink("/proc/thread-self/ns/net") == before)
    assert os.readlink("/proc/thread-self/ns/net") == before


def test_a_namespace_that_is_not_there(root: None) -> None:
    with pytest.raises(FileNotFoundError), netns.entered("cfntest-nowhere"):
        pass


def test_processes_of_a_namespace_are_found_and_no_others(new_namespace: Callable[[], str]) -> None:
    inside, outside = new_namespace(), new_namespace()
    with netns.entered(inside):
        process = subprocess.Popen(["sleep", "60"])
    try:
        assert netns.processes({netns.identity(inside)}) == [process.pid]
        assert netns.processes({netns.identity(outside)}) == []
    finally:
        process.kill()
        process.wait()
