"""Generic receive offload of an interface; a veth takes XDP frames from its peer only while it is on."""

from __future__ import annotations

import array
import fcntl
import socket
import struct

from topo import netns

_SIOCETHTOOL = 0x8946
_ETHTOOL_SGRO = 0x2C  # linux/ethtool.h


def turn_on(namespace: str, interface: str) -> None:
    """Turn it on.

    Raises:
        OSError: there is no such interface, or the caller may not change it.
    """
    setting = array.array("B", struct.pack("II", _ETHTOOL_SGRO, 1))
    address, _ = setting.buffer_info()
    with netns.entered(namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), address))
