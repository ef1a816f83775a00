// One of each thing that P4Runtime can write or read on v1model.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

header ipv4_t {
    bit<8>  version_ihl;
    bit<8>  tos;
    bit<16> total_len;
    bit<32> id_frag;
    bit<8>  ttl;
    bit<8>  protocol;
    bit<16> checksum;
    bit<32> src_addr;
    bit<32> dst_addr;
}

@controller_header("packet_in")
header packet_in_t {
    bit<9> ingress_port;
    bit<7> reason;
}

@controller_header("packet_out")
header packet_out_t {
    bit<9> egress_port;
    bit<7> queue;
}

struct headers_t {
    packet_in_t  packet_in;
    packet_out_t packet_out;
    ethernet_t   ethernet;
    ipv4_t       ipv4;
}

struct seen_t {
    bit<48> src_addr;
    bit<9>  port;
}

struct metadata_t {
    bit<2>  colour;
    bit<16> tag;
    bit<32> count;
}

parser parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    value_set<bit<16>>(4) tunnel_types;

    state start {
        transition select(std.ingress_port) {
            510: parse_packet_out;
            default: parse_ethernet;
        }
    }

    state parse_packet_out {
        packet.extract(hdr.packet_out);
        transition parse_ethernet;
    }

    state parse_ethernet {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            0x0800: parse_ipv4;
            tunnel_types: parse_tunnel;
            default: accept;
        }
    }

    state parse_tunnel {
        meta.tag = 1;
        transition parse_ipv4;
    }

    state parse_ipv4 {
        packet.extract(hdr.ipv4);
        transition accept;
    }
}

control verify_checksums(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control ingress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    counter(8, CounterType.packets_and_bytes) per_port;
    meter(8, MeterType.bytes) port_rate;
    register<bit<32>>(8) totals;
    direct_counter(CounterType.packets_and_bytes) station_hits;
    direct_meter<bit<2>>(MeterType.packets) station_rate;
    direct_counter(CounterType.packets) kind_hits;

    action drop() {
        mark_to_drop(std);
    }

    action forward(bit<9> port) {
        std.egress_spec = port;
    }

    action rewrite(bit<48> dst_addr, bit<9> port) {
        hdr.ethernet.dst_addr = dst_addr;
        std.egress_spec = port;
    }

    action multicast(bit<16> group) {
        std.mcast_grp = group;
    }

    action to_cpu() {
        std.egress_spec = 510;
        hdr.packet_in.setValid();
        hdr.packet_in.ingress_port = std.ingress_port;
        hdr.packet_in.reason = 5;
    }

    action clone_to(bit<32> session) {
        clone(CloneType.I2E, session);
    }

    action learn() {
        digest<seen_t>(1, {hdr.ethernet.src_addr, std.ingress_port});
    }

    action set_tag(bit<16> tag) {
        meta.tag = tag;
    }

    action metered_forward(bit<9> port) {
        station_hits.count();
        station_rate.read(meta.colour);
        std.egress_spec = port;
    }

    action no_station() {
        station_hits.count();
        station_rate.read(meta.colour);
    }

    action count_kind() {
        kind_hits.count();
    }

    table station {
        key = { hdr.ethernet.dst_addr: exact; }
        actions = { metered_forward; @defaultonly no_station; }
        default_action = no_station();
        counters = station_hits;
        meters = station_rate;
        support_timeout = true;
        size = 1024;
    }

    table route {
        key = { hdr.ipv4.dst_addr: lpm; }
        actions = { forward; drop; rewrite; }
        default_action = drop();
        size = 8;
    }

    table acl {
        key = {
            hdr.ipv4.src_addr: ternary;
            hdr.ipv4.total_len: range;
            hdr.ipv4.protocol: optional;
            std.ingress_port: exact;
        }
        actions = { drop; to_cpu; clone_to; learn; multicast; @tableonly set_tag; NoAction; }
        const default_action = NoAction();
        size = 64;
    }

    action_profile(16) stations;
    @max_group_size(8)
    action_selector(HashAlgorithm.crc32, 32, 16) paths;

    table profiled {
        key = { hdr.ethernet.src_addr: exact; }
        actions = { forward; drop; NoAction; }
        implementation = stations;
        size = 64;
    }

    table selected {
        key = {
            hdr.ipv4.dst_addr: lpm;
            hdr.ipv4.src_addr: selector;
            hdr.ipv4.protocol: selector;
        }
        actions = { forward; rewrite; NoAction; }
        implementation = paths;
        size = 64;
    }

    table kind {
        key = {
            hdr.ethernet.ether_type: ternary;
            hdr.ethernet.isValid(): exact;
        }
        actions = { count_kind; set_tag; }
        const default_action = count_kind();
        const entries = {
            (0x0800 &&& 0xffff, true): set_tag(4);
            (0x8600 &&& 0xff00, true): set_tag(6);
            (_, false): count_kind();
        }
        counters = kind_hits;
    }

    table options {
        actions = { set_tag; NoAction; }
        default_action = set_tag(7);
    }

    apply {
        if (hdr.packet_out.isValid()) {
            std.egress_spec = hdr.packet_out.egress_port;
            hdr.packet_out.setInvalid();
        } else {
            per_port.count((bit<32>)std.ingress_port);
            port_rate.execute_meter((bit<32>)std.ingress_port, meta.colour);
            totals.read(meta.count, 0);
            totals.write(0, meta.count + 1);
            station.apply();
            route.apply();
            acl.apply();
            profiled.apply();
            selected.apply();
            kind.apply();
            options.apply();
        }
    }
}

control egress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control update_checksums(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.packet_in);
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
    }
}

V1Switch(parse(), verify_checksums(), ingress(), egress(), update_checksums(), deparse()) main;
