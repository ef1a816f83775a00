"""Small programs under `programs/`, run in memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scapy.utils import RawPcapReader

from switch.dataplane import Dataplane

PROGRAMS = Path(__file__).parent / "programs"


def program(name: str) -> bytes:
    """The compiled JSON of a program."""
    return (PROGRAMS / f"{name}.json").read_bytes()


@contextmanager
def running(name: str, cpu_port: int | None = None) -> Iterator[Dataplane]:
    """A dataplane with this program and no interfaces."""
    dataplane = Dataplane(program(name), cpu_port=cpu_port)
    try:
        yield dataplane
    finally:
        dataplane.close()


def one(outputs: list[tuple[int, bytes]], port: int = 1) -> bytes:
    """The only packet that came out, which must be on this port."""
    assert [number for number, _ in outputs] == [port]
    return outputs[0][1]


def captured(path: Path) -> list[bytes]:
    """The packets of a capture, as scapy reads it."""
    with RawPcapReader(str(path)) as packets:
        return [packet for packet, _ in packets]


def internet_checksum(data: bytes) -> int:
    """RFC 1071, the slow way."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
