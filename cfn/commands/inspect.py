"""`cfn inspect`: what is in this packet?"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cfn.commands.failure import fail

if TYPE_CHECKING:
    from scapy.packet import Packet


class Start(StrEnum):
    """The layer that hexadecimal digits begin with."""

    AUTO = "auto"
    CFN = "cfn"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ETHERNET = "ethernet"


def inspect(
    what: Annotated[str, typer.Argument(metavar="HEX|PCAP", help="Hexadecimal digits, or a capture file.")],
    start: Annotated[
        Start, typer.Option(help="What the digits begin with; guessed from the first.")
    ] = Start.AUTO,
    full: Annotated[
        bool, typer.Option("--full", help="Show every field of every packet of a capture.")
    ] = False,
) -> None:
    """Dissect a packet given in hexadecimal digits, or the CFN packets of a capture file."""
    if os.path.isfile(what):  # not Path.is_file, which raises for long digits
        _capture(what, full)
        return
    try:
        data = bytes.fromhex(what)
    except ValueError:
        raise typer.BadParameter(f"{what!r} is neither a file nor hexadecimal digits") from None
    if not data:
        raise typer.BadParameter("no digits")
    dissect(data, start).show()


def dissect(data: bytes, start: Start) -> Packet:
    """The packet as scapy sees it."""
    from scapy.layers.inet import IP  # noqa: PLC0415 - scapy takes half a second to import
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415
    from scapy.layers.l2 import Ether  # noqa: PLC0415

    from cfn.scapy_layer import CFN  # noqa: PLC0415

    if start is Start.AUTO:
        start = {1: Start.CFN, 4: Start.IPV4, 6: Start.IPV6}.get(data[0] >> 4, Start.ETHERNET)
    layer = {Start.CFN: CFN, Start.IPV4: IP, Start.IPV6: IPv6, Start.ETHERNET: Ether}[start]
    return layer(data)


def _capture(name: str, full: bool) -> None:
    from scapy.error import Scapy_Exception  # noqa: PLC0415 - scapy takes half a second to import
    from scapy.utils import PcapReader  # noqa: PLC0415

    from cfn.scapy_layer import CFN  # noqa: PLC0415

    seen = others = 0
    try:
        with Path(name).open("rb") as file, PcapReader(file) as capture:
            for number, packet in enumerate(capture, start=1):
                if CFN not in packet:
                    others += 1
                    continue
                seen += 1
                print(f"{number:6}  {packet.summary()}")
                if full:
                    packet.show()
    except (Scapy_Exception, OSError, EOFError) as error:
        fail(f"{name}: {error}")
    print(f"{seen} CFN packets, {others} others")
