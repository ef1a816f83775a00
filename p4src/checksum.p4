/* Stage 10: checksums after the rewrites. Both are updated from what changed (RFC 1624, equation 3:
 * HC' = ~(~HC + ~m + m')), so that damage done before stays visible to the receiver and payloads are never summed.
 * A NACK and a neighbour advertisement are new messages and are summed whole.
 *
 * csum16 of a list is the complement of its one's complement sum: with ~HC, ~m and m' in the list it is HC'. */

#ifndef CFN_CHECKSUM
#define CFN_CHECKSUM

#include "headers.p4"
#include "metadata.p4"

#define CSUM16(result, fields) hash(result, HashAlgorithm.csum16, 16w0, fields, 17w0x10000)

control Checksum(inout headers_t hdr, in metadata_t meta) {
    bit<128> src = 0;
    bit<128> dst = 0;
    bit<16>  readdressed = 0;   /* complement of what new addresses add to a sum */

    action sum_ipv4_addresses() {
        CSUM16(readdressed, ({ ~meta.src[31:0], hdr.ipv4.src_addr, ~meta.before.dst[31:0], hdr.ipv4.dst_addr }));
    }

    action sum_ipv6_addresses() {
        CSUM16(readdressed, ({ ~meta.src, hdr.ipv6.src_addr, ~meta.before.dst, hdr.ipv6.dst_addr }));
    }

    action update_ipv4() {
        CSUM16(hdr.ipv4.checksum, ({
            ~hdr.ipv4.checksum, ~readdressed, ~(meta.before.ttl ++ 8w0), hdr.ipv4.ttl ++ 8w0,
            ~(8w0 ++ meta.before.tos), 8w0 ++ hdr.ipv4.tos, ~meta.before.total_len, hdr.ipv4.total_len
        }));
    }

    action sum_ipv4() {
        CSUM16(hdr.ipv4.checksum, ({
            hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.tos, hdr.ipv4.total_len, hdr.ipv4.id, hdr.ipv4.reserved,
            hdr.ipv4.dont_fragment, hdr.ipv4.more_fragments, hdr.ipv4.frag_offset, hdr.ipv4.ttl, hdr.ipv4.protocol,
            hdr.ipv4.src_addr, hdr.ipv4.dst_addr
        }));
    }

    action update_udp() {
        CSUM16(hdr.udp.checksum, ({
            ~hdr.udp.checksum,
            ~readdressed,
            ~meta.delta,
            ~(meta.before.hops ++ 8w0), hdr.cfn.hops ++ 8w0,
            ~meta.before.timestamp, hdr.cfn.timestamp,
            ~meta.before.cookie, hdr.cfn.cookie,
            ~meta.before.cookie_tag, hdr.cfn.cookie_tag
        }));
    }

    action sum_datagram() {
        CSUM16(hdr.udp.checksum, ({
            src, dst, 8w0, PROTO_UDP, hdr.udp.length,
            hdr.udp.src_port, hdr.udp.dst_port, hdr.udp.length,
            hdr.cfn.version, hdr.cfn.kind, hdr.cfn.flags, hdr.cfn.length, (bit<8>)hdr.cfn.next, hdr.cfn.tenant,
            hdr.cfn.hops, hdr.cfn.priority, hdr.cfn.request_id, hdr.cfn.timestamp,
            hdr.cfn.cookie, hdr.cfn.cookie_tag, hdr.cfn.func_id, hdr.cfn.data_in,
            hdr.cfn.data_out, hdr.cfn.demand_type, hdr.cfn.demand_grade, hdr.cfn.demand_latency_ms,
            hdr.cfn.demand_cost, hdr.cfn.status, hdr.cfn.load, hdr.cfn.queue
        }));
    }

    /* A sum of zero is sent as all ones: zero says that there is none (RFC 768; RFC 8200, section 8.1). */
    action never_zero() {
        hdr.udp.checksum = 0xffff;
    }

    action sum_nd() {
        CSUM16(hdr.nd.checksum, ({
            hdr.ipv6.src_addr, hdr.ipv6.dst_addr, 16w0, hdr.ipv6.payload_len, 24w0, PROTO_ICMPV6,
            hdr.nd.type, hdr.nd.code, hdr.nd.flags, hdr.nd.target, hdr.nd.opt_type, hdr.nd.opt_len, hdr.nd.opt_mac
        }));
    }

    apply {
        if (meta.is_new_message == 1) {
            if (hdr.ipv4.isValid()) {
                sum_ipv4();
                src = (bit<128>)hdr.ipv4.src_addr;
                dst = (bit<128>)hdr.ipv4.dst_addr;
            } else {
                src = hdr.ipv6.src_addr;
                dst = hdr.ipv6.dst_addr;
            }
            if (hdr.nd.isValid()) {
                sum_nd();
            } else if (hdr.cfn.isValid()) {
                sum_datagram();
                if (hdr.udp.checksum == 0) {
                    never_zero();
                }
            }
        } else if (hdr.ipv4.isValid() || hdr.ipv6.isValid()) {
            if (hdr.ipv4.isValid()) {
                sum_ipv4_addresses();
                update_ipv4();
            } else {
                sum_ipv6_addresses();
            }
            if (hdr.cfn.isValid() && hdr.udp.checksum != 0) {
                update_udp();
                if (hdr.udp.checksum == 0) {
                    never_zero();
                }
            }
        }
    }
}

#endif
