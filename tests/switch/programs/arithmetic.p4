// Integer arithmetic at widths below, at and above machine words; `op` chooses, the result replaces the operands.
#include <core.p4>
#include <v1model.p4>

header op_t { bit<8> op; }
header narrow_t { bit<8> a; bit<8> b; bit<8> r; int<8> s; int<8> t; int<8> u; }
header odd_t { bit<13> a; bit<13> b; bit<13> r; bit<1> pad; }
header word_t { bit<32> a; bit<32> b; bit<32> r; }
header long_t { bit<64> a; bit<64> b; bit<64> r; }
header huge_t { bit<128> a; bit<128> b; bit<128> r; }
header vast_t { bit<200> a; bit<200> b; bit<200> r; }
struct headers { op_t op; narrow_t n; odd_t o; word_t w; long_t l; huge_t h; vast_t v; }
struct metadata {}

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.op); packet.extract(hdr.n); packet.extract(hdr.o); packet.extract(hdr.w);
        packet.extract(hdr.l); packet.extract(hdr.h); packet.extract(hdr.v); transition accept;
    }
}
control V(inout headers hdr, inout metadata meta) { apply {} }

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        if (hdr.op.op == 0) {
            hdr.n.r = hdr.n.a + hdr.n.b; hdr.n.u = hdr.n.s + hdr.n.t; hdr.o.r = hdr.o.a + hdr.o.b; hdr.w.r = hdr.w.a + hdr.w.b;
            hdr.l.r = hdr.l.a + hdr.l.b; hdr.h.r = hdr.h.a + hdr.h.b; hdr.v.r = hdr.v.a + hdr.v.b;
        } else if (hdr.op.op == 1) {
            hdr.n.r = hdr.n.a - hdr.n.b; hdr.n.u = hdr.n.s - hdr.n.t; hdr.o.r = hdr.o.a - hdr.o.b; hdr.w.r = hdr.w.a - hdr.w.b;
            hdr.l.r = hdr.l.a - hdr.l.b; hdr.h.r = hdr.h.a - hdr.h.b; hdr.v.r = hdr.v.a - hdr.v.b;
        } else if (hdr.op.op == 2) {
            hdr.n.r = hdr.n.a * hdr.n.b; hdr.n.u = hdr.n.s * hdr.n.t; hdr.o.r = hdr.o.a * hdr.o.b; hdr.w.r = hdr.w.a * hdr.w.b;
            hdr.l.r = hdr.l.a * hdr.l.b; hdr.h.r = hdr.h.a * hdr.h.b; hdr.v.r = hdr.v.a * hdr.v.b;
        } else if (hdr.op.op == 3) {
            hdr.n.r = hdr.n.a & hdr.n.b; hdr.n.u = hdr.n.s & hdr.n.t; hdr.o.r = hdr.o.a | hdr.o.b; hdr.w.r = hdr.w.a ^ hdr.w.b;
            hdr.l.r = ~hdr.l.a; hdr.h.r = hdr.h.a ^ hdr.h.b; hdr.v.r = ~hdr.v.a;
        } else if (hdr.op.op == 4) {
            hdr.n.r = hdr.n.a << hdr.n.b; hdr.n.u = hdr.n.s << hdr.n.b; hdr.o.r = hdr.o.a << hdr.n.b; hdr.w.r = hdr.w.a << hdr.n.b;
            hdr.l.r = hdr.l.a << hdr.n.b; hdr.h.r = hdr.h.a << hdr.n.b; hdr.v.r = hdr.v.a << hdr.n.b;
        } else if (hdr.op.op == 5) {
            hdr.n.r = hdr.n.a >> hdr.n.b; hdr.n.u = hdr.n.s >> hdr.n.b; hdr.o.r = hdr.o.a >> hdr.n.b; hdr.w.r = hdr.w.a >> hdr.n.b;
            hdr.l.r = hdr.l.a >> hdr.n.b; hdr.h.r = hdr.h.a >> hdr.n.b; hdr.v.r = hdr.v.a >> hdr.n.b;
        } else if (hdr.op.op == 6) {
            hdr.n.r = hdr.n.a |+| hdr.n.b; hdr.n.u = hdr.n.s |+| hdr.n.t; hdr.o.r = hdr.o.a |+| hdr.o.b; hdr.w.r = hdr.w.a |+| hdr.w.b;
            hdr.l.r = hdr.l.a |+| hdr.l.b; hdr.h.r = hdr.h.a |+| hdr.h.b; hdr.v.r = hdr.v.a |+| hdr.v.b;
        } else if (hdr.op.op == 7) {
            hdr.n.r = hdr.n.a |-| hdr.n.b; hdr.n.u = hdr.n.s |-| hdr.n.t; hdr.o.r = hdr.o.a |-| hdr.o.b; hdr.w.r = hdr.w.a |-| hdr.w.b;
            hdr.l.r = hdr.l.a |-| hdr.l.b; hdr.h.r = hdr.h.a |-| hdr.h.b; hdr.v.r = hdr.v.a |-| hdr.v.b;
        } else if (hdr.op.op == 8) {
            hdr.n.r = (bit<8>)(bit<1>)(hdr.n.a < hdr.n.b); hdr.n.u = (int<8>)(bit<8>)(bit<1>)(hdr.n.s < hdr.n.t);
            hdr.o.r = (bit<13>)(bit<1>)(hdr.o.a <= hdr.o.b); hdr.w.r = (bit<32>)(bit<1>)(hdr.w.a > hdr.w.b);
            hdr.l.r = (bit<64>)(bit<1>)(hdr.l.a >= hdr.l.b); hdr.h.r = (bit<128>)(bit<1>)(hdr.h.a < hdr.h.b);
            hdr.v.r = (bit<200>)(bit<1>)(hdr.v.a < hdr.v.b);
        } else if (hdr.op.op == 9) {
            hdr.n.r = hdr.w.a[19:12]; hdr.n.u = -hdr.n.s; hdr.o.r = hdr.w.b[12:0]; hdr.w.r = hdr.n.a ++ hdr.n.b ++ (hdr.n.a ++ hdr.n.b);
            hdr.l.r = (bit<64>)(int<64>)(int<8>)hdr.n.s; hdr.h.r = hdr.l.a ++ hdr.l.b; hdr.v.r = hdr.h.a[99:0] ++ hdr.h.b[127:28];
            hdr.v.a[150:23] = hdr.h.b;
        } else if (hdr.op.op == 10) {
            hdr.n.r = hdr.n.a == 0 ? hdr.n.b : hdr.n.a - hdr.n.b;
            hdr.w.r = (hdr.w.a << 5) | (hdr.w.a >> 27);
            hdr.l.r = (bit<64>)((hdr.w.a + hdr.w.b) >> 1);
            hdr.h.r = (bit<128>)(hdr.l.a * hdr.l.b) + hdr.h.a;
            hdr.v.r = (hdr.v.a << 64) ^ (hdr.v.b >> 136);
        }
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
