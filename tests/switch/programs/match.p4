// Every match kind, with direct counters, priorities, const entries, hit/miss and action_run.
#include <core.p4>
#include <v1model.p4>

header key_t { bit<8> kind; bit<8> a; bit<16> b; bit<32> c; bit<128> d; }
header result_t { bit<8> code; bit<8> more; }
struct headers { key_t key; result_t result; }
struct metadata { bit<8> run; }

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start { packet.extract(hdr.key); packet.extract(hdr.result); transition accept; }
}
control V(inout headers hdr, inout metadata meta) { apply {} }

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    direct_counter(CounterType.packets_and_bytes) seen;
    action say(bit<8> code) { hdr.result.code = code; seen.count(); }
    action set(bit<8> code) { hdr.result.code = code; }
    action silent() { hdr.result.code = 0xee; }
    table exact_t {
        key = { hdr.key.a: exact; hdr.key.d: exact; }
        actions = { say; NoAction; }
        counters = seen;
        size = 8;
    }
    table lpm_t { key = { hdr.key.a: exact; hdr.key.c: lpm; } actions = { set; silent; } default_action = silent(); size = 1024; }
    table lpm128_t { key = { hdr.key.d: lpm; } actions = { set; NoAction; } size = 1024; }
    table ternary_t { key = { hdr.key.b: ternary; hdr.key.c: lpm; hdr.key.a: exact; } actions = { set; NoAction; } size = 64; }
    table range_t { key = { hdr.key.b: range; hdr.key.a: ternary; } actions = { set; NoAction; } size = 64; }
    table optional_t { key = { hdr.key.b: optional; hdr.key.a: optional; } actions = { set; NoAction; } size = 64; }
    table const_t {
        key = { hdr.key.a: ternary; hdr.key.b: range; }
        actions = { set; NoAction; }
        const default_action = set(9);
        const entries = {
            (1, _): set(1);
            (0x10 &&& 0xf0, 5..9): set(2);
            (0x10 &&& 0xf0, _): set(3);
        }
    }
    table valid_t { key = { hdr.result.isValid(): exact; hdr.key.a[3:0]: exact @name("nibble"); } actions = { set; NoAction; } size = 32; }
    table run_t { key = { hdr.key.a: exact; } actions = { set; silent; NoAction; } size = 32; }
    table idle_t { key = { hdr.key.a: exact; } actions = { set; NoAction; } support_timeout = true; size = 32; }
    apply {
        std.egress_spec = 1;
        if (hdr.key.kind == 0) { if (exact_t.apply().hit) hdr.result.more = 1; else hdr.result.more = 2; }
        else if (hdr.key.kind == 1) lpm_t.apply();
        else if (hdr.key.kind == 2) ternary_t.apply();
        else if (hdr.key.kind == 3) range_t.apply();
        else if (hdr.key.kind == 4) optional_t.apply();
        else if (hdr.key.kind == 5) const_t.apply();
        else if (hdr.key.kind == 6) valid_t.apply();
        else if (hdr.key.kind == 7) {
            switch (run_t.apply().action_run) {
                set: { hdr.result.more = 1; }
                silent: { hdr.result.more = 2; exit; }
                default: { hdr.result.more = 3; }
            }
            hdr.result.code = hdr.result.code + 0x80;
        }
        else if (hdr.key.kind == 8) lpm128_t.apply();
        else if (hdr.key.kind == 9) idle_t.apply();
        else mark_to_drop(std);
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
