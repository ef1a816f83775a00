/* Whose packet is it? Frames for other stations and broken headers end here; requests for the anycast address
 * are steered, responses are learnt from on their way, the rest is routed. */

#ifndef CFN_CLASSIFY
#define CFN_CLASSIFY

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Classify(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    bit<1> ours = 0;
    bit<1> local = 0;
    bit<1> own = 0;
    bit<1> is_segment = 0;
    bit<1> is_core = 0;
    bit<16> words = (bit<16>)CFN_WORDS;     /* that the header and the extensions looked at should have */
    bool is_fragment = false;
    bool readable = true;       /* the header and the extensions that were looked at are whole */

    @id(ID_A_FOR_ROUTER)
    action for_router() {
        ours = 1;
    }

    /* The address that clients of the network send their requests to. */
    @id(ID_A_ANYCAST)
    action anycast() {
        local = 1;
        meta.to_anycast = 1;
    }

    /* Where other routers send the requests for a site at this router. */
    @id(ID_A_SITE_ADDRESS)
    action site_address(site_t site) {
        local = 1;
        meta.scope = site;
    }

    @id(ID_A_OWN_ADDRESS)
    action own_address() {
        local = 1;
        own = 1;
    }

    /* The end of an SRv6 segment: RFC 8986, sections 4.1 and 4.8. */
    @id(ID_A_SEGMENT)
    action segment() {
        local = 1;
        is_segment = 1;
    }

    @id(ID_T_MY_MAC)
    table my_mac {
        key = { hdr.ethernet.dst_addr : exact @name("dst_addr"); }
        actions = { for_router; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    @id(ID_T_LOCAL_IPV4)
    table local_ipv4 {
        key = { hdr.ipv4.dst_addr : exact @name("dst_addr"); }
        actions = { anycast; site_address; own_address; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    @id(ID_T_LOCAL_IPV6)
    table local_ipv6 {
        key = { meta.dst : exact @name("dst_addr"); }
        actions = { anycast; site_address; own_address; segment; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    @id(ID_A_FROM_CORE)
    action from_core() {
        is_core = 1;
    }

    /* Ports to other CFN routers: only there can a request name its site. */
    @id(ID_T_CORE_PORT)
    table core_port {
        key = { meta.port : exact @name("port"); }
        actions = { from_core; @defaultonly NoAction; }
        size = PORTS;
    }

    action drop(Outcome outcome) {
        meta.path = Path.DROP;
        meta.outcome = outcome;
    }

    action refuse(NackCode code) {
        meta.path = Path.REFUSE;
        meta.nack = code;
    }

    action add_auth() {
        words = words + (bit<16>)AUTH_WORDS;
    }

    action add_chain() {
        words = words + (bit<16>)hdr.chain.length;
    }

    action add_trace() {
        words = words + (bit<16>)hdr.trace.length;
    }

    action is_unreadable() {
        readable = false;
    }

    /* A datagram to the CFN port of the anycast address, or of a site's. */
    action classify_request() {
        meta.path = Path.STEER;
    }

    apply {
        my_mac.apply();
        if (ours == 0 || !(hdr.ipv4.isValid() || hdr.ipv6.isValid() || hdr.outer.isValid())) {
            drop(Outcome.DROP_NOT_FOR_US);
            return;
        }
        if (hdr.ipv4.isValid()) {
            if (std.checksum_error == 1) {
                drop(Outcome.DROP_BAD_CHECKSUM);
                return;
            }
            if (hdr.ipv4.version != 4 || hdr.ipv4.ihl < 5 || hdr.ipv4.total_len < 20) {
                drop(Outcome.DROP_BAD_HEADER);
                return;
            }
            meta.udp_room = hdr.ipv4.total_len - 20;
            is_fragment = hdr.ipv4.more_fragments == 1;
            local_ipv4.apply();
        } else {
            if ((hdr.ipv6.isValid() && hdr.ipv6.version != 6) || (hdr.outer.isValid() && hdr.outer.version != 6)) {
                drop(Outcome.DROP_BAD_HEADER);
                return;
            }
            meta.udp_room = hdr.ipv6.payload_len;
            local_ipv6.apply();
        }

        if (hdr.cfn.isValid()) {
            if (hdr.cfn.next != Extension.NONE) {
                if (hdr.auth.isValid()) {
                    add_auth();
                }
                if (hdr.chain.isValid()) {
                    add_chain();
                }
                if (hdr.trace.isValid()) {
                    add_trace();
                }
                if (std.parser_error != error.NoError
                    || (hdr.auth.isValid() && hdr.auth.length != AUTH_WORDS)
                    || (hdr.chain.isValid()
                        && hdr.chain.length != CHAIN_HEAD_WORDS + hdr.chain.left * CHAIN_FUNCTION_WORDS)
                    || (hdr.trace.isValid() && hdr.trace.length == 0)) {
                    is_unreadable();
                }
            }
            if ((bit<16>)hdr.cfn.length < words || hdr.cfn.version != CFN_VERSION
                || ((bit<16>)hdr.cfn.length << 2) + UDP_BYTES > hdr.udp.length
                || hdr.udp.length > meta.udp_room
                || is_fragment) {
                is_unreadable();
            }
        }

        if (readable && hdr.trace.isValid()
            && (hdr.cfn.kind == Kind.REQUEST || hdr.cfn.kind == Kind.RESPONSE)) {
            meta.traced = 1;
        }
        if (is_segment == 1 || meta.scope != 0
            || (hdr.cfn.isValid() && (hdr.cfn.kind == Kind.PREFETCH || hdr.cfn.kind == Kind.PROBE))) {
            core_port.apply();
        }

        if (local == 0) {
            meta.path = Path.ROUTE;
            if (hdr.cfn.isValid() && hdr.cfn.kind == Kind.PREFETCH && hdr.udp.dst_port == CFN_PORT && is_core == 0
                && meta.again != Again.PREFETCH) {
                drop(Outcome.DROP_PREFETCH);
            }
            if (hdr.cfn.isValid() && readable && hdr.udp.src_port == CFN_PORT
                && (hdr.cfn.kind == Kind.RESPONSE || hdr.cfn.kind == Kind.NACK)) {
                meta.path = Path.RESPOND;
            }
        } else if (is_segment == 1) {
            if (is_core == 1 && hdr.outer.isValid()) {
                meta.path = Path.SEGMENT;
            } else {
                drop(Outcome.DROP_SEGMENT);
            }
        } else if (hdr.icmp.isValid() && hdr.icmp.code == 0
                   && hdr.icmp.type == (meta.is_ipv6 == 1 ? ICMPV6_ECHO : ICMP_ECHO) && !is_fragment) {
            meta.path = Path.ECHO;
        } else if (own == 1 && hdr.cfn.isValid() && readable && hdr.cfn.kind == Kind.PROBE) {
            if (is_core == 1) {
                meta.path = Path.PROBE;
            } else {
                drop(Outcome.DROP_PROBE);
            }
        } else if ((meta.to_anycast == 0 && meta.scope == 0) || !hdr.udp.isValid() || hdr.udp.dst_port != CFN_PORT) {
            drop(Outcome.DROP_LOCAL);
        } else if (!hdr.cfn.isValid()) {
            refuse(NackCode.MALFORMED);
        } else if (hdr.cfn.kind == Kind.RESPONSE || hdr.cfn.kind == Kind.NACK) {
            drop(Outcome.DROP_STRAY);
        } else if (!readable || hdr.cfn.kind != Kind.REQUEST) {
            refuse(NackCode.MALFORMED);
        } else {
            classify_request();
            if (meta.scope != 0 && is_core == 0) {
                refuse(NackCode.NOT_PERMITTED);
            }
        }
    }
}

#endif
