// An action profile, and an action selector that two tables share.
#include <core.p4>
#include <v1model.p4>

header key_t { bit<8> what; bit<8> key; bit<32> flow; bit<16> result; }
struct headers { key_t key; }
struct metadata {}

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start { packet.extract(hdr.key); transition accept; }
}
control V(inout headers hdr, inout metadata meta) { apply {} }
control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    action set(bit<16> result) { hdr.key.result = result; }
    action drop() { mark_to_drop(std); }
    action_profile(16) profile;
    @max_group_size(256) action_selector(HashAlgorithm.crc32, 1024, 32) shared;
    table profiled { key = { hdr.key.key: exact; } actions = { set; drop; NoAction; } implementation = profile; size = 32; }
    table chosen { key = { hdr.key.key: exact; hdr.key.flow: selector; } actions = { set; NoAction; } implementation = shared; size = 32; }
    table chosen_too { key = { hdr.key.key: lpm; hdr.key.flow: selector; } actions = { set; NoAction; } implementation = shared; size = 32; }
    apply {
        std.egress_spec = 1;
        if (hdr.key.what == 0) { profiled.apply(); }
        else if (hdr.key.what == 1) { if (!chosen.apply().hit) { hdr.key.result = 0xdead; } }
        else { chosen_too.apply(); }
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
