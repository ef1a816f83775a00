"""Capture files to read packets from: pcap, in either order of bytes (draft-ietf-opsawg-pcap §4 and §5)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

LONGEST = 0xFFFF
"""Bytes of the longest packet that is read."""

_FILE_HEADER = 24
_MICRO, _NANO = 0xA1B2C3D4, 0xA1B23C4D
_PCAPNG = bytes.fromhex("0a0d0d0a")  # draft-ietf-opsawg-pcapng §4.1
_NS = 1_000_000_000


class Capture:
    """A file that is open; its iterator gives each packet's time in ns and its bytes, once."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no pcap file.
        """
        self._path = path
        self._file = path.open("rb")
        try:
            self._record, self._unit_ns = self._format(self._file.read(_FILE_HEADER))
        except BaseException:
            self.close()
            raise

    def _format(self, header: bytes) -> tuple[struct.Struct, int]:
        """How the packets' own headers are read, and the unit of their times in ns."""
        magic = header[:4]
        if magic == _PCAPNG:
            raise ValueError(f"{self._path}: a pcapng file; editcap -F pcap makes it a pcap file")
        for order in "<>":
            for number, unit_ns in ((_MICRO, 1000), (_NANO, 1)):
                if magic == struct.pack(f"{order}I", number):
                    if len(header) < _FILE_HEADER:
                        raise ValueError(f"{self._path}: the file ends within its header")
                    return struct.Struct(f"{order}IIII"), unit_ns
        raise ValueError(f"{self._path}: not a pcap file")

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """The packets in the file's order.

        Raises:
            OSError: the file cannot be read on.
            ValueError: it is damaged, or holds a packet in part; the message names the place.
        """
        number = 0
        while header := self._file.read(self._record.size):
            number += 1
            if len(header) < self._record.size:
                raise ValueError(f"{self._path}: the file ends within the header of packet {number}")
            seconds, part, held, length = self._record.unpack(header)
            if held > LONGEST:
                raise ValueError(f"{self._path}: packet {number} has {held} bytes, more than {LONGEST}")
            packet = self._file.read(held)
            if len(packet) < held:
                raise ValueError(f"{self._path}: the file ends within packet {number}")
            if held != length:
                raise ValueError(f"{self._path}: packet {number} has {held} of its {length} bytes")
            yield seconds * _NS + part * self._unit_ns, packet

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
