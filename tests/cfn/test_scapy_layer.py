from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from cfn.extension_bodies import Auth, Chain, Trace
from cfn.extensions import Extension
from cfn.scapy_layer import (
    CFN,
    CFNAuth,
    CFNChain,
    CFNChainFunction,
    CFNExtension,
    CFNTrace,
    CFNTraceRecord,
)
from cfn.wire import Packet
from tests.cfn import vectors
from tests.cfn.strategies import packets

VECTORS = vectors.load("vector")
_LAYERS = (CFNChain, CFNAuth, CFNTrace, CFNExtension)


def layer_of(extension):
    """The scapy form of an extension, `length` and the number of functions left to the layer."""
    match extension:
        case Chain():
            functions = [
                CFNChainFunction(func_id=f.func_id, data_out=f.data_out) for f in extension.functions
            ]
            return CFNChain(done=extension.done, functions=functions)
        case Auth():
            return CFNAuth(**asdict(extension))
        case Trace():
            records = [CFNTraceRecord(**asdict(record)) for record in extension.records]
            return CFNTrace(missed=extension.missed, reserved=extension.reserved, records=records)
        case _:
            return CFNExtension(body=extension.body)


def built(packet: Packet, **computed) -> CFN:
    """The scapy form of a packet, `length` and known `next` left to the layer."""
    header = packet.header
    layer = CFN(
        kind=int(header.kind),
        report_status=header.report.status,
        report_load=header.report.load,
        report_queue=header.report.queue,
        demand_type=int(header.demand.type),
        demand_grade=header.demand.grade,
        demand_latency_ms=header.demand.latency_ms,
        demand_cost_ceiling=header.demand.cost_ceiling,
        **{
            name: getattr(header, name)
            for name in (
                "flags",
                "tenant",
                "hops",
                "priority",
                "request_id",
                "timestamp",
                "affinity",
                "func_id",
            )
        },
        data_in=header.data_in,
        data_out=header.data_out,
        **computed,
    )
    last = layer
    for extension in packet.extensions:
        last.next = extension.type
        layer /= layer_of(extension)
        last = layer.lastlayer()
    return layer / packet.payload if packet.payload else layer


def whole(vector) -> bytes:
    cfn = built(vectors.packet(vector))
    if vector["layers"] == "cfn":
        return bytes(cfn)
    ip = {"ipv4": IP(id=1), "ipv6": IPv6()}[vector["layers"]]
    ip.src, ip.dst = vector["src"], vector["dst"]
    return bytes(ip / UDP(sport=vector["sport"], dport=vector["dport"]) / cfn)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_scapy_builds_the_vector(vector):
    assert whole(vector).hex() == vectors.data(vector).hex()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_scapy_dissects_the_vector(vector):
    packet = {"cfn": CFN, "ipv4": IP, "ipv6": IPv6}[vector["layers"]](vectors.data(vector))
    cfn = packet[CFN]
    assert cfn.sprintf("%CFN.kind%") == vector["kind"]
    for name in ("flags", "tenant", "hops", "priority", "request_id", "timestamp", "affinity", "func_id"):
        assert getattr(cfn, name) == vector.get(name, 0)
    if vector["kind"] in {"NACK", "RESPONSE", "PROBE"}:
        assert cfn.sprintf("%CFN.report_status%") == vector["report"]["status"]
        assert cfn.report_queue == vector["report"]["queue"]
    assert (bytes(packet[Raw].load) if Raw in packet else b"") == bytes.fromhex(vector.get("payload", ""))
    assert Packet.decode(bytes(cfn)) == vectors.packet(vector)
    assert packet.show(dump=True)


@given(packets())
def test_scapy_and_codec_make_the_same_bytes_and_read_them_alike(packet):
    data = packet.encode()
    assert bytes(built(packet)) == data
    dissected = CFN(data)
    assert bytes(dissected) == data
    layers = [layer for layer in dissected.iterpayloads() if isinstance(layer, _LAYERS)]
    for layer, extension in zip(layers, packet.extensions, strict=True):
        alone = Packet(packet.header, extensions=(extension,)).encode()[73:]
        assert type(layer) is type(layer_of(extension))
        assert bytes(layer)[1 : 1 + len(alone)] == alone
    assert (bytes(dissected[Raw].load) if Raw in dissected else b"") == packet.payload


@given(st.binary(max_size=400))
def test_random_bytes_never_crash_the_dissector(data):
    assert CFN(data).show(dump=True)
    assert CFN(bytes([0x11, 0, 255, 3]) + bytes(68) + data).show(dump=True)


@given(st.integers(0, 4), st.binary(max_size=400))
def test_whatever_is_dissected_is_built_again_as_it_was(kind, data):
    whole = bytes([0x11, 0, 18 + len(data) // 4, kind]) + bytes(68) + data
    assert bytes(CFN(whole)) == whole


def test_stacking_an_extension_sets_next_and_pads_to_whole_words():
    layers = CFN() / CFNAuth(sender=1) / CFNTrace() / CFNExtension(body=b"abc") / b"input"
    layers[CFNTrace].next = 9
    packet = Packet.decode(bytes(layers))
    assert packet.extensions == (Auth(1, 0, 0), Trace(), Extension(9, b"abc\0\0\0"))
    assert packet.payload == b"input"


def test_what_is_not_laid_out_as_its_type_is_dissected_as_opaque():
    cfn = CFN(bytes(CFN(next=2) / CFNExtension(body=bytes(18)) / b"input"))
    assert (type(cfn.payload), len(cfn.payload.body)) == (CFNExtension, 18)
    assert cfn[Raw].load == b"input"


def test_numbers_that_are_given_are_kept_even_when_wrong():
    data = bytes(CFN(version=3, kind=14, length=5, next=77))
    assert (data[0], data[2], data[3]) == (0x3E, 5, 77)


def test_status_is_named_by_the_kind_of_packet():
    assert bytes(CFN(kind="NACK", report_status="HOP_LIMIT"))[68] == 5
    assert bytes(CFN(kind="RESPONSE", report_status="BUSY"))[68] == 2
    assert CFN(kind="NACK", report_status=2).sprintf("%CFN.report_status%") == "NOT_PERMITTED"


def test_an_answer_is_paired_with_its_request_only():
    request = CFN(request_id=5)
    assert CFN(kind="NACK", request_id=5).answers(request)
    assert CFN(kind="RESPONSE", request_id=5).answers(request)
    assert not CFN(kind="RESPONSE", request_id=6).answers(request)
    assert not CFN(request_id=5).answers(request)
    assert CFN(kind="RESPONSE", request_id=5).hashret() == request.hashret()


@pytest.mark.parametrize("ports", [{"sport": 23793, "dport": 1000}, {"sport": 1000, "dport": 23793}])
def test_udp_is_bound_both_ways(ports):
    assert CFN in IP(bytes(IP() / UDP(**ports) / Raw(bytes(CFN()))))
    assert CFN not in IP(bytes(IP() / UDP(sport=1, dport=2) / Raw(bytes(CFN()))))
