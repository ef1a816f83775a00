"""Frames built and judged with scapy: requests as a client would send them, and what routers make of them."""

from __future__ import annotations

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from bench.workload import Marks
from cfn.wire import PORT, Header, Packet

ETHERNET = 14
IPV4 = 20
UDP_HEADER = 8
CFN_AT = ETHERNET + IPV4 + UDP_HEADER
"""Offset of the CFN header in a frame over UDP and IPv4 without options."""
CFN_MARKS = Marks(number=CFN_AT + 8, stamp=CFN_AT + 32, checksum=CFN_AT - 2)
"""request_id and data_in (docs/wire-format.md) carry number and time."""


def request(macs: tuple[str, str], addresses: tuple[str, str], source_port: int, header: Header) -> bytes:
    """Return the frame of a request without payload.

    Args:
        macs: source and destination.
        addresses: source and destination, IPv4.
        source_port: the client's UDP port.
        header: the request.
    """
    frame = (
        Ether(src=macs[0], dst=macs[1])
        / IP(src=addresses[0], dst=addresses[1], flags="DF")
        / UDP(sport=source_port, dport=PORT)
        / Packet(header).encode()
    )
    return bytes(frame)


def cfn_of(frame: bytes) -> Packet:
    """Return the CFN packet in a frame.

    Raises:
        cfn.wire_error.WireError: there is none.
    """
    return Packet.decode(frame[CFN_AT:])


def ipv4_of(frame: bytes) -> IP:
    """Return the IPv4 packet in a frame."""
    return Ether(frame)[IP]


def checksum_fault(frame: bytes) -> str | None:
    """Say which checksum of a UDP datagram over IPv4 is wrong, None when both are right."""
    received = Ether(frame)
    fresh = received.copy()
    del fresh[IP].chksum
    del fresh[UDP].chksum
    expected = Ether(bytes(fresh))
    for layer in (IP, UDP):
        if received[layer].chksum != expected[layer].chksum:
            found, right = received[layer].chksum, expected[layer].chksum
            return f"{layer.__name__} checksum {found:#06x} should be {right:#06x}"
    return None


def routed_fault(sent: bytes, received: bytes) -> str | None:
    """Say what is wrong with a frame that was only routed, None when nothing is."""
    before, after = ipv4_of(sent), ipv4_of(received)
    if after.dst != before.dst:
        return f"destination {before.dst} became {after.dst}"
    if after.ttl != before.ttl - 1:
        return f"TTL {before.ttl} became {after.ttl}"
    return checksum_fault(received)
