/* Ethernet; ARP, or IPv4 or IPv6; then UDP with a CFN header, or a neighbour solicitation.
 * What stops early leaves its header invalid: the stages decide what that means. */

#ifndef CFN_PARSER
#define CFN_PARSER

#include "headers.p4"
#include "metadata.p4"

parser CfnParser(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    bit<8> unread;

    state start {
        transition select(std.ingress_port) {
            CPU_PORT: from_controller;
            default: ethernet;
        }
    }

    state from_controller {
        packet.extract(hdr.packet_out);
        transition ethernet;
    }

    state ethernet {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            EtherType.IPV4: ipv4;
            EtherType.IPV6: either_ipv6;
            EtherType.ARP: arp;
            default: accept;
        }
    }

    state arp {
        packet.extract(hdr.arp);
        transition accept;
    }

    state ipv4 {
        packet.extract(hdr.ipv4);
        meta.src = (bit<128>)hdr.ipv4.src_addr;
        meta.dst = (bit<128>)hdr.ipv4.dst_addr;
        meta.before.ttl = hdr.ipv4.ttl;
        meta.before.tos = hdr.ipv4.tos;
        meta.before.total_len = hdr.ipv4.total_len;
        transition select(hdr.ipv4.ihl, hdr.ipv4.frag_offset, hdr.ipv4.protocol) {
            (5, 0, PROTO_UDP): udp;
            (5, 0, PROTO_ICMP): icmp;
            (5, 0, _): transport;
            default: accept;
        }
    }

    state either_ipv6 {
        transition select(packet.lookahead<bit<56>>()[7:0]) {    /* the next header */
            PROTO_ROUTING: outer;
            default: ipv6;
        }
    }

    state outer {
        packet.extract(hdr.outer);
        meta.is_ipv6 = 1;
        meta.src = hdr.outer.src_addr;
        meta.dst = hdr.outer.dst_addr;
        packet.extract(hdr.srh);
        transition select(hdr.srh.type, hdr.srh.last_entry, hdr.srh.length) {
            (ROUTING_SEGMENTS, 0, 2): one_segment;
            (ROUTING_SEGMENTS, 1, 4): two_segments;
            (ROUTING_SEGMENTS, 2, 6): three_segments;
            default: accept;
        }
    }

    state three_segments {
        packet.extract(hdr.segments.next);
        transition two_segments;
    }

    state two_segments {
        packet.extract(hdr.segments.next);
        transition one_segment;
    }

    state one_segment {
        packet.extract(hdr.segments.next);
        transition accept;
    }

    state ipv6 {
        packet.extract(hdr.ipv6);
        meta.is_ipv6 = 1;
        meta.before.ttl = hdr.ipv6.hop_limit;
        meta.src = hdr.ipv6.src_addr;
        meta.dst = hdr.ipv6.dst_addr;
        transition select(hdr.ipv6.next_header, hdr.ipv6.payload_len, hdr.ipv6.hop_limit) {
            (PROTO_UDP, _, _): udp;
            (PROTO_ICMPV6, 32, 255): icmpv6;
            (PROTO_ICMPV6, _, _): icmp;
            default: transport;
        }
    }

    state icmpv6 {
        transition select(packet.lookahead<bit<8>>()) {
            ICMPV6_NS: nd;
            default: icmp;
        }
    }

    state nd {
        packet.extract(hdr.nd);
        transition accept;
    }

    state icmp {
        packet.extract(hdr.icmp);
        transition accept;
    }

    state transport {
        packet.extract(hdr.transport);
        transition accept;
    }

    state udp {
        packet.extract(hdr.udp);
        transition select(hdr.udp.length, hdr.udp.dst_port, hdr.udp.src_port) {
            (0 .. CFN_DATAGRAM - 1, _, _): accept;
            (_, CFN_PORT, _): cfn;
            (_, _, CFN_PORT): cfn;
            default: accept;
        }
    }

    state cfn {
        packet.extract(hdr.cfn);
        meta.before.hops = hdr.cfn.hops;
        meta.before.timestamp = hdr.cfn.timestamp;
        meta.before.cookie = hdr.cfn.cookie;
        meta.before.cookie_tag = hdr.cfn.cookie_tag;
        transition select(hdr.cfn.next) {
            Extension.NONE: accept;
            Extension.AUTH: auth;
            Extension.CHAIN: chain;
            Extension.TRACE: trace;
            default: accept;
        }
    }

    state auth {
        packet.extract(hdr.auth);
        transition select(hdr.auth.next) {
            Extension.CHAIN: chain;
            Extension.TRACE: trace;
            default: accept;
        }
    }

    state chain {
        packet.extract(hdr.chain);
        unread = hdr.chain.left;
        transition functions;
    }

    state functions {
        transition select(unread) {
            0: after_chain;
            default: next_function;
        }
    }

    state next_function {
        packet.extract(hdr.functions.next);    /* more than CHAIN_FUNCTIONS: a parser error */
        unread = unread - 1;
        transition functions;
    }

    state after_chain {
        transition select(hdr.chain.next) {
            Extension.TRACE: trace;
            default: accept;
        }
    }

    state trace {
        packet.extract(hdr.trace);
        transition accept;
    }
}

control CfnVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
            {
                hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.tos, hdr.ipv4.total_len, hdr.ipv4.id,
                hdr.ipv4.reserved, hdr.ipv4.dont_fragment, hdr.ipv4.more_fragments, hdr.ipv4.frag_offset,
                hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ipv4.dst_addr
            },
            hdr.ipv4.checksum, HashAlgorithm.csum16);
    }
}

control CfnDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.arp);
        packet.emit(hdr.outer);
        packet.emit(hdr.srh);
        packet.emit(hdr.segments);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.ipv6);
        packet.emit(hdr.icmp_error);
        packet.emit(hdr.quoted_ipv4);
        packet.emit(hdr.quoted_ipv6);
        packet.emit(hdr.nd);
        packet.emit(hdr.icmp);
        packet.emit(hdr.transport);
        packet.emit(hdr.udp);
        packet.emit(hdr.cfn);
        packet.emit(hdr.auth);
        packet.emit(hdr.chain);
        packet.emit(hdr.functions);
        packet.emit(hdr.trace);
        packet.emit(hdr.record);
    }
}

#endif
