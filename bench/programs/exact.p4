/* One exact table of 64-bit keys, which a packet can also pass by: the difference is what a lookup costs. */
#include <core.p4>
#include <v1model.p4>

header question_t {
    bit<8>  look;
    bit<64> key;
    bit<32> answer;
}

struct headers_t {
    question_t question;
}

struct metadata_t {}

parser Read(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    state start {
        packet.extract(hdr.question);
        transition accept;
    }
}

control VerifySums(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control Incoming(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    action reply(bit<32> value) { hdr.question.answer = value; }

    table answers {
        key = { hdr.question.key: exact; }
        actions = { reply; NoAction; }
        default_action = NoAction();
        size = 1000000;
    }

    apply {
        standard.egress_spec = 1;
        if (hdr.question.look == 1) {
            answers.apply();
        }
    }
}

control Outgoing(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    apply {}
}

control UpdateSums(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control Write(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.question);
    }
}

V1Switch(Read(), VerifySums(), Incoming(), Outgoing(), UpdateSums(), Write()) main;
