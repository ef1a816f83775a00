"""Ports on pcap files, as BMv2's `--use-files` has them: what comes in is read, what goes out is written."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from .captures import Capture
from .device import Device

_log = logging.getLogger("switch.replay")


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
        self._inputs: dict[int, Capture] = {}
        try:
            for port, interface in interfaces.items():
                path, sent = Path(f"{interface}_in.pcap"), Path(f"{interface}_out.pcap")
                self._inputs[port] = Capture(path)
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
            streams = [_timed(capture, port) for port, capture in self._inputs.items()]
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
        for capture in self._inputs.values():
            capture.close()


def _timed(capture: Capture, port: int) -> Iterator[tuple[int, int, bytes]]:
    """Time in ns, port and bytes of each packet."""
    for time_ns, packet in capture:
        yield time_ns, port, packet
