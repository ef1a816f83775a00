// Headers of every shape: varbit, stacks with next and last, unions, lookahead, advance, verify, value sets.
#include <core.p4>
#include <v1model.p4>

error { TooDeep }
header base_t { bit<8> what; bit<8> length; }
header label_t { bit<7> value; bit<1> last; }
header option_t { bit<8> length; varbit<64> body; bit<8> tail; }
header four_t { bit<32> value; }
header six_t { bit<48> value; }
header_union either_t { four_t four; six_t six; }
header report_t { bit<8> error_code; bit<8> next; bit<16> seen; }
struct headers { base_t base; label_t[3] labels; option_t opt; either_t either; report_t report; }
struct metadata { bit<16> seen; }

parser P(packet_in packet, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    value_set<bit<8>>(4) special;
    state start {
        packet.extract(hdr.base);
        transition select(hdr.base.what) {
            1: labels; 2: option; 3: four; 4: six; 5: peek; 6: skip; 7: check; special: found;
            0x80 &&& 0xf0: masked; default: accept;
        }
    }
    state labels { packet.extract(hdr.labels.next); transition select(hdr.labels.last.last) { 1: accept; 0: labels; } }
    state option { packet.extract(hdr.opt, (bit<32>)hdr.base.length << 3); transition accept; }
    state four { packet.extract(hdr.either.four); transition accept; }
    state six { packet.extract(hdr.either.six); transition accept; }
    state peek { meta.seen = packet.lookahead<bit<16>>(); transition select(packet.lookahead<bit<4>>()) { 0xa: four; default: accept; } }
    state skip { packet.advance((bit<32>)hdr.base.length << 3); transition accept; }
    state check { verify(hdr.base.length < 3, error.TooDeep); packet.extract(hdr.either.four); transition accept; }
    state found { meta.seen = 0xf00d; transition accept; }
    state masked { meta.seen = 0x3a5d; transition accept; }
}
control V(inout headers hdr, inout metadata meta) { apply {} }
control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        hdr.report.setValid();
        hdr.report.seen = meta.seen;
        if (std.parser_error == error.PacketTooShort) { hdr.report.error_code = 1; }
        else if (std.parser_error == error.StackOutOfBounds) { hdr.report.error_code = 3; }
        else if (std.parser_error == error.HeaderTooShort) { hdr.report.error_code = 4; }
        else if (std.parser_error == error.TooDeep) { hdr.report.error_code = 9; }
        else if (std.parser_error != error.NoError) { hdr.report.error_code = 0xff; }
        if (hdr.base.what == 1) {
            if (hdr.base.length == 1) { hdr.labels.push_front(1); hdr.labels[0].setValid(); hdr.labels[0].value = 0x55; }
            else if (hdr.base.length == 2) { hdr.labels.pop_front(1); }
            else if (hdr.base.length == 3) { hdr.labels[1] = hdr.labels[0]; }
            else if (hdr.base.length > 3) { hdr.report.next = (bit<8>)hdr.labels[hdr.base.length - 4].value; }
        } else if (hdr.base.what == 3 && hdr.base.length == 1) {
            hdr.either.six.setValid(); hdr.either.six.value = 0x010203040506;
        } else if (hdr.base.what == 2 && hdr.opt.isValid()) { hdr.opt.tail = hdr.opt.tail + 1; }
    }
}
control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply {} }
control U(inout headers hdr, inout metadata meta) { apply {} }
control D(packet_out packet, in headers hdr) {
    apply { packet.emit(hdr.report); packet.emit(hdr.base); packet.emit(hdr.labels); packet.emit(hdr.opt); packet.emit(hdr.either); }
}
V1Switch(P(), V(), I(), E(), U(), D()) main;
