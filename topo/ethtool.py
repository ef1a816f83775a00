"""Switch off what a virtual interface would leave to hardware that isn't there.

A veth passes frames on with their checksum still to be filled in and datagrams not yet cut to size; a switch
that reads frames from a packet socket then sees bad checksums and 20 kB frames.
"""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
_IFREQ = "16sP16x"

# linux/ethtool.h: ETHTOOL_S* commands and the flag bits of ETHTOOL_SFLAGS
_SET_COMMANDS = {
    "rx-checksum": 0x00000015,
    "tx-checksum": 0x00000017,
    "scatter-gather": 0x00000019,
    "tso": 0x0000001F,
    "ufo": 0x00000022,
    "gso": 0x00000024,
    "gro": 0x0000002C,
}
_GSTRINGS, _GSSET_INFO, _GFEATURES, _SFEATURES = 0x1B, 0x37, 0x3A, 0x3B
_SS_FEATURES = 4
_NAME_LENGTH = 32
_UNWANTED = ("tx-udp-segmentation", "rx-gro", "rx-gro-list", "tx-gso-list", "tx-gso-partial")


def offloads_off(interface: str) -> None:
    """Turn off checksum and segmentation offloads of `interface` in the calling thread's namespace.

    Raises:
        OSError: there is no such interface, or the caller may not change it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _SET_COMMANDS.values():
            _ioctl(control, interface, bytearray(struct.pack("II", command, 0)))
        _features_off(control, interface)


def gro_on(interface: str) -> None:
    """Turn generic receive offload on; a veth takes XDP frames from its peer only while it is.

    Raises:
        OSError: there is no such interface, or the caller may not change it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _ioctl(control, interface, bytearray(struct.pack("II", _SET_COMMANDS["gro"], 1)))


def features(interface: str) -> dict[str, bool]:
    """Return every offload feature of `interface` by its kernel name, and whether it is on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        names = _feature_names(control, interface)
        blocks = (len(names) + 31) // 32
        request = bytearray(struct.pack("II", _GFEATURES, blocks) + bytes(16 * blocks))
        _ioctl(control, interface, request)
    words = struct.unpack_from(f"{4 * blocks}I", request, 8)  # available, requested, active, never changed
    return {name: bool(words[4 * (bit // 32) + 2] >> bit % 32 & 1) for bit, name in enumerate(names)}


def _features_off(control: socket.socket, interface: str) -> None:
    names = _feature_names(control, interface)
    blocks = (len(names) + 31) // 32
    words = [0] * (2 * blocks)  # valid, requested
    for bit, name in enumerate(names):
        if name in _UNWANTED:
            words[2 * (bit // 32)] |= 1 << bit % 32
    _ioctl(control, interface, bytearray(struct.pack(f"II{2 * blocks}I", _SFEATURES, blocks, *words)))


def _feature_names(control: socket.socket, interface: str) -> list[str]:
    request = bytearray(struct.pack("IIQI", _GSSET_INFO, 0, 1 << _SS_FEATURES, 0))
    _ioctl(control, interface, request)
    (count,) = struct.unpack_from("I", request, 16)
    request = bytearray(struct.pack("III", _GSTRINGS, _SS_FEATURES, count) + bytes(_NAME_LENGTH * count))
    _ioctl(control, interface, request)
    return [
        bytes(request[12 + _NAME_LENGTH * i : 12 + _NAME_LENGTH * (i + 1)]).rstrip(b"\0").decode()
        for i in range(count)
    ]


def _ioctl(control: socket.socket, interface: str, data: bytearray) -> None:
    buffer = array.array("B", data)
    address, _ = buffer.buffer_info()
    try:
        fcntl.ioctl(control, _SIOCETHTOOL, struct.pack(_IFREQ, interface.encode(), address))
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:  # a feature that the interface doesn't have is off
            raise OSError(error.errno, f"{interface}: {error.strerror}") from error
    data[:] = buffer.tobytes()
