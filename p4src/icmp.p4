/* A plain router's part in ICMP: echo answered for the router's addresses, and errors told to who sent the packet (RFC 1812,
 * section 4.3; RFC 4443). An error quotes the IP header and 8 bytes, which is what ports and echo identifiers are in. */

#ifndef CFN_ICMP
#define CFN_ICMP

#include "checksum.p4"
#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Echo(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action turn() {
        mac_t ours = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = ours;
        std.egress_spec = meta.port;
        meta.path = Path.ANSWERED;
        meta.outcome = Outcome.ECHO_ANSWERED;
    }

    action turn_ipv4() {
        ipv4_t asked = hdr.ipv4.dst_addr;
        hdr.ipv4.dst_addr = hdr.ipv4.src_addr;
        hdr.ipv4.src_addr = asked;
        hdr.ipv4.ttl = REPLY_TTL;
        hdr.icmp.type = ICMP_ECHO_REPLY;
        CSUM16(hdr.icmp.checksum, ({ ~hdr.icmp.checksum, ~(ICMP_ECHO ++ 8w0), ICMP_ECHO_REPLY ++ 8w0 }));
    }

    action turn_ipv6() {
        ipv6_t asked = hdr.ipv6.dst_addr;
        hdr.ipv6.dst_addr = hdr.ipv6.src_addr;
        hdr.ipv6.src_addr = asked;
        hdr.ipv6.hop_limit = REPLY_TTL;
        hdr.icmp.type = ICMPV6_ECHO_REPLY;
        CSUM16(hdr.icmp.checksum, ({ ~hdr.icmp.checksum, ~(ICMPV6_ECHO ++ 8w0), ICMPV6_ECHO_REPLY ++ 8w0 }));
    }

    apply {
        turn();
        if (meta.is_ipv6 == 1) {
            turn_ipv6();
        } else {
            turn_ipv4();
        }
    }
}

