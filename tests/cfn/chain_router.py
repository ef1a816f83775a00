"""A stand-in for the network's part in chains, AUTH and TRACE: one router on loopback."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from cfn.auth import TenantKey, authenticate
from cfn.extension_bodies import Auth, Chain, Trace, TraceRecord
from cfn.wire import AuthFault, Kind, NackCode, Packet, Report, Status

ROUTER = 9
BOUND, RESPONDED = 1, 10
"""Outcomes of the records."""


class _ChainRouter(asyncio.DatagramProtocol):
    def __init__(self, ports: dict[int, int], key: TenantKey | None) -> None:
        self._ports = ports
        self._key = key
        self._seen: dict[int, set[int]] = {}
        self._clients: dict[int, tuple[str, int]] = {}

    def connection_made(self, transport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        packet = Packet.decode(data)
        if packet.header.kind == Kind.RESPONSE:
            self._answered(packet)
            return
        self._clients[packet.header.request_id] = addr
        fault = self._fault(packet)
        if fault:
            self._refuse(packet, NackCode.UNAUTHENTICATED, fault)
        else:
            self._steer(packet)

    def _fault(self, packet: Packet) -> int:
        """What is wrong with the proof, 0 for nothing; the window is 32 (RFC 4303 §3.4.3)."""
        if self._key is None:
            return 0
        auth = packet.extensions[0] if packet.extensions else None
        if not isinstance(auth, Auth):
            return AuthFault.NO_AUTH
        if auth != authenticate(self._key, packet.header, auth.sender, auth.sequence):
            return AuthFault.WRONG_TAG
        seen = self._seen.setdefault(auth.sender, set())
        if auth.sequence in seen or auth.sequence <= max(seen, default=0) - 32:
            return AuthFault.REPLAYED
        seen.add(auth.sequence)
        return 0

    def _steer(self, packet: Packet) -> None:
        port = self._ports.get(packet.header.func_id)
        if port is None:
            self._refuse(packet, NackCode.UNKNOWN_FUNCTION)
        else:
            self._transport.sendto(_recorded(packet, BOUND).encode(), ("127.0.0.1", port))

    def _answered(self, packet: Packet) -> None:
        chain = packet.chain
        if not chain or not chain.functions:
            self._send(_recorded(packet, RESPONDED))
        elif packet.header.report.status != Status.OK:
            self._refuse(packet, NackCode.CHAIN_BROKEN, packet.header.report.status)
        else:
            following = chain.functions[0]
            header = replace(
                packet.header,
                kind=Kind.REQUEST,
                func_id=following.func_id,
                data_in=packet.header.data_out,
                data_out=following.data_out,
                affinity=0,
                timestamp=0,
                report=Report(),
            )
            rest = tuple(each for each in packet.extensions if not isinstance(each, Chain))
            left = Chain(chain.functions[1:], chain.done + 1)
            self._steer(Packet(header, packet.payload, (left, *rest)))

    def _refuse(self, packet: Packet, code: int, detail: int = 0) -> None:
        self._send(Packet(replace(packet.header, kind=Kind.NACK, report=Report(code, detail))))

    def _send(self, packet: Packet) -> None:
        self._transport.sendto(packet.encode(), self._clients[packet.header.request_id])


def _recorded(packet: Packet, outcome: int) -> Packet:
    record = TraceRecord(ROUTER, outcome, packet.header.hops, 2, 3, 1000, 0, 20)
    return replace(
        packet,
        extensions=tuple(
            replace(each, records=(record, *each.records)) if isinstance(each, Trace) else each
            for each in packet.extensions
        ),
    )


@asynccontextmanager
async def chain_router(ports: dict[int, int], key: TenantKey | None = None):
    """A router that steers to the instance of each FuncID; with a key it asks for AUTH. Yields its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _ChainRouter(ports, key), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
