"""Hosts that leave segmentation and checksums to their interfaces, as they do unless told otherwise."""

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch.dataplane import Dataplane
from tests.switch.harness import program
from tests.switch.netns import hosts, ip, needs_root

pytestmark = [pytest.mark.netns, needs_root]

ADDRESSES = {"4": ("10.99.0.1", "10.99.0.2"), "6": ("fd99::1", "fd99::2")}
TIMEOUT_S = 60
DATAGRAM, DATAGRAMS = 1000, 40

LISTEN_TCP = """
    import hashlib, socket, sys
    listener = socket.create_server((sys.argv[1], 5000), family=family)
    print("ready", flush=True)
    connection, _ = listener.accept()
    digest, count = hashlib.sha256(), 0
    while data := connection.recv(1 << 20):
        digest.update(data)
        count += len(data)
    print(count, digest.hexdigest())
"""
SEND_TCP = """
    import hashlib, random, socket, sys
    data = random.Random(1).randbytes(8 << 20)
    with socket.create_connection((sys.argv[1], 5000)) as connection:
        connection.sendall(data)
    print(len(data), hashlib.sha256(data).hexdigest())
"""
LISTEN_UDP = """
    import socket, sys
    listener = socket.socket(family, socket.SOCK_DGRAM)
    listener.bind((sys.argv[1], 5000))
    listener.settimeout(30)
    print("ready", flush=True)
    count = 0
    while data := listener.recv(1 << 16):
        assert data == bytes([count]) * len(data), count
        print(len(data), end=" ")
        count += 1
"""
SEND_UDP = """
    import socket, sys
    UDP_SEGMENT, size, count = 103, int(sys.argv[2]), int(sys.argv[3])
    sender = socket.socket(family, socket.SOCK_DGRAM)
    sender.connect((sys.argv[1], 5000))
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    sender.send(b"".join(bytes([i]) * size for i in range(count)) + bytes([count]) * 7)
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
    sender.send(b"")
"""


def command(namespace: str, family: str, script: str, *arguments: str) -> list[str]:
    chosen = f"import socket; family = socket.AF_INET{family.replace('4', '')}\n"
    wanted = chosen + textwrap.dedent(script)
    return ["ip", "netns", "exec", namespace, sys.executable, "-c", wanted, *arguments]


Pair = list[tuple[str, str]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with hosts(2) as made:
        for number, (_, namespace) in enumerate(made):
            for prefix, family in ((24, "4"), (64, "6")):
                address = f"{ADDRESSES[family][number]}/{prefix}"
                ip("-n", namespace, "addr", "add", address, "dev", "eth0", *(["nodad"] * (family == "6")))
        yield made


@pytest.fixture
def switch(pair: Pair) -> Iterator[Dataplane]:
    dataplane = Dataplane(program("wire"), {1: pair[0][0], 2: pair[1][0]})
    dataplane.start()
    yield dataplane
    dataplane.close()


def exchange(pair: Pair, family: str, scripts: tuple[str, str], *arguments: str) -> tuple[str, str]:
    """What the listener on the second host and the sender on the first print."""
    listen, send = scripts
    there = ADDRESSES[family][1]
    with subprocess.Popen(
        command(pair[1][1], family, listen, there), stdout=subprocess.PIPE, text=True
    ) as listener:
        try:
            assert listener.stdout is not None
            assert listener.stdout.readline() == "ready\n"
            sending = command(pair[0][1], family, send, there, *arguments)
            sent = subprocess.run(sending, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_S)
            heard, _ = listener.communicate(timeout=TIMEOUT_S)
        finally:
            listener.kill()
    return heard, sent.stdout


def frames_sent(namespace: str) -> int:
    """By the host's own count, in which a frame that is many counts once."""
    path = "/sys/class/net/eth0/statistics/tx_packets"
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, "cat", path],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.parametrize("family", ADDRESSES)
def test_a_stream_arrives_whole(switch: Dataplane, pair: Pair, family: str) -> None:
    before = frames_sent(pair[0][1])
    heard, sent = exchange(pair, family, (LISTEN_TCP, SEND_TCP))
    assert heard == sent
    port = switch.port_stats()[1]
    assert port.rx_unsupported == 0
    assert port.rx_packets > (8 << 20) / 1500
    assert frames_sent(pair[0][1]) - before < port.rx_packets / 2, "the host did not use its offload"
    assert port.rx_bytes / port.rx_packets < 1514


@pytest.mark.parametrize("family", ADDRESSES)
def test_datagrams_sent_as_one_arrive_as_many(switch: Dataplane, pair: Pair, family: str) -> None:
    heard, _ = exchange(pair, family, (LISTEN_UDP, SEND_UDP), str(DATAGRAM), str(DATAGRAMS))
    assert heard.split() == [str(DATAGRAM)] * DATAGRAMS + ["7"]
    assert switch.port_stats()[1].rx_unsupported == 0


def test_frames_of_an_mtu_that_grew_still_fit(switch: Dataplane, pair: Pair) -> None:
    for interface, namespace in pair:
        ip("link", "set", interface, "mtu", "9000")
        ip("-n", namespace, "link", "set", "eth0", "mtu", "9000")
    heard, _ = exchange(pair, "4", (LISTEN_UDP, SEND_UDP), "8000", "3")
    assert heard.split() == ["8000"] * 3 + ["7"]


def test_captures_hold_the_packets_and_not_the_frames_they_came_in(pair: Pair, tmp_path: Path) -> None:
    dataplane = Dataplane(program("wire"), {1: pair[0][0], 2: pair[1][0]}, pcap_dir=tmp_path)
    dataplane.start()
    try:
        exchange(pair, "4", (LISTEN_UDP, SEND_UDP), str(DATAGRAM), "3")
    finally:
        dataplane.close()
    for name in (f"{pair[0][0]}_in.pcap", f"{pair[1][0]}_out.pcap"):
        captured = (tmp_path / name).read_bytes()
        assert [captured.count(bytes([i]) * DATAGRAM) for i in (1, 2)] == [1, 1]
        assert captured.count(bytes([1]) * 8 + bytes([2]) * 8) == 0


def test_datagrams_in_a_tunnel_that_were_sent_as_one_are_counted(switch: Dataplane, pair: Pair) -> None:
    """Such a frame has headers in front of those that say how it is to be cut."""
    inner = ("10.98.0.1", "10.98.0.2")
    for number, (_, namespace) in enumerate(pair):
        local, remote = ADDRESSES["4"][number], ADDRESSES["4"][1 - number]
        tunnel = ["id", "7", "local", local, "remote", remote, "dstport", "4789", "dev", "eth0"]
        ip("-n", namespace, "link", "add", "vx0", "type", "vxlan", *tunnel)
        ip("-n", namespace, "addr", "add", f"{inner[number]}/24", "dev", "vx0")
        ip("-n", namespace, "link", "set", "vx0", "up")
    sending = command(pair[0][1], "4", SEND_UDP, inner[1], "1000", "5")
    subprocess.run(sending, check=True, timeout=TIMEOUT_S)
    end = time.monotonic() + TIMEOUT_S
    while switch.port_stats()[1].rx_unsupported != 1:
        assert time.monotonic() < end
        time.sleep(0.01)
