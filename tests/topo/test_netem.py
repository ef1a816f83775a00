"""Links emulated by the kernel: arguments everywhere, redirection where tc has it, netem where it is."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from topo import netem, netns, veth
from topo.impairment import Impairment
from topo.veth import End


@pytest.mark.parametrize(
    ("impairment", "arguments"),
    [
        (Impairment(delay_ms=2), "limit 1000 delay 2000us rate 100000000kbit"),
        (
            Impairment(delay_ms=2.5, jitter_ms=0.25, loss=0.001, rate_mbps=100, limit=50),
            "limit 50 delay 2500us 250us loss 0.1% rate 100000kbit",
        ),
        (Impairment(rate_mbps=0.5), "limit 1000 delay 0us rate 500kbit"),
        (Impairment(loss=1e-6), "limit 1000 delay 0us loss 0.0001% rate 100000000kbit"),
    ],
)
def test_arguments(impairment: Impairment, arguments: str) -> None:
    assert " ".join(impairment.netem_arguments()) == arguments


def test_a_plain_wire_is_known_as_one() -> None:
    assert Impairment().is_plain
    assert not Impairment(loss=0.1).is_plain


@pytest.fixture
def ends(new_namespace: Callable[[], str]) -> Iterator[tuple[str, socket.socket, socket.socket]]:
    """Two veth pairs a–x-a and b–x-b in one namespace, and sockets on a and b."""
    namespace = new_namespace()
    for name in "ab":
        pair = End(namespace, name), End(namespace, f"x-{name}")
        veth.create(*pair)
        for end in pair:
            veth.raise_port(end)
    with netns.entered(namespace):
        a, b = (socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5)) for _ in "ab")
        a.bind(("a", 0x88B5))
        b.bind(("b", 0x88B5))
    b.settimeout(10)
    with a, b:
        yield namespace, a, b


def test_a_redirected_frame_passes_the_queueing_discipline(
    ends: tuple[str, socket.socket, socket.socket],
) -> None:
    namespace, a, b = ends
    if not shutil.which("tc"):
        pytest.skip("needs tc")
    try:
        netem.redirect(namespace, "x-a", "x-b")
    except netem.TcError as error:
        pytest.skip(f"this kernel has no mirred action: {error}")
    tbf = ["tc", "-n", namespace, "qdisc", "add", "dev", "x-b", "root", "handle", "1:", "tbf"]
    subprocess.check_call([*tbf, "rate", "1mbit", "burst", "2000", "latency", "1s"])
    start = time.monotonic()
    for _ in range(5):
        a.send(b"\x02" * 12 + b"\x88\xb5" + b"\0" * 986)
    for _ in range(5):
        assert len(b.recv(2000)) == 1000
    assert time.monotonic() - start >= 0.02  # 5,000 bytes less the burst at 1 Mbps: 24 ms


def test_a_link_by_netem_is_late_and_keeps_order(ends: tuple[str, socket.socket, socket.socket]) -> None:
    namespace, a, b = ends
    if not netem.is_available(namespace):
        pytest.skip("this kernel has no netem")
    netem.join(namespace, "x-a", "x-b", Impairment(delay_ms=20, jitter_ms=5))
    start = time.monotonic()
    for number in range(50):
        a.send(b"\x02" * 12 + b"\x88\xb5" + bytes([number]) * 50)
    assert [b.recv(2000)[14] for _ in range(50)] == list(range(50))
    assert time.monotonic() - start >= 0.015


def test_the_probe_leaves_nothing_behind(new_namespace: Callable[[], str]) -> None:
    if not shutil.which("tc"):
        pytest.skip("needs tc")
    namespace = new_namespace()
    netem.is_available(namespace)
    assert "netem" not in subprocess.check_output(["tc", "-n", namespace, "qdisc", "show"], text=True)


def test_a_refused_command_is_quoted(new_namespace: Callable[[], str]) -> None:
    if not shutil.which("tc"):
        pytest.skip("needs tc")
    with pytest.raises(netem.TcError, match=r"tc qdisc add dev nosuch ingress: .*nosuch"):
        netem.redirect(new_namespace(), "nosuch", "lo")
