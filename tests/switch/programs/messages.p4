// Messages: values of all sizes and both signs, and braces that are not places.
#include <core.p4>
#include <v1model.p4>

header values_t { bit<128> a; int<128> b; bit<200> c; bit<64> d; int<8> e; }
struct headers { values_t values; }
struct metadata {}

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start { packet.extract(hdr.values); transition accept; }
}
control V(inout headers hdr, inout metadata meta) { apply {} }
control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        log_msg("set \\{{}, {}\\}", { hdr.values.a, hdr.values.b });
        log_msg("and {} {} {wide}", { hdr.values.d, hdr.values.e, hdr.values.c });
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
