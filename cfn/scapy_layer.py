"""The CFN header as a scapy layer, to build, show and dissect packets.

    from cfn.scapy_layer import CFN, CFNTrace
    packet = IP(dst="10.255.0.1") / UDP(sport=40000, dport=23793) / CFN(func_id=0x1234) / CFNTrace() / b"in"

Field names are those of `docs/wire-format.md`. `length` is computed when it is None, and `next` follows from
the extension stacked on top; give either a number to build a packet that is wrong on purpose. An extension of
a type without a class of its own, or with a body that is not its type's, is
`CFN(next=9) / CFNExtension(body=…)`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from scapy.fields import (
    BitEnumField,
    BitField,
    ByteEnumField,
    ByteField,
    FieldLenField,
    IntField,
    MultiEnumField,
    PacketListField,
    ShortField,
    StrLenField,
    XLongField,
    XStrFixedLenField,
)
from scapy.layers.inet import UDP
from scapy.packet import Packet, Raw, bind_bottom_up, bind_layers

from cfn.extension_bodies import MAX_CHAIN, ExtensionType
from cfn.wire import (
    BASE_LENGTH,
    BASE_WORDS,
    DEFAULT_HOPS,
    NO_DATA,
    PORT,
    VERSION,
    ComputeType,
    Kind,
    NackCode,
    ProbeStatus,
    Status,
)

_EXTENSION_NAMES = {0: "none", **{member.value: member.name for member in ExtensionType}}
_STATUS_NAMES = {
    Kind.RESPONSE.value: {member.value: member.name for member in Status},
    Kind.NACK.value: {member.value: member.name for member in NackCode},
    Kind.PROBE.value: {member.value: member.name for member in ProbeStatus},
}


def _kind_of(packet: Any) -> int:
    return Kind.REQUEST if packet is None else packet.kind


class CFN(Packet):
    """The base header; what `report_load` and `report_queue` of a NACK say depends on its code."""

    name = "CFN"
    fields_desc: ClassVar[list[Any]] = [
        BitField("version", VERSION, 4),
        BitEnumField("kind", Kind.REQUEST.value, 4, {member.value: member.name for member in Kind}),
        ByteField("flags", 0),
        ByteField("length", None),
        ByteEnumField("next", 0, _EXTENSION_NAMES),
        ShortField("tenant", 0),
        ByteField("hops", DEFAULT_HOPS),
        ByteField("priority", 0),
        IntField("request_id", 0),
        IntField("timestamp", 0),
        XLongField("affinity", 0),
        XLongField("func_id", 0),
        XStrFixedLenField("data_in", NO_DATA, length=16),
        XStrFixedLenField("data_out", NO_DATA, length=16),
        BitEnumField("demand_type", 0, 4, {member.value: member.name for member in ComputeType}),
        BitField("demand_grade", 0, 4),
        ShortField("demand_latency_ms", 0),
        ByteField("demand_cost_ceiling", 0),
        MultiEnumField("report_status", 0, _STATUS_NAMES, depends_on=_kind_of, fmt="B"),
        ByteField("report_load", 0),
        ShortField("report_queue", 0),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        """What is too short for the base header is dissected as raw bytes."""
        return Raw if _pkt and len(_pkt) < BASE_LENGTH else cls

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Fill in the length of header and extensions."""
        if self.length is None:
            words = BASE_WORDS
            layer = self.payload
            while isinstance(layer, _Extension):
                words += layer.words()
                layer = layer.payload
            pkt = pkt[:2] + bytes([min(words, 0xFF)]) + pkt[3:]
        return pkt + pay

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """The first extension's class where the header has room for one, else payload."""
        if self.next == 0 or self.length <= BASE_WORDS:
            return Raw
        return _extension_class(self.next, payload)

    def hashret(self) -> bytes:
        """What a request and its answer have in common."""
        return self.request_id.to_bytes(4)

    def answers(self, other: Packet) -> int:
        """Whether this is the response or the NACK to `other`, so that `sr1` pairs them."""
        return int(
            isinstance(other, CFN)
            and self.kind in {Kind.RESPONSE, Kind.NACK}
            and other.kind not in {Kind.RESPONSE, Kind.NACK}
            and self.request_id == other.request_id
        )

    def mysummary(self) -> str:
        """Kind, function and request in one line."""
        return self.sprintf("CFN %CFN.kind% %CFN.func_id% request %CFN.request_id%")


