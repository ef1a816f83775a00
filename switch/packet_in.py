"""Ports over a nanomsg socket, as PTF's platform `nn` and BMv2's `--packet-in` have them: no port needs root.

One PAIR socket carries all ports. A message starts with three 32-bit integers, low byte first: what it is,
the port, and one more, which is a packet's length where one follows. The far end adds the ports it wants.
"""

from __future__ import annotations

import logging
import struct
import threading
from enum import IntEnum
from typing import Self

import pynng

from .device import Device

SEND_TIMEOUT_MS = 1000
"""How long a far end may keep a packet waiting. After that packets are dropped until it takes some again."""
BUFFER = 1024  # messages, each way

_HEADER = struct.Struct("<iii")
_STATUS = struct.Struct("<iiii")
_COUNTS = struct.Struct("<iiiiii")
_COUNT_LIMIT = (1 << 31) - 1
_log = logging.getLogger("switch.packet_in")


class Kind(IntEnum):
    """What a message is."""

    PORT_ADD = 0
    PORT_REMOVE = 1
    PORT_SET_STATUS = 2
    PACKET_IN = 3
    PACKET_OUT = 4
    INFO_REQUEST = 5
    INFO_REPLY = 6


class Status(IntEnum):
    """A port's status, in PTF's numbers; BMv2 has them the other way round, and acts on neither."""

    UP = 0
    DOWN = 1


class Info(IntEnum):
    """What may be asked of a port: its hardware address, which it has none of, or its counters."""

    HARDWARE_ADDRESS = 0
    COUNTERS = 1


class InfoStatus(IntEnum):
    """How an answer begins."""

    SUCCESS = 0
    NOT_SUPPORTED = 1


class PacketIn:
    """Serves a device's ports on a nanomsg socket from entering to leaving the context."""

    def __init__(self, device: Device, address: str) -> None:
        """Listen on `ipc://PATH` or `tcp://HOST:PORT`.

        Raises:
            OSError: nobody can listen there.
        """
        try:
            self._socket = pynng.Pair0(
                listen=address,
                send_timeout=SEND_TIMEOUT_MS,
                recv_buffer_size=BUFFER,
                send_buffer_size=BUFFER,
            )
        except pynng.NNGException as error:
            raise OSError(f"no packets on {address}: {error}") from None
        self._address = address
        self._device = device
        self._stalled = False
        device.on_frame(self._send_packet)
        self._thread = threading.Thread(target=self._run, name="switch-packet-in", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                message = self._socket.recv()
            except pynng.Closed:
                return
            except pynng.NNGException as error:
                _log.warning("%s: %s", self._address, error)
                continue
            try:
                self._handle(message)
            except (OSError, KeyError, ValueError) as error:
                _log.warning("%s: %s", self._address, error)

    def _handle(self, message: bytes) -> None:
        if len(message) < _HEADER.size:
            raise ValueError(f"a message of {len(message)} bytes")
        kind, port, more = _HEADER.unpack_from(message)
        try:
            if kind == Kind.PACKET_IN:
                self._receive_packet(port, message[_HEADER.size :], more)
            elif kind == Kind.PORT_ADD:
                self._device.add_rim_port(port, f"port{port}")
            elif kind == Kind.PORT_REMOVE:
                self._device.remove_rim_port(port)
            elif kind == Kind.PORT_SET_STATUS:
                self._device.set_port_up(port, Status(more) is Status.UP)
            elif kind == Kind.INFO_REQUEST:
                self._send(self._info(port, more))
            else:
                raise ValueError(f"a message of kind {kind}, which is not for a switch")
        except KeyError:
            raise ValueError(f"there is no port {port} here") from None

    def _receive_packet(self, port: int, packet: bytes, length: int) -> None:
        if len(packet) != length:
            raise ValueError(f"port {port}: {len(packet)} bytes of a packet of {length}")
        self._device.receive(port, packet)

    def _info(self, port: int, what: int) -> bytes:
        stats = self._device.port_stats().get(port)
        if what != Info.COUNTERS or stats is None:
            return _STATUS.pack(Kind.INFO_REPLY, port, what, InfoStatus.NOT_SUPPORTED)
        counts = (min(count, _COUNT_LIMIT) for count in (stats.rx_packets, stats.tx_packets))
        return _COUNTS.pack(Kind.INFO_REPLY, port, what, InfoStatus.SUCCESS, *counts)

    def _send_packet(self, port: int, packet: bytes) -> bool:
        return self._send(_HEADER.pack(Kind.PACKET_OUT, port, len(packet)) + packet)

    def _send(self, message: bytes) -> bool:
        """Send to the far end, if there is one; it may hold us up once, not for each message."""
        if not self._socket.pipes:
            return False
        try:
            self._socket.send(message, block=not self._stalled)
        except (pynng.Timeout, pynng.TryAgain):
            self._stalled = True
            return False
        except pynng.Closed:
            return False
        self._stalled = False
        return True