/* `meta.outcome` says which error is to be told: TIME_EXCEEDED or TOO_BIG. */
control Tell(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    bool is_due = false;
    Color color = Color.GREEN;
    bit<64> head = 0;

    /* Errors a second, by the port that the packet came from (RFC 1812, section 4.3.2.8). */
    @id(ID_M_ICMP)
    meter(PORTS, MeterType.packets) errors;

    action drop(Outcome outcome) {
        meta.path = Path.DROP;
        meta.outcome = outcome;
    }

    action turn() {
        mac_t ours = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = ours;
        std.egress_spec = meta.port;
        hdr.icmp_error.setValid();
        hdr.cfn.setInvalid();
        hdr.auth.setInvalid();
        hdr.chain.setInvalid();
        hdr.functions.pop_front(CHAIN_FUNCTIONS);
        hdr.trace.setInvalid();
        hdr.outer.setInvalid();
        hdr.srh.setInvalid();
        hdr.segments.pop_front(SEGMENTS);
        hdr.ethernet.ether_type = meta.is_ipv6 == 1 ? EtherType.IPV6 : EtherType.IPV4;
        meta.is_new_message = 1;
    }

    action tell_ipv4(bit<8> type, bit<8> code, bit<16> mtu) {
        hdr.quoted_ipv4 = hdr.ipv4;
        hdr.quoted_ipv4.dst_addr = (ipv4_t)meta.before.dst;
        hdr.quoted_ipv4.src_addr = (ipv4_t)meta.src;
        hdr.quoted_ipv4.ttl = meta.before.ttl;
        hdr.ipv4 = { 4, 5, 0, ERROR_IPV4, 0, 0, 0, 0, 0, REPLY_TTL, PROTO_ICMP, 0, meta.router_ipv4, (ipv4_t)meta.src };
        hdr.icmp_error.type = type;
        hdr.icmp_error.code = code;
        hdr.icmp_error.rest = 16w0 ++ mtu;
        CSUM16(hdr.icmp_error.checksum, ({
            type, code, hdr.icmp_error.rest, hdr.quoted_ipv4.version, hdr.quoted_ipv4.ihl, hdr.quoted_ipv4.tos,
            hdr.quoted_ipv4.total_len, hdr.quoted_ipv4.id, hdr.quoted_ipv4.reserved, hdr.quoted_ipv4.dont_fragment,
            hdr.quoted_ipv4.more_fragments, hdr.quoted_ipv4.frag_offset, hdr.quoted_ipv4.ttl, hdr.quoted_ipv4.protocol,
            hdr.quoted_ipv4.checksum, hdr.quoted_ipv4.src_addr, hdr.quoted_ipv4.dst_addr, head
        }));
        truncate((bit<32>)(14 + ERROR_IPV4));
    }

    action tell_ipv6(bit<8> type, bit<16> mtu) {
        hdr.quoted_ipv6 = hdr.ipv6;
        hdr.quoted_ipv6.dst_addr = meta.before.dst;
        hdr.quoted_ipv6.src_addr = meta.src;
        hdr.quoted_ipv6.hop_limit = meta.before.ttl;
        hdr.ipv6 = { 6, 0, 0, ERROR_IPV6_PAYLOAD, PROTO_ICMPV6, REPLY_TTL, meta.router_ipv6, meta.src };
        hdr.icmp_error.type = type;
        hdr.icmp_error.code = 0;
        hdr.icmp_error.rest = 16w0 ++ mtu;
        CSUM16(hdr.icmp_error.checksum, ({
            hdr.ipv6.src_addr, hdr.ipv6.dst_addr, 16w0, ERROR_IPV6_PAYLOAD, 24w0, PROTO_ICMPV6,
            type, 8w0, hdr.icmp_error.rest, hdr.quoted_ipv6.version, hdr.quoted_ipv6.traffic_class, hdr.quoted_ipv6.flow_label,
            hdr.quoted_ipv6.payload_len, hdr.quoted_ipv6.next_header, hdr.quoted_ipv6.hop_limit,
            hdr.quoted_ipv6.src_addr, hdr.quoted_ipv6.dst_addr, head
        }));
        truncate((bit<32>)(14 + 40 + ERROR_IPV6_PAYLOAD));
    }

    /* Never about an ICMP error, a fragment but the first, or what came from or went to no single station
     * (RFC 1812, section 4.3.2.7; RFC 4443, section 2.4). */
    apply {
        if (hdr.udp.isValid()) {
            head = hdr.udp.src_port ++ hdr.udp.dst_port ++ hdr.udp.length ++ hdr.udp.checksum;
            is_due = true;
        } else if (hdr.transport.isValid()) {
            head = hdr.transport.head;
            is_due = true;
        } else if (hdr.icmp.isValid()) {
            head = hdr.icmp.type ++ hdr.icmp.code ++ hdr.icmp.checksum ++ hdr.icmp.rest;
            is_due = meta.is_ipv6 == 1 ? hdr.icmp.type >= ICMPV6_INFORMATIONAL
                                       : (hdr.icmp.type == ICMP_ECHO || hdr.icmp.type == ICMP_ECHO_REPLY);
        }
        if (meta.udp_room < 8) {
            is_due = false;
        }
        if (meta.is_ipv6 == 1) {
            if (meta.router_ipv6 == 0 || meta.src[127:120] == 0xff || meta.before.dst[127:120] == 0xff
                || meta.src[127:8] == 0) {
                is_due = false;
            }
        } else if (meta.router_ipv4 == 0 || meta.src[31:28] >= 0xe || meta.before.dst[31:28] >= 0xe
                   || meta.src[31:24] == 0 || meta.src[31:24] == 127) {
            is_due = false;
        }
        if (is_due) {
            errors.execute_meter((bit<32>)meta.port, color);
        }
        if (!is_due || color == Color.RED) {
            drop(meta.outcome == Outcome.TOO_BIG ? Outcome.DROP_TOO_BIG : Outcome.DROP_TTL);
            return;
        }
        turn();
        if (meta.is_ipv6 == 1) {
            if (meta.outcome == Outcome.TOO_BIG) {
                tell_ipv6(ICMPV6_TOO_BIG, meta.mtu);
            } else {
                tell_ipv6(ICMPV6_TIME_EXCEEDED, 0);
            }
        } else if (meta.outcome == Outcome.TOO_BIG) {
            tell_ipv4(ICMP_UNREACHABLE, ICMP_TOO_BIG, meta.mtu);
        } else {
            tell_ipv4(ICMP_TIME_EXCEEDED, 0, 0);
        }
    }
}

#endif
