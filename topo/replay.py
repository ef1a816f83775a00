"""Replays a trace in real time on a host's interface, and finds the answer to each request.

`python -m topo.replay …` runs inside the host's namespace and sends the frames of the pcap as they are until
SIGTERM, from the beginning again when it comes to the end. Then it waits for the answers under way and ends.
It writes a record (`topo.records`) for each request to its standard output. A trace has no cookies.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scapy.utils import RawPcapReader

from cfn.names import func_id
from cfn.wire import MAX_DATAGRAM, Kind, Packet
from cfn.wire_error import WireError
from topo.records import LOST, Answer, Record, Request, read_answer

_ETHERNET_LENGTH, _IPV6_LENGTH, _UDP_LENGTH = 14, 40, 8
_FAMILIES = {0x0800: 4, 0x86DD: 6}


class TraceError(Exception):
    """The trace has a frame that is no CFN request; the text says which."""


@dataclass(frozen=True)
class Shot:
    """A frame of the trace: when it is due (s from the beginning) and what identifies its answer."""

    due_s: float
    frame: bytes
    family: int
    address: str
    port: int
    request_id: int
    func_id: int

    @property
    def key(self) -> tuple[int, int, int]:
        """What the answer has in common with the request."""
        return self.family, self.port, self.request_id


def load(path: Path) -> list[Shot]:
    """Read a trace.

    Raises:
        OSError: it can't be read.
        TraceError: it holds something other than CFN requests.
    """
    with RawPcapReader(str(path)) as reader:
        frames = [(meta.sec + meta.usec / 1e6, bytes(data)) for data, meta in reader]
    return [_shot(number, due - frames[0][0], data) for number, (due, data) in enumerate(frames, 1)]


def _shot(number: int, due_s: float, frame: bytes) -> Shot:
    family = _FAMILIES.get(int.from_bytes(frame[12:14]))
    ip = frame[_ETHERNET_LENGTH:]
    try:
        if family == 4:
            address, udp = socket.inet_ntop(socket.AF_INET, ip[12:16]), ip[(ip[0] & 0xF) * 4 :]
        elif family == 6:
            address, udp = socket.inet_ntop(socket.AF_INET6, ip[8:24]), ip[_IPV6_LENGTH:]
        else:
            raise TraceError(f"frame {number} is neither IPv4 nor IPv6")
        header = Packet.decode(udp[_UDP_LENGTH:]).header
    except (WireError, ValueError, IndexError) as error:
        raise TraceError(f"frame {number} is no CFN request: {error}") from error
    if header.kind != Kind.REQUEST:
        raise TraceError(f"frame {number} is a {header.kind}, not a request")
    port = int.from_bytes(udp[0:2])
    return Shot(due_s, frame, family, address, port, header.request_id, header.func_id)


class Replay:
    """Sends the frames of a trace and waits for their answers."""

    def __init__(
        self, shots: Sequence[Shot], client: str, interface: str, names: Mapping[int, str], timeout_s: float
    ) -> None:
        self._shots = shots
        self._client = client
        self._names = names
        self._timeout_s = timeout_s
        self._pending: dict[tuple[int, int, int], tuple[Shot, float, float, asyncio.TimerHandle]] = {}
        self._stop = asyncio.Event()
        self._idle = asyncio.Event()
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._wire.bind((interface, 0))
        self._sockets = [self._listen(*end) for end in {(s.family, s.address, s.port) for s in shots}]

    def stop(self) -> None:
        """Send nothing more."""
        self._stop.set()

    async def run(self) -> None:
        """Send until `stop`, and return when each request has its answer or is lost."""
        start = asyncio.get_running_loop().time()
        while not self._stop.is_set():
            for shot in self._shots:
                await self._until(start + shot.due_s)
                if self._stop.is_set():
                    break
                self._send(shot)
            start += self._shots[-1].due_s
        while self._pending:
            self._idle.clear()
            await self._idle.wait()
        for sock in (self._wire, *self._sockets):
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    def _listen(self, family: int, address: str, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((address, port))
        asyncio.get_running_loop().add_reader(sock, self._received, sock, family, port)
        return sock

    async def _until(self, when: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(when):
                await self._stop.wait()

    def _send(self, shot: Shot) -> None:
        self._end(shot.key, LOST)  # a trace shorter than the timeout comes round to an unanswered request
        timer = asyncio.get_running_loop().call_later(self._timeout_s, self._end, shot.key, LOST)
        self._pending[shot.key] = shot, time.time(), time.monotonic(), timer
        self._wire.send(shot.frame)

    def _received(self, sock: socket.socket, family: int, port: int) -> None:
        try:
            packet = Packet.decode(sock.recv(MAX_DATAGRAM + 1))
        except (WireError, OSError):
            return
        if packet.header.kind in (Kind.RESPONSE, Kind.NACK):
            self._end((family, port, packet.header.request_id), read_answer(packet))

    def _end(self, key: tuple[int, int, int], answer: Answer) -> None:
        if key not in self._pending:
            return
        shot, sent_s, began, timer = self._pending.pop(key)
        timer.cancel()
        name = self._names.get(shot.func_id, f"{shot.func_id:#018x}")
        record = Record(
            client=self._client,
            sent_s=sent_s,
            latency_ms=None if answer is LOST else (time.monotonic() - began) * 1000,
            **asdict(Request("replay", None, name, shot.family, bound=False)),
            **asdict(answer),
        )
        sys.stdout.write(record.to_line())
        self._idle.set()


async def _main(arguments: argparse.Namespace) -> None:
    names = {func_id(name): name for name in arguments.functions}
    replay = Replay(load(arguments.trace), arguments.client, arguments.interface, names, arguments.timeout_s)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, replay.stop)
    await replay.run()


def main() -> None:
    """Replay the trace that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m topo.replay", description=__doc__)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--client", required=True)
    parser.add_argument("--interface", default="eth0")
    parser.add_argument("--function", action="append", default=[], dest="functions")
    parser.add_argument("--timeout-s", type=float, default=10)
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        asyncio.run(_main(arguments))
    except (OSError, TraceError) as error:
        sys.exit(f"{arguments.trace}: {error}")


if __name__ == "__main__":
    main()
