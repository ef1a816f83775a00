/* One lookup and one choice: the function that a call names is looked up among many, and the flow's hash draws an
 * instance of its group. The frame goes there with its addresses as they are (direct server return); only the MACs are
 * the instance's and the router's. `bench/native/choose.c` is the same by hand. */
#include <core.p4>
#include <v1model.p4>

const bit<16> TYPE_IPV4 = 0x0800;
const bit<8>  PROTOCOL_UDP = 17;
const bit<16> CALL_PORT = 50000;

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

header ipv4_t {
    bit<4>  version;
    bit<4>  ihl;
    bit<8>  diffserv;
    bit<16> total_len;
    bit<16> identification;
    bit<3>  flags;
    bit<13> frag_offset;
    bit<8>  ttl;
    bit<8>  protocol;
    bit<16> checksum;
    bit<32> src_addr;
    bit<32> dst_addr;
}

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

header call_t {
    bit<64> function;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
    udp_t      udp;
    call_t     call;
}

struct metadata_t {}

parser Read(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    state start {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            TYPE_IPV4: ipv4;
            default: accept;
        }
    }
    state ipv4 {
        packet.extract(hdr.ipv4);
        transition select(hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.protocol) {
            (4, 5, PROTOCOL_UDP): udp;
            default: accept;
        }
    }
    state udp {
        packet.extract(hdr.udp);
        transition select(hdr.udp.dst_port) {
            CALL_PORT: call;
            default: accept;
        }
    }
    state call {
        packet.extract(hdr.call);
        transition accept;
    }
}

control VerifySums(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control Incoming(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    action to_instance(bit<9> port, bit<48> src_mac, bit<48> dst_mac) {
        standard.egress_spec = port;
        hdr.ethernet.src_addr = src_mac;
        hdr.ethernet.dst_addr = dst_mac;
    }

    @max_group_size(256)
    action_selector(HashAlgorithm.crc32, 4096, 32) instances;

    table function {
        key = {
            hdr.call.function: exact;
            hdr.ipv4.src_addr: selector;
            hdr.ipv4.dst_addr: selector;
            hdr.udp.src_port:  selector;
            hdr.udp.dst_port:  selector;
        }
        actions = { to_instance; }
        implementation = instances;
        size = 1048576;
    }

    apply {
        mark_to_drop(standard);
        if (hdr.call.isValid()) {
            function.apply();
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
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.udp);
        packet.emit(hdr.call);
    }
}

V1Switch(Read(), VerifySums(), Incoming(), Outgoing(), UpdateSums(), Write()) main;
