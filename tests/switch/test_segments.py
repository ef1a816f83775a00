"""Frames that are many in one: what `runtime/segment.c` makes of them (RFC 768, 791, 8200, 9293)."""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cffi
import pytest

from switch.build import RUNTIME, compiler
from tests.switch.harness import internet_checksum

NONE, TCPV4, UFO, TCPV6, UDP, ECN = 0, 1, 3, 4, 5, 0x80  # virtio 1.3 § 5.1.6
NEEDS_CSUM = 1
FIN, SYN, PSH, ACK, CWR = 0x01, 0x02, 0x08, 0x10, 0x80

DECLARATIONS = """
struct virtio_net_hdr { uint8_t flags, gso_type; uint16_t hdr_len, gso_size, csum_start, csum_offset; };
struct segments { ...; };
int segments_begin(struct segments *s, const uint8_t *frame, uint32_t length, const struct virtio_net_hdr *v);
uint32_t segments_next(struct segments *s, uint8_t *to);
"""
STATE_BYTES = 256  # more than a struct segments has


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """segment.c by itself, with the sanitizers that stop at the first fault."""
    target = tmp_path_factory.mktemp("segment") / "segment.so"
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-g", "-fsanitize=undefined", "-fno-sanitize-recover", "-shared"]
    command = [*compiler(), *flags, "-fPIC", "-o", str(target), str(RUNTIME / "segment.c")]
    subprocess.run(command, check=True, timeout=60)
    ffi: Any = cffi.FFI()
    ffi.cdef(DECLARATIONS.replace("{ ...; }", f"{{ uint64_t state[{STATE_BYTES // 8}]; }}"))
    yield ffi, ffi.dlopen(str(target))
    shutil.rmtree(target.parent)


@dataclass(frozen=True)
class Kind:
    """What lies around the payload."""

    version: int
    tcp: bool
    tags: bytes = b""
    extensions: bytes = b""  # IPv4 options or IPv6 extension headers, whose last names `protocol`

    @property
    def protocol(self) -> int:
        return 6 if self.tcp else 17

    @property
    def gso_type(self) -> int:
        return (TCPV4 if self.version == 4 else TCPV6) if self.tcp else UDP

    @property
    def network(self) -> int:
        return 14 + len(self.tags)

    @property
    def transport(self) -> int:
        return self.network + (20 if self.version == 4 else 40) + len(self.extensions)

    @property
    def payload(self) -> int:
        return self.transport + (32 if self.tcp else 8)


KINDS = {
    "tcp 4": Kind(4, True),
    "tcp 6": Kind(6, True),
    "udp 4": Kind(4, False),
    "udp 6": Kind(6, False),
    "tcp 4, options": Kind(4, True, extensions=b"\x94\x04\x00\x00"),
    "udp 6, hop by hop and destination": Kind(
        6, False, extensions=b"\x3c\x00\x01\x04\0\0\0\0" + b"\x11\x01\x01\x0c" + bytes(12)
    ),
    "tcp 4, one tag": Kind(4, True, tags=b"\x81\x00\x00\x07"),
    "udp 6, two tags": Kind(6, False, tags=b"\x88\xa8\x00\x07\x81\x00\x00\x08"),
}


def frame_of(kind: Kind, payload: bytes, flags: int = ACK | PSH | FIN | CWR, check: int = 0x1234) -> bytes:
    """A frame as a stack hands it to an interface that splits: one length, no checksum yet."""
    if kind.tcp:
        transport = struct.pack("!HHIIBBHHH", 80, 4000, 0xFFFFFF00, 7, 8 << 4, flags, 512, check, 0)
        transport += b"\x01\x01\x08\x0a" + bytes(8) + payload
    else:
        transport = struct.pack("!HHHH", 53, 4000, 8 + len(payload), check) + payload
    length = len(kind.extensions) + len(transport)
    if kind.version == 4:
        first, total = 0x45 + len(kind.extensions) // 4, 20 + length & 0xFFFF
        head = struct.pack("!BBHHHBBH", first, 3, total, 0xFFFE, 0x4000, 9, kind.protocol, 0xDEAD)
        network = head + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + kind.extensions
    else:
        first = kind.protocol if not kind.extensions else 0
        network = struct.pack("!IHBB", 6 << 28 | 0x12345, length & 0xFFFF, first, 9)
        network += bytes(range(32)) + kind.extensions
    ether_type = b"\x08\x00" if kind.version == 4 else b"\x86\xdd"
    return bytes(range(12)) + kind.tags + ether_type + network + transport


def split(library: tuple[Any, Any], frame: bytes, offload: tuple[int, ...]) -> list[bytes] | None:
    """All segments, None where there are none. `offload`: flags, type, size, start of the checksum."""
    ffi, lib = library
    flags, gso_type, size, start = offload
    header = ffi.new("struct virtio_net_hdr *", (flags, gso_type, 0, size, start, 0))
    state, kept = (
        ffi.new("struct segments *"),
        ffi.new("uint8_t[]", frame),
    )  # with a 0 more than the frame has
    if lib.segments_begin(state, kept, len(frame), header):
        return None
    room, found = ffi.new("uint8_t[]", 1 << 17), []
    while length := lib.segments_next(state, room):
        found.append(bytes(ffi.buffer(room, length)))
    return found


def pseudo(kind: Kind, segment: bytes) -> bytes:
    length = len(segment) - kind.transport
    if kind.version == 4:
        return segment[kind.network + 12 : kind.network + 20] + struct.pack("!HH", kind.protocol, length)
    return segment[kind.network + 8 : kind.network + 40] + struct.pack("!II", length, kind.protocol)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 3000, 60001])
