/* Ethernet; ARP, or IPv4 or IPv6; then UDP with a CFN header, or a neighbour solicitation.
 * What stops early leaves its header invalid: the stages decide what that means. */

#ifndef CFN_PARSER
#define CFN_PARSER

#include "headers.p4"

parser CfnParser(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            EtherType.IPV4: ipv4;
            EtherType.IPV6: ipv6;
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
        transition select(hdr.ipv4.ihl, hdr.ipv4.frag_offset, hdr.ipv4.protocol) {
            (5, 0, PROTO_UDP): udp;
            default: accept;
        }
    }

    state ipv6 {
        packet.extract(hdr.ipv6);
        meta.is_ipv6 = 1;
        meta.src = hdr.ipv6.src_addr;
        meta.dst = hdr.ipv6.dst_addr;
        transition select(hdr.ipv6.next_header, hdr.ipv6.payload_len, hdr.ipv6.hop_limit) {
            (PROTO_UDP, _, _): udp;
            (PROTO_ICMPV6, 32, 255): icmpv6;
            default: accept;
        }
    }

    state icmpv6 {
        transition select(packet.lookahead<bit<8>>()) {
            ICMPV6_NS: nd;
            default: accept;
        }
    }

    state nd {
        packet.extract(hdr.nd);
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
        packet.emit(hdr.ipv4);
        packet.emit(hdr.ipv6);
        packet.emit(hdr.nd);
        packet.emit(hdr.udp);
        packet.emit(hdr.cfn);
    }
}

#endif
