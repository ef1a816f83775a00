/* Whose packet is it? Frames for other stations and broken headers end here; requests for the anycast address
 * are steered, responses are learnt from on their way, the rest is routed. */

#ifndef CFN_CLASSIFY
#define CFN_CLASSIFY

#include "headers.p4"
#include "ids.p4"
#include "sizes.p4"

control Classify(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    bit<1> ours = 0;
    bit<1> local = 0;
    bool is_fragment = false;

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

    @id(ID_A_OWN_ADDRESS)
    action own_address() {
        local = 1;
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
        actions = { anycast; own_address; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    @id(ID_T_LOCAL_IPV6)
    table local_ipv6 {
        key = { hdr.ipv6.dst_addr : exact @name("dst_addr"); }
        actions = { anycast; own_address; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    action drop(Outcome outcome) {
        meta.path = Path.DROP;
        meta.outcome = outcome;
    }

    action refuse_malformed() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.MALFORMED;
    }

    /* A datagram to the CFN port of the anycast address. */
    action classify_request() {
        meta.path = Path.STEER;
    }

    apply {
        my_mac.apply();
        if (ours == 0 || !(hdr.ipv4.isValid() || hdr.ipv6.isValid())) {
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
            if (hdr.ipv6.version != 6) {
                drop(Outcome.DROP_BAD_HEADER);
                return;
            }
            meta.udp_room = hdr.ipv6.payload_len;
            local_ipv6.apply();
        }

        if (local == 0) {
            meta.path = Path.ROUTE;
            if (hdr.cfn.isValid() && !is_fragment && hdr.udp.src_port == CFN_PORT && hdr.cfn.version == CFN_VERSION
                && (hdr.cfn.kind == Kind.RESPONSE || hdr.cfn.kind == Kind.NACK)) {
                meta.path = Path.RESPOND;
            }
        } else if (meta.to_anycast == 0 || !hdr.udp.isValid() || hdr.udp.dst_port != CFN_PORT) {
            drop(Outcome.DROP_LOCAL);
        } else if (!hdr.cfn.isValid()) {
            refuse_malformed();
        } else if (hdr.cfn.kind == Kind.RESPONSE || hdr.cfn.kind == Kind.NACK) {
            drop(Outcome.DROP_STRAY);
        } else if (hdr.cfn.version != CFN_VERSION || hdr.cfn.kind != Kind.REQUEST
                   || hdr.cfn.length < CFN_WORDS
                   || ((bit<16>)hdr.cfn.length << 2) + UDP_BYTES > hdr.udp.length
                   || hdr.udp.length > meta.udp_room
                   || is_fragment) {
            refuse_malformed();
        } else {
            classify_request();
        }
    }
}

#endif
