/* A plain IPv4 router with the tables of p4c's sample basic_routing-bmv2.p4
 * (https://github.com/p4lang/p4c, testdata/p4_16_samples): the same names, keys, actions and sizes, so that what
 * is measured with it compares with what others measure.
 *
 *   port_mapping ─► bd ─► ipv4_fib ──miss──► ipv4_fib_lpm ─► nexthop ─► rewrite_mac
 *   port→domain    →VRF   VRF, host          VRF, prefix     →port      →MACs
 */
#include <core.p4>
#include <v1model.p4>

const bit<16> TYPE_IPV4 = 0x0800;

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

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
}

struct metadata_t {
    bit<16> bd;
    bit<12> vrf;
    bit<16> nexthop_index;
}

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
        transition accept;
    }
}

control VerifySums(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum(hdr.ipv4.isValid(),
            { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.diffserv, hdr.ipv4.total_len, hdr.ipv4.identification,
              hdr.ipv4.flags, hdr.ipv4.frag_offset, hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr,
              hdr.ipv4.dst_addr },
            hdr.ipv4.checksum, HashAlgorithm.csum16);
    }
}

control Incoming(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    action on_miss() {}

    action set_bd(bit<16> bd) { meta.bd = bd; }
    table port_mapping {
        key = { standard.ingress_port: exact; }
        actions = { set_bd; }
        size = 32768;
    }

    action set_vrf(bit<12> vrf) { meta.vrf = vrf; }
    table bd {
        key = { meta.bd: exact; }
        actions = { set_vrf; }
        size = 65536;
    }

    action fib_hit_nexthop(bit<16> nexthop_index) {
        meta.nexthop_index = nexthop_index;
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
    }
    table ipv4_fib {
        key = { meta.vrf: exact; hdr.ipv4.dst_addr: exact; }
        actions = { on_miss; fib_hit_nexthop; }
        default_action = on_miss();
        size = 131072;
    }
    table ipv4_fib_lpm {
        key = { meta.vrf: exact; hdr.ipv4.dst_addr: lpm; }
        actions = { on_miss; fib_hit_nexthop; }
        default_action = on_miss();
        size = 16384;
    }

    action set_egress_details(bit<9> egress_spec) { standard.egress_spec = egress_spec; }
    table nexthop {
        key = { meta.nexthop_index: exact; }
        actions = { on_miss; set_egress_details; }
        default_action = on_miss();
        size = 32768;
    }

    apply {
        if (hdr.ipv4.isValid()) {
            port_mapping.apply();
            bd.apply();
            if (!ipv4_fib.apply().hit) {
                ipv4_fib_lpm.apply();
            }
            nexthop.apply();
        }
    }
}

control Outgoing(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard) {
    action on_miss() {}

    action rewrite_src_dst_mac(bit<48> smac, bit<48> dmac) {
        hdr.ethernet.src_addr = smac;
        hdr.ethernet.dst_addr = dmac;
    }
    table rewrite_mac {
        key = { meta.nexthop_index: exact; }
        actions = { on_miss; rewrite_src_dst_mac; }
        default_action = on_miss();
        size = 32768;
    }

    apply {
        rewrite_mac.apply();
    }
}

control UpdateSums(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(hdr.ipv4.isValid(),
            { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.diffserv, hdr.ipv4.total_len, hdr.ipv4.identification,
              hdr.ipv4.flags, hdr.ipv4.frag_offset, hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr,
              hdr.ipv4.dst_addr },
            hdr.ipv4.checksum, HashAlgorithm.csum16);
    }
}

control Write(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
    }
}

V1Switch(Read(), VerifySums(), Incoming(), Outgoing(), UpdateSums(), Write()) main;
