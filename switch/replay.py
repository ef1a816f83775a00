"""Ports on pcap files, as BMv2's `--use-files` has them: what comes in is read, what goes out is written."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scapy.utils import RawPcapReader

from .device import Device

_NS = 1_000_000_000
# draft-ietf-opsawg-pcap §4 and §5: micro- or nanoseconds, in either order of bytes
_MAGICS = {bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1")}
_FILE_HEADER, _PACKET_HEADER = 24, 16
_PCAPNG = bytes.fromhex("0a0d0d0a")  # draft-ietf-opsawg-pcapng §4.1
_LONGEST = 0xFFFF
_log = logging.getLogger("switch.replay")
logging.getLogger("scapy").setLevel(logging.ERROR)  # what it warns of is an error here


class Replay:
    """Feeds a device the packets of pcap files, in the order of their time over all files, without delay."""

    def __init__(self, device: Device, interfaces: Mapping[int, str], wait_s: int) -> None:
        """Add port N on the interface X that is X_in.pcap and X_out.pcap; the latter starts empty.

        Raises:
            OSError: a file cannot be read or written.
            ValueError: one is no pcap file.
        """
        self._device = device
        self._wait_s = wait_s
        self._running = threading.Event()
        self._stopped = threading.Event()
        self._inputs: dict[int, tuple[Path, Any]] = {}
        try:
            for port, interface in interfaces.items():
                path, sent = Path(f"{interface}_in.pcap"), Path(f"{interface}_out.pcap")
                self._inputs[port] = path, _open(path)
                sent.write_bytes(b"")
                device.add_rim_port(port, path.name.removesuffix("_in.pcap"), sent)
        except BaseException:
            self._close()
            raise
        device.on_run(self._running.set)

    def run(self) -> int:
        """Wait for a program to run and then as long as was asked, feed all packets, and return how many.

        Raises:
            OSError: a file cannot be written.
            ValueError: one is damaged.
        """
        count = 0
        self._running.wait()
        self._stopped.wait(self._wait_s)
        try:
            streams = [_packets(path, reader, port) for port, (path, reader) in self._inputs.items()]
            for _, port, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
                if self._stopped.is_set():
                    break
                self._device.receive(port, packet)
                count += 1
        finally:
            self._close()
        self._device.flush()
        _log.info("%d packets read", count)
        return count

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopped.set()
        self._running.set()

    def _close(self) -> None:
        for _, reader in self._inputs.values():
            reader.close()


def _open(path: Path) -> Any:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == _PCAPNG:
        raise ValueError(f"{path}: a pcapng file; editcap -F pcap makes it a pcap file")
    if magic not in _MAGICS:
        raise ValueError(f"{path}: not a pcap file")
    if path.stat().st_size < _FILE_HEADER:
        raise ValueError(f"{path}: the file ends within its header")
    return RawPcapReader(str(path))


def _packets(path: Path, reader: Any, port: int) -> Iterator[tuple[int, int, bytes]]:
    """Time in ns, port and bytes of each packet of a file."""
    expected = _FILE_HEADER
    unit = 1 if reader.nano else 1000
    number = 0
    for number, (packet, about) in enumerate(reader, start=1):
        expected += _PACKET_HEADER + about.caplen
        if about.caplen > _LONGEST:
            raise ValueError(f"{path}: packet {number} has {about.caplen} bytes, more than {_LONGEST}")
        if len(packet) < about.caplen:
            raise ValueError(f"{path}: the file ends within packet {number}")
        if about.caplen != about.wirelen:
            raise ValueError(f"{path}: packet {number} has {about.caplen} of its {about.wirelen} bytes")
        yield about.sec * _NS + about.usec * unit, port, packet
    if reader.f.tell() != expected:
        raise ValueError(f"{path}: the file ends within the header of packet {number + 1}")
