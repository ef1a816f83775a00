/* A refused request goes back where it came from, as its bare base header with the reason in it. */

#ifndef CFN_NACK
#define CFN_NACK

#include "headers.p4"

control Nack(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action turn_frame() {
        mac_t ours = hdr.ethernet.dst_addr;
        bit<16> port = hdr.udp.dst_port;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = ours;
        std.egress_spec = std.ingress_port;
        hdr.udp.dst_port = hdr.udp.src_port;
        hdr.udp.src_port = port;
        hdr.udp.length = CFN_DATAGRAM;
    }

    /* The source is the address that was asked, whatever the request has been rewritten to since. */
    action turn_ipv4() {
        meta.before.total_len = hdr.ipv4.total_len;
        meta.before.more_fragments = hdr.ipv4.more_fragments;
        hdr.ipv4.dst_addr = (ipv4_t)meta.src;
        hdr.ipv4.src_addr = (ipv4_t)meta.before.dst;
        hdr.ipv4.total_len = 20 + CFN_DATAGRAM;
        hdr.ipv4.more_fragments = 0;
        hdr.ipv4.ttl = REPLY_TTL;
        truncate(NACK_FRAME_IPV4);
    }

    action turn_ipv6() {
        hdr.ipv6.dst_addr = meta.src;
        hdr.ipv6.src_addr = meta.before.dst;
        hdr.ipv6.payload_len = CFN_DATAGRAM;
        hdr.ipv6.hop_limit = REPLY_TTL;
        truncate(NACK_FRAME_IPV6);
    }

    action invent_header() {
        hdr.cfn.setValid();
        hdr.cfn = { 0, Kind.NACK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    }

    /* The binding that was tried is undone: the cookie and the stamp go back as they came. */
    action echo_header() {
        hdr.cfn.hops = meta.before.hops;
        hdr.cfn.timestamp = meta.before.timestamp;
        hdr.cfn.cookie = meta.before.cookie;
        hdr.cfn.cookie_tag = meta.before.cookie_tag;
    }

    action say_why() {
        hdr.cfn.version = CFN_VERSION;
        hdr.cfn.kind = Kind.NACK;
        hdr.cfn.length = CFN_WORDS;
        hdr.cfn.next = 0;
        hdr.cfn.status = (bit<8>)meta.nack;
        hdr.cfn.load = 0;
        hdr.cfn.queue = meta.retry_after_ms;
        meta.is_nack = 1;
        meta.outcome = (Outcome)(OUTCOME_OF_NACK + (bit<8>)meta.nack);
    }

    apply {
        if (hdr.cfn.isValid()) {
            echo_header();
        } else {
            invent_header();
        }
        turn_frame();
        if (meta.is_ipv6 == 1) {
            turn_ipv6();
        } else {
            turn_ipv4();
        }
        say_why();
    }
}

#endif
