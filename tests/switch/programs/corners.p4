// Corners of v1model: every hash algorithm of BMv2, wide ranges, keys in headers made invalid, widths next to
// machine words, saturation, casts of signed numbers, shifts over the width.
#include <core.p4>
#include <v1model.p4>

header head_t { bit<8> what; bit<8> amount; bit<48> found; }
header wide_t { bit<65> a; bit<65> b; bit<127> c; bit<129> d; int<33> s; int<33> t; bit<4> pad; }
header odd_t { bit<3> x; bit<13> y; int<7> i; int<9> j; bit<8> left; }
struct headers { head_t head; wide_t wide; odd_t odd; odd_t[3] stack; }
struct inner_t { bit<8> first; bit<16> second; }
struct metadata { bit<32> h32; bit<16> h16; bit<8> last; inner_t inner; }

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.head);
        packet.extract(hdr.wide);
        packet.extract(hdr.odd);
        meta.inner = packet.lookahead<inner_t>();
        transition select(hdr.odd.left, meta.inner.first) {
            (0, _): accept;
            (1 .. 3, 0 .. 0x7f): stack;
            (_, 0x80 &&& 0xc0): stack;
            default: accept;
        }
    }
    state stack {
        packet.extract(hdr.stack.next);
        meta.last = (bit<8>)hdr.stack.lastIndex;
        transition select(hdr.stack.last.left, meta.last) { (0, _): accept; (_, 2): accept; default: stack; }
    }
}
control V(inout headers hdr, inout metadata meta) { apply {} }

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    action note(bit<48> found) { hdr.head.found = found; }
    table range_t {
        key = { hdr.wide.c: range; hdr.wide.a: range; hdr.head.amount: ternary; }
        actions = { note; NoAction; }
        size = 64;
    }
    table narrow_range_t { key = { hdr.odd.y: range; hdr.odd.x: range; } actions = { note; NoAction; } size = 64; }
    table gone_t { key = { hdr.odd.y: exact; hdr.odd.isValid(): exact; } actions = { note; NoAction; } size = 64; }
    table gone_ternary_t {
        key = { hdr.odd.y: ternary; hdr.wide.d: ternary; }
        actions = { note; NoAction; }
        const entries = {
            (0, _): note(1) @priority(30);
            (5, 0): note(2) @priority(10);
            (_, 7 &&& 7): note(3) @priority(20);
        }
    }
    table optional_t { key = { hdr.wide.b: optional; hdr.odd.i: exact; } actions = { note; NoAction; } size = 64; }
    action hashes() {
        hash(meta.h32, HashAlgorithm.crc32_custom, (bit<32>)0, { hdr.wide.a, hdr.odd.x, hdr.odd.j }, 64w0x100000000);
        hash(meta.h16, HashAlgorithm.crc16_custom, (bit<16>)3, { hdr.wide.d, hdr.wide.pad, hdr.odd.y }, 32w0xfff0);
        hdr.head.found = meta.h32 ++ meta.h16;
        hash(meta.h16, HashAlgorithm.xor16, (bit<16>)0, { hdr.odd.y, hdr.odd.i, hdr.wide.c }, 32w0x10000);
        hash(hdr.odd.left, HashAlgorithm.identity, (bit<8>)0, { hdr.wide.c }, 16w256);
        hash(hdr.wide.pad, HashAlgorithm.csum16, (bit<4>)0, { hdr.odd.x, hdr.wide.s, hdr.head.amount }, 8w16);
        hdr.odd.y = meta.h16[12:0];
    }
    action numbers() {
        bit<65> a = hdr.wide.a;
        hdr.wide.a = hdr.wide.a |+| hdr.wide.b;
        hdr.wide.b = a |-| hdr.wide.b;
        hdr.wide.c = hdr.wide.c << hdr.head.amount;
        hdr.wide.d = hdr.wide.d >> hdr.head.amount;
        hdr.odd.i = hdr.odd.i |+| (int<7>)hdr.odd.j;
        hdr.odd.j = (int<9>)hdr.odd.i |-| hdr.odd.j;
        hdr.wide.s = hdr.wide.s >> hdr.head.amount;
        hdr.wide.t = -hdr.wide.t;
    }
    action casts() {
        hdr.wide.d = (bit<129>)(int<129>)hdr.wide.s;
        hdr.wide.c = (bit<127>)((bit<33>)hdr.wide.t ++ 94w5) | hdr.wide.c;
        hdr.wide.t = (int<33>)(bit<33>)hdr.wide.a;
        hdr.odd.i = (int<7>)hdr.odd.j * hdr.odd.i;
        hdr.odd.y = (bit<13>)hdr.odd.x * hdr.odd.y - 1;
        hdr.head.found[40:33] = hdr.wide.d[128:121];
        hdr.wide.a[64:64] = (bit<1>)(hdr.wide.s < hdr.wide.t);
    }
    apply {
        std.egress_spec = 1;
        hdr.head.found[7:0] = meta.inner.first;
        if (hdr.head.what == 0) { range_t.apply(); }
        else if (hdr.head.what == 1) { narrow_range_t.apply(); }
        else if (hdr.head.what == 2) { if (hdr.head.amount > 9) { hdr.odd.setInvalid(); } gone_t.apply(); }
        else if (hdr.head.what == 3) { if (hdr.head.amount > 9) { hdr.odd.setInvalid(); } gone_ternary_t.apply(); }
        else if (hdr.head.what == 4) { hashes(); }
        else if (hdr.head.what == 5) { numbers(); }
        else if (hdr.head.what == 6) { casts(); }
        else if (hdr.head.what == 7) { hdr.stack.pop_front(1); hdr.odd = hdr.stack[0]; }
        else if (hdr.head.what == 8) { hdr.stack.push_front(2); hdr.stack[1] = hdr.odd; }
        else if (hdr.head.what == 9) { if (hdr.stack[0] == hdr.odd) { hdr.head.found = 1; } else { hdr.head.found = 2; } }
        else { optional_t.apply(); }
        log_msg("what {} amount {}", { hdr.head.what, hdr.odd.i });
        assume(hdr.head.isValid());
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