class _Extension(Packet):
    """What all extensions have in common: `next` and `length` before their other fields."""

    def words(self) -> int:
        """Length in 32-bit words, as it is or will be built."""
        return (len(self.self_build()) + 3) // 4 if self.length is None else self.length

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Fill in the length, and the padding that makes it whole words."""
        if self.length is None:
            words = (len(pkt) + 3) // 4
            pkt = (pkt[:1] + bytes([min(words, 0xFF)]) + pkt[2:]).ljust(words * 4, b"\0")
        return pkt + pay

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """The following extension's class while the base header's length has room for it."""
        words, layer = BASE_WORDS, self
        while isinstance(layer, _Extension):
            words += layer.words()
            layer = layer.underlayer
        if self.next == 0 or self.length == 0 or layer is None or words >= layer.length:
            return Raw
        return _extension_class(self.next, payload)


class CFNExtension(_Extension):
    """An extension of a type that has no class of its own; padded with zeros when `length` is computed."""

    name = "CFN extension"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("next", 0, _EXTENSION_NAMES),
        ByteField("length", None),
        StrLenField("body", b"\0\0", length_from=lambda packet: max(0, packet.length * 4 - 2)),
    ]


class _ListItem(Packet):
    """An element of an extension's list: what follows it is the next element."""

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """Nothing rides on it."""
        return b"", s


class CFNChainFunction(_ListItem):
    """A function of a CHAIN."""

    name = "CFN chain function"
    fields_desc: ClassVar[list[Any]] = [
        XLongField("func_id", 0),
        XStrFixedLenField("data_out", NO_DATA, length=16),
    ]


class CFNChain(_Extension):
    """The functions still to run."""

    name = "CFN chain"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("next", 0, _EXTENSION_NAMES),
        ByteField("length", None),
        ByteField("done", 0),
        FieldLenField("left", None, fmt="B", count_of="functions"),
        PacketListField("functions", [], CFNChainFunction, count_from=lambda packet: packet.left),
    ]


class CFNAuth(_Extension):
    """Who sent the request, and the proof."""

    name = "CFN auth"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("next", 0, _EXTENSION_NAMES),
        ByteField("length", None),
        ShortField("sender", 0),
        IntField("sequence", 0),
        XLongField("tag", 0),
    ]


class CFNTraceRecord(_ListItem):
    """What one router says of the packet."""

    name = "CFN trace record"
    fields_desc: ClassVar[list[Any]] = [
        ShortField("router", 0),
        ByteField("outcome", 0),
        ByteField("hops", 0),
        ShortField("site", 0),
        ShortField("instance", 0),
        IntField("time_us", 0),
        ShortField("queue", 0),
        ShortField("residence_us", 0),
    ]


class CFNTrace(_Extension):
    """One record per router, the newest first."""

    name = "CFN trace"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("next", 0, _EXTENSION_NAMES),
        ByteField("length", None),
        ByteField("missed", 0),
        ByteField("reserved", 0),
        PacketListField("records", [], CFNTraceRecord, length_from=lambda packet: packet.length * 4 - 4),
    ]


_EXTENSION_CLASSES: dict[int, type[_Extension]] = {
    ExtensionType.CHAIN: CFNChain,
    ExtensionType.AUTH: CFNAuth,
    ExtensionType.TRACE: CFNTrace,
}


def _extension_class(extension_type: int, data: bytes) -> type[_Extension]:
    """The class of the type if the extension is laid out as that, else the opaque one."""
    words, left = (data[1], data[3]) if len(data) >= 4 else (0, 0)
    layouts: dict[int, bool] = {
        ExtensionType.CHAIN: left <= MAX_CHAIN and words == 1 + 6 * left,
        ExtensionType.AUTH: words == 4,
        ExtensionType.TRACE: words % 4 == 1,
    }
    fits = len(data) >= words * 4 and layouts.get(extension_type, False)
    return _EXTENSION_CLASSES[extension_type] if fits else CFNExtension


bind_bottom_up(UDP, CFN, sport=PORT)
bind_bottom_up(UDP, CFN, dport=PORT)
bind_layers(UDP, CFN, dport=PORT)
for _type, _layer in _EXTENSION_CLASSES.items():
    for _lower in (CFN, CFNExtension, *_EXTENSION_CLASSES.values()):
        bind_layers(_lower, _layer, next=int(_type))
