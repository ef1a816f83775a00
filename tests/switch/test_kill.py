"""A switch that is killed at any moment leaves its interfaces as it found them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.switch.harness import PROGRAMS
from tests.switch.netns import hosts, ip, needs_root
from topo.ethtool import features

pytestmark = [pytest.mark.netns, needs_root]

START_S = 60
Pair = list[tuple[str, str]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with hosts(2) as made:
        yield made


def state(interface: str) -> tuple[dict[str, Any], dict[str, bool]]:
    """What can be set of an interface: flags, promiscuity, lengths, addresses; offloads."""
    (link,) = json.loads(ip("-details", "-json", "link", "show", "dev", interface))
    return link, features(interface)


def promiscuity(interface: str) -> int:
    return state(interface)[0]["promiscuity"]


def start(pair: Pair) -> subprocess.Popen[bytes]:
    ports = [part for i, (interface, _) in enumerate(pair) for part in ("-i", f"{i + 1}@{interface}")]
    command = [sys.executable, "-m", "switch", *ports, "--grpc-server-addr", "127.0.0.1:0"]
    return subprocess.Popen([*command, str(PROGRAMS / "wire.json")])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_interfaces_are_as_before(pair: Pair, number: signal.Signals) -> None:
    interfaces = [interface for interface, _ in pair]
    before = [state(interface) for interface in interfaces]
    with start(pair) as switch:
        try:
            end = time.monotonic() + START_S
            while any(promiscuity(interface) == 0 for interface in interfaces):
                assert switch.poll() is None
                assert time.monotonic() < end
                time.sleep(0.02)
            assert [features(interface) for interface in interfaces] == [offloads for _, offloads in before]
            switch.send_signal(number)
            switch.wait(START_S)
        finally:
            switch.kill()
    assert [state(interface) for interface in interfaces] == before
