// Everything that makes, cuts, returns or loses packets; `what` chooses.
#include <core.p4>
#include <v1model.p4>

header order_t { bit<8> what; bit<8> count; bit<8> mark; bit<8> type; bit<16> port; bit<16> length; bit<32> kept; }
struct headers { order_t order; }
struct metadata { @field_list(1) bit<32> kept; bit<32> lost; }
struct news_t { bit<8> what; bit<48> wide; bit<128> wider; }

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start { packet.extract(hdr.order); transition accept; }
}
control V(inout headers hdr, inout metadata meta) { apply {} }

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        hdr.order.mark = hdr.order.mark + 1;
        if (hdr.order.what == 0) { mark_to_drop(std); }
        else if (hdr.order.what == 1) { std.mcast_grp = 7; }
        else if (hdr.order.what == 2) { meta.kept = 0x1234; meta.lost = 0x5678; clone_preserving_field_list(CloneType.I2E, 5, 1); }
        else if (hdr.order.what == 3 && std.instance_type == 0) { meta.kept = 0xabcd; resubmit_preserving_field_list(1); }
        else if (hdr.order.what == 4) { truncate((bit<32>)hdr.order.count); }
        else if (hdr.order.what == 5) { digest<news_t>(1, { hdr.order.what, 0x112233445566, (bit<128>)1 << 100 }); }
        else if (hdr.order.what == 6) { std.egress_spec = 510; }
        else if (hdr.order.what == 7) { log_msg("order {} of {}", { hdr.order.count, hdr.order.what }); }
        else if (hdr.order.what == 8) { assert(hdr.order.count != 0); }
        else if (hdr.order.what == 11) { resubmit_preserving_field_list(1); }
        else if (hdr.order.what == 12) { std.mcast_grp = 7; mark_to_drop(std); }
        if (std.instance_type == 6) { hdr.order.kept = meta.kept; }
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    apply {
        hdr.order.type = (bit<8>)std.instance_type;
        hdr.order.port = (bit<16>)std.egress_port;
        if (std.instance_type == 1 || std.instance_type == 2) { hdr.order.kept = meta.kept + meta.lost; }
        if (std.instance_type == 5) { hdr.order.kept = (bit<32>)std.egress_rid; }
        if (hdr.order.what == 9 && std.instance_type == 0) { meta.kept = 0x77; clone_preserving_field_list(CloneType.E2E, 5, 1); }
        if (hdr.order.what == 10 && hdr.order.count > 0) {
            hdr.order.count = hdr.order.count - 1; meta.kept = meta.kept + 1; recirculate_preserving_field_list(1);
        }
        if (hdr.order.what == 13) { mark_to_drop(std); }
        hdr.order.length = (bit<16>)std.packet_length;
    }
}
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
