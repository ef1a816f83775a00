"""Capture files: which are read, and what is said of broken ones."""

import struct
from contextlib import closing
from pathlib import Path

import pytest

from switch.captures import Capture

MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D
HEADER, RECORD = 24, 16

Timed = tuple[int, bytes]
"""Time in ns, and bytes."""


def pcap(packets: list[Timed], magic: int = MICRO, endian: str = "<") -> bytes:
    """A pcap file."""
    file = struct.pack(f"{endian}IHHIIII", magic, 2, 4, 0, 0, 0xFFFF, 1)
    for time, packet in packets:
        seconds, rest = divmod(time, 10**9)
        part = rest if magic == NANO else rest // 1000
        file += struct.pack(f"{endian}IIII", seconds, part, len(packet), len(packet)) + packet
    return file


def read(path: Path) -> list[Timed]:
    with closing(Capture(path)) as capture:
        return list(capture)


@pytest.mark.parametrize("magic", [MICRO, NANO])
@pytest.mark.parametrize("endian", "<>")
def test_every_kind_of_pcap_is_read(tmp_path: Path, magic: int, endian: str) -> None:
    packets = [(5_000_000_000, b"one"), (5_000_001_000, b""), (4_000_000_000, b"two")]
    (tmp_path / "some.pcap").write_bytes(pcap(packets, magic, endian))
    assert read(tmp_path / "some.pcap") == packets


def test_times_are_as_fine_as_the_file_has_them(tmp_path: Path) -> None:
    (tmp_path / "some.pcap").write_bytes(pcap([(1_000_000_007, b"")], NANO))
    assert read(tmp_path / "some.pcap") == [(1_000_000_007, b"")]


WHOLE = pcap([(0, b"first"), (1, b"second")])
BROKEN = {
    "empty": (b"", "not a pcap file"),
    "text": (b"packets, packets", "not a pcap file"),
    "pcapng": (bytes.fromhex("0a0d0d0a1c000000"), "a pcapng file; editcap -F pcap makes it a pcap file"),
    "header": (WHOLE[:20], "the file ends within its header"),
    "packet header": (WHOLE[: HEADER + RECORD + 5 + 9], "the file ends within the header of packet 2"),
    "packet": (WHOLE[:-1], "the file ends within packet 2"),
    "cut packet": (
        WHOLE[:HEADER] + struct.pack("<IIII", 0, 0, 4, 60) + b"1234", "packet 1 has 4 of its 60 bytes",
    ),
    "endless packet": (
        WHOLE + struct.pack("<IIII", 0, 0, 1 << 31, 1 << 31),
        "packet 3 has 2147483648 bytes, more than 65535",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_named(tmp_path: Path, name: str) -> None:
    content, reason = BROKEN[name]
    (tmp_path / "broken.pcap").write_bytes(content)
    with pytest.raises(ValueError, match=f"^{tmp_path}/broken.pcap: {reason}$"):
        read(tmp_path / "broken.pcap")