def test_segments_are_packets_of_their_own(library: tuple[Any, Any], kind: Kind, count: int) -> None:
    payload = bytes(i * 7 & 0xFF for i in range(count))
    frame = frame_of(kind, payload)
    segments = split(library, frame, (NEEDS_CSUM, kind.gso_type, 1000, kind.transport))
    assert segments is not None
    assert b"".join(segment[kind.payload :] for segment in segments) == payload
    assert {len(segment) - kind.payload for segment in segments[:-1]} <= {1000}
    assert len(segments) == (count + 999) // 1000
    for i, segment in enumerate(segments):
        length = len(segment)
        assert segment[: kind.network] == frame[: kind.network]
        assert internet_checksum(pseudo(kind, segment) + segment[kind.transport :]) == 0
        if kind.version == 4:
            assert internet_checksum(segment[kind.network : kind.transport]) == 0
            total, number = struct.unpack_from("!HH", segment, kind.network + 2)
            assert (total, number) == (length - kind.network, 0xFFFE + i & 0xFFFF)
        else:
            assert struct.unpack_from("!H", segment, kind.network + 4) == (length - kind.network - 40,)
        if not kind.tcp:
            assert struct.unpack_from("!H", segment, kind.transport + 4) == (length - kind.transport,)
            continue
        assert struct.unpack_from("!I", segment, kind.transport + 4) == (0xFFFFFF00 + 1000 * i & 0xFFFFFFFF,)
        last = i == len(segments) - 1
        assert segment[kind.transport + 13] == ACK | (CWR if i == 0 else 0) | (FIN | PSH if last else 0)


def test_a_datagram_without_a_checksum_stays_without(library: tuple[Any, Any]) -> None:
    kind = KINDS["udp 4"]
    segments = split(library, frame_of(kind, bytes(300), check=0), (0, UDP, 100, 0))
    assert segments is not None
    assert [segment[kind.transport + 6 : kind.transport + 8] for segment in segments] == [b"\0\0"] * 3


def test_a_sum_of_zero_is_sent_as_all_ones(library: tuple[Any, Any]) -> None:
    """RFC 768: zero would say that there is none."""
    kind = KINDS["udp 4"]
    ones = None
    for value in range(1 << 16):
        probe = frame_of(kind, struct.pack("!H", value))
        without = probe[: kind.transport + 6] + b"\0\0" + probe[kind.transport + 8 :]
        if internet_checksum(pseudo(kind, without) + without[kind.transport :]) == 0:
            ones = split(library, probe, (NEEDS_CSUM, UDP, 100, kind.transport))
            break
    assert ones is not None
    assert ones[0][kind.transport + 6 : kind.transport + 8] == b"\xff\xff"


def changed(frame: bytes, at: int, new: bytes) -> bytes:
    return frame[:at] + new + frame[at + len(new) :]


T4, T6 = KINDS["tcp 4"], KINDS["tcp 6"]
WHOLE_4, WHOLE_6 = frame_of(T4, bytes(100)), frame_of(T6, bytes(100))
GOOD_4, GOOD_6 = (NEEDS_CSUM, TCPV4, 50, T4.transport), (NEEDS_CSUM, TCPV6, 50, T6.transport)
UNSPLIT = {
    "an inner checksum": (WHOLE_4, (NEEDS_CSUM, TCPV4, 50, T4.transport + 50)),
    "no size": (WHOLE_4, (NEEDS_CSUM, TCPV4, 0, T4.transport)),
    "UDP fragmentation offload": (frame_of(KINDS["udp 4"], bytes(100)), (NEEDS_CSUM, UFO, 50, 34)),
    "UDP where TCP was said": (frame_of(KINDS["udp 4"], bytes(100)), (NEEDS_CSUM, TCPV4, 50, 34)),
    "IPv6 where IPv4 was said": (WHOLE_6, (NEEDS_CSUM, TCPV4, 50, T6.transport)),
    "a fragment": (changed(WHOLE_4, 20, b"\x20\x00"), GOOD_4),
    "no IP": (changed(WHOLE_4, 12, b"\x88\x47"), GOOD_4),
    "another version inside": (changed(WHOLE_4, 14, b"\x65"), GOOD_4),
    "a short IPv4 header": (changed(WHOLE_4, 14, b"\x44"), GOOD_4),
    "an IPv4 header past the end": (changed(WHOLE_4[:70], 14, b"\x4f"), GOOD_4),
    "a short TCP header": (changed(WHOLE_4, T4.transport + 12, b"\x40"), GOOD_4),
    "a TCP header past the end": (changed(WHOLE_4[:70], T4.transport + 12, b"\xf0"), GOOD_4),
    "another protocol": (changed(WHOLE_4, 23, b"\x2f"), GOOD_4),
    "a routing header": (changed(WHOLE_6, 20, b"\x2b"), GOOD_6),
    "extension headers without end": (changed(WHOLE_6[:70], 20, b"\0"), GOOD_6),
    "nothing after the headers": (WHOLE_4[: T4.payload], GOOD_4),
}


@pytest.mark.parametrize(("frame", "offload"), UNSPLIT.values(), ids=UNSPLIT)
def test_what_cannot_be_split_is_refused(
    library: tuple[Any, Any], frame: bytes, offload: tuple[int, ...]
) -> None:
    assert split(library, frame, offload) is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_cut_of_a_frame_is_taken_or_refused_within_it(library: tuple[Any, Any], kind: Kind) -> None:
    whole = frame_of(kind, bytes(40))
    for length in range(len(whole) + 1):
        segments = split(library, whole[:length], (NEEDS_CSUM, kind.gso_type, 7, kind.transport))
        assert (segments is None) == (length <= kind.payload)
