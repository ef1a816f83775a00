/* A refused request goes back where it came from, as its bare base header with the reason in it and the anycast address as its
 * source. Where a chain's request was refused, or a function of a chain failed, the client is elsewhere: the NACK comes again, to be
 * routed there. */

#ifndef CFN_NACK
#define CFN_NACK

#include "headers.p4"
#include "metadata.p4"

control Nack(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action turn_frame() {
        mac_t ours = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = ours;
    }

    action turn_ports() {
        bit<16> port = hdr.udp.dst_port;
        hdr.udp.dst_port = hdr.udp.src_port;
        hdr.udp.src_port = port;
    }

    action come_again() {
        meta.again = Again.REFUSED;
        meta.path = Path.AGAIN;
    }

    action shorten() {
        std.egress_spec = meta.port;
        hdr.udp.length = CFN_DATAGRAM;
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

    action to_ipv4() {
        hdr.ipv4.dst_addr = (ipv4_t)meta.dst;
        hdr.ipv4.src_addr = meta.anycast_ipv4;
        hdr.ipv4.total_len = 20 + CFN_DATAGRAM;
        hdr.ipv4.more_fragments = 0;
        hdr.ipv4.ttl = REPLY_TTL;
        truncate(NACK_FRAME_IPV4);
    }

    action to_ipv6() {
        hdr.ipv6.dst_addr = meta.dst;
        hdr.ipv6.src_addr = meta.anycast_ipv6;
        hdr.ipv6.payload_len = CFN_DATAGRAM;
        hdr.ipv6.hop_limit = REPLY_TTL;
        truncate(NACK_FRAME_IPV6);
    }

    action invent_header() {
        hdr.cfn.setValid();
        hdr.cfn = { 0, Kind.NACK, 0, 0, Extension.NONE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
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
        hdr.cfn.next = Extension.NONE;
        hdr.cfn.status = (bit<8>)meta.nack;
        hdr.cfn.load = meta.nack_detail;
        hdr.cfn.queue = meta.retry_after_ms;
        meta.outcome = (Outcome)(OUTCOME_OF_NACK + (bit<8>)meta.nack);
    }

    apply {
        if (hdr.cfn.isValid()) {
            echo_header();
        } else {
            invent_header();
        }
        shorten();
        say_why();
        if (meta.nack == NackCode.CHAIN_BROKEN) {
            meta.again = Again.CHAINED;
        } else {
            turn_ports();
            meta.dst = meta.src;
        }
        if (meta.to_anycast == 1) {
            meta.anycast_ipv4 = (ipv4_t)meta.before.dst;
            meta.anycast_ipv6 = meta.before.dst;
        }
        if (meta.is_ipv6 == 1) {
            to_ipv6();
        } else {
            to_ipv4();
        }
        if (meta.again == Again.CHAINED) {
            come_again();
        } else {
            turn_frame();
        }
    }
}

#endif
