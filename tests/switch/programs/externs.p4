// Counters, meters, registers, hashes and checksums.
#include <core.p4>
#include <v1model.p4>

header order_t { bit<8> what; bit<8> index; bit<16> half; bit<64> value; bit<16> sum; bit<16> payload_sum; }
header more_t { bit<4> a; bit<12> b; bit<200> c; }
struct headers { order_t order; more_t more; }
struct metadata { bit<2> colour; bit<16> h16; bit<32> h32; bit<64> h64; bit<8> dice; }

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start { packet.extract(hdr.order); transition select(hdr.order.what) { 9: more; default: accept; } }
    state more { packet.extract(hdr.more); transition accept; }
}
control V(inout headers hdr, inout metadata meta) {
    apply { verify_checksum(hdr.order.what == 7, { hdr.order.what, hdr.order.index, hdr.order.half, hdr.order.value }, hdr.order.sum, HashAlgorithm.csum16); }
}

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    counter(8, CounterType.packets_and_bytes) seen;
    register<bit<64>>(8) cells;
    register<bit<200>>(4) vast;
    meter(4, MeterType.packets) pace;
    direct_meter<bit<2>>(MeterType.bytes) direct_pace;
    action paced() { direct_pace.read(meta.colour); }
    table paced_t { key = { hdr.order.index: exact; } actions = { paced; NoAction; } meters = direct_pace; size = 8; }
    apply {
        std.egress_spec = 1;
        if (hdr.order.what == 0) { seen.count((bit<32>)hdr.order.index); }
        else if (hdr.order.what == 1) { cells.write((bit<32>)hdr.order.index, hdr.order.value); }
        else if (hdr.order.what == 2) { cells.read(hdr.order.value, (bit<32>)hdr.order.index); }
        else if (hdr.order.what == 3) { pace.execute_meter<bit<2>>((bit<32>)hdr.order.index, meta.colour); hdr.order.half = (bit<16>)meta.colour; }
        else if (hdr.order.what == 4) { paced_t.apply(); hdr.order.half = (bit<16>)meta.colour; }
        else if (hdr.order.what == 5) {
            hash(meta.h32, HashAlgorithm.crc32, (bit<32>)0, { hdr.order.index, hdr.order.value }, 64w0x100000000);
            hash(meta.h16, HashAlgorithm.crc16, (bit<16>)0, { hdr.order.index, hdr.order.value }, 32w0x10000);
            hdr.order.value = meta.h32 ++ meta.h16 ++ (bit<16>)0;
            hash(hdr.order.half, HashAlgorithm.csum16, (bit<16>)0, { hdr.order.index, hdr.order.value }, 32w0x10000);
        }
        else if (hdr.order.what == 6) { random(meta.dice, 8w3, 8w6); hdr.order.half = (bit<16>)meta.dice; }
        else if (hdr.order.what == 7) { hdr.order.half = (bit<16>)std.checksum_error; }
        else if (hdr.order.what == 8) {
            hash(hdr.order.half, HashAlgorithm.xor16, (bit<16>)5, { hdr.order.index, hdr.order.value }, 32w0x10000);
            hash(hdr.order.value, HashAlgorithm.identity, (bit<64>)1, { hdr.order.value }, 64w1000);
        }
        else if (hdr.order.what == 9) {
            vast.write((bit<32>)hdr.order.index, hdr.more.c); vast.read(hdr.more.c, (bit<32>)hdr.order.index ^ 1);
            hash(hdr.order.value, HashAlgorithm.crc32, (bit<64>)0, { hdr.more.a, hdr.more.b, hdr.more.c }, 64w0x100000000);
        }
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) {
    apply {
        update_checksum(hdr.order.what != 7, { hdr.order.what, hdr.order.index, hdr.order.half, hdr.order.value }, hdr.order.sum, HashAlgorithm.csum16);
        update_checksum_with_payload(true, { hdr.order.what, hdr.more.a, hdr.more.b }, hdr.order.payload_sum, HashAlgorithm.csum16);
    }
}
control D(packet_out packet, in headers hdr) { apply { packet.emit(hdr); } }
V1Switch(P(), V(), I(), E(), U(), D()) main;
