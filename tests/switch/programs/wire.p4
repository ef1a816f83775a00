// Each of the ports 1 and 2 leads to the other, whoever sends; a large table knows some of those.
#include <core.p4>
#include <v1model.p4>

header ethernet_t { bit<48> to; bit<48> from; bit<16> type; }
struct headers { ethernet_t ethernet; }
struct metadata {}

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start { packet.extract(hdr.ethernet); transition accept; }
}
control V(inout headers hdr, inout metadata meta) { apply {} }
control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    table known { key = { hdr.ethernet.from: exact; } actions = { NoAction; } size = 1048576; }
    apply { std.egress_spec = std.ingress_port == 1 ? 9w2 : 9w1; known.apply(); }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control C(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr.ethernet); } }

V1Switch(P(), V(), I(), E(), C(), D()) main;
