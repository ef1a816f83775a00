// Values that clients write otherwise than the data plane has them, and data of every type that a digest can have.
#include <core.p4>
#include <v1model.p4>

@p4runtime_translation("test/port", bit<32>)
type bit<9> port_t;

@p4runtime_translation("test/label", string)
type bit<10> label_t;

type bit<12> vlan_t;

enum colour_t { RED, GREEN, BLUE }

enum bit<8> kind_t { FIRST = 1, LAST = 7 }

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

@controller_header("packet_in")
header packet_in_t {
    @hidden bit<7> reserved;
    port_t         port;
    label_t        label;
    bit<6>         reason;
}

@controller_header("packet_out")
header packet_out_t {
    @hidden bit<5> reserved;
    label_t        label;
    port_t         port;
}

struct headers_t {
    packet_in_t  packet_in;
    packet_out_t packet_out;
    ethernet_t   ethernet;
}

struct metadata_t {
    port_t   port;
    label_t  label;
    vlan_t   vlan;
    colour_t colour;
}

struct seen_t {
    ethernet_t ethernet;
    port_t     port;
    label_t    label;
    colour_t   colour;
    kind_t     kind;
    bool       tagged;
    error      failed;
}

parser parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        meta.port = (port_t)std.ingress_port;
        transition select(std.ingress_port) {
            510: parse_packet_out;
            default: parse_ethernet;
        }
    }

    state parse_packet_out {
        packet.extract(hdr.packet_out);
        meta.label = hdr.packet_out.label;
        transition parse_ethernet;
    }

    state parse_ethernet {
        packet.extract(hdr.ethernet);
        transition accept;
    }
}

control verify_checksums(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control ingress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    register<label_t>(4) labels;
    register<port_t>(4) ports;

    action to_cpu(bit<6> reason) {
        std.egress_spec = 510;
        hdr.packet_in.setValid();
        hdr.packet_in.port = meta.port;
        hdr.packet_in.label = meta.label;
        hdr.packet_in.reason = reason;
    }

    action forward(port_t port) {
        std.egress_spec = (bit<9>)port;
    }

    action set_label(label_t label, vlan_t vlan) {
        meta.label = label;
        meta.vlan = vlan;
        labels.write(0, label);
        ports.write(0, meta.port);
    }

    action learn() {
        meta.colour = colour_t.GREEN;
        digest<seen_t>(1, {
            hdr.ethernet, meta.port, meta.label, meta.colour, kind_t.LAST, true, error.PacketTooShort
        });
    }

    table arrival {
        key = {
            meta.port: ternary;
            hdr.ethernet.ether_type: ternary;
        }
        actions = { set_label; learn; NoAction; }
    }

    table labelled {
        key = {
            meta.label: exact;
            meta.port: optional;
        }
        actions = { forward; to_cpu; NoAction; }
    }

    table ranged {
        key = { meta.port: range; }
        actions = { forward; NoAction; }
    }

    table prefixed {
        key = { meta.port: lpm; }
        actions = { forward; NoAction; }
    }

    apply {
        arrival.apply();
        labelled.apply();
        ranged.apply();
        prefixed.apply();
        hdr.packet_out.setInvalid();
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
    }
}

V1Switch(parse(), verify_checksums(), ingress(), egress(), update_checksums(), deparse()) main;
