/* Stage 9: longest prefix match for either family, next hops by flow hash. */

#ifndef CFN_ROUTE
#define CFN_ROUTE

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Route(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    bool found = false;
    bit<32> ports = 0;
    mac_t new_src = 0;
    mac_t new_dst = 0;
    bit<16> length = 0;     /* of the IP packet; what is longer than can be said is longer than any MTU but the largest */

    @id(ID_A_SET_NEXT_HOP)
    action set_next_hop(next_hop_t next_hop) {
        meta.next_hop = next_hop;
    }

    @id(ID_P_NEXT_HOPS)
    @max_group_size(ECMP_WAYS)
    action_selector(HashAlgorithm.crc32, ROUTES, 32) next_hops;

    @id(ID_T_IPV4_ROUTE)
    table ipv4_route {
        key = {
            hdr.ipv4.dst_addr : lpm @name("dst_addr");
            ports             : selector;
            meta.src          : selector;
            meta.dst          : selector;
        }
        actions = { set_next_hop; @defaultonly NoAction; }
        implementation = next_hops;
        size = ROUTES;
    }

    @id(ID_T_IPV6_ROUTE)
    table ipv6_route {
        key = {
            meta.dst : lpm @name("dst_addr");
            ports    : selector;
            meta.src : selector;
            meta.dst : selector;
        }
        actions = { set_next_hop; @defaultonly NoAction; }
        implementation = next_hops;
        size = ROUTES;
    }

    action forward(port_t port, mac_t src_mac, mac_t dst_mac, bit<16> mtu) {
        std.egress_spec = port;
        meta.mtu = mtu;
        new_src = src_mac;
        new_dst = dst_mac;
    }

    /* Out of the CFN domain: to a host, or to a network of hosts. */
    @id(ID_A_FORWARD_EDGE)
    action forward_edge(port_t port, mac_t src_mac, mac_t dst_mac, bit<16> mtu) {
        forward(port, src_mac, dst_mac, mtu);
        meta.at_edge = 1;
    }

    /* To the next CFN router. */
    @id(ID_A_FORWARD_CORE)
    action forward_core(port_t port, mac_t src_mac, mac_t dst_mac, bit<16> mtu) {
        forward(port, src_mac, dst_mac, mtu);
    }

    @id(ID_T_NEXT_HOP)
    table next_hop {
        key = { meta.next_hop : exact @name("next_hop"); }
        actions = { forward_edge; forward_core; @defaultonly NoAction; }
        size = NEXT_HOPS;
    }

    action narrow() {
        meta.mtu = meta.path_mtu;
    }

    action leave() {
        hdr.ethernet.src_addr = new_src;
        hdr.ethernet.dst_addr = new_dst;
        meta.room = meta.mtu - length;
    }

    action tell(Outcome outcome) {
        meta.path = Path.TELL;
        meta.outcome = outcome;
    }

    action refuse_too_big() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.TOO_BIG;
        meta.retry_after_ms = meta.mtu - meta.overhead;
    }

    action drop(Outcome outcome) {
        meta.path = Path.DROP;
        meta.outcome = outcome;
    }

    action refuse_no_capacity() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.NO_CAPACITY;
    }

    /* What follows a route hangs on hit or miss, never on which action ran: p4c numbers set_next_hop anew for each
     * table, and BMv2 looks the next node up by a number that the shared selector's members have from one of them. */
    apply {
        /* Ports tell flows apart only where each packet of the flow has them. */
        if (hdr.udp.isValid() && !(hdr.ipv4.isValid() && hdr.ipv4.more_fragments == 1)) {
            ports = hdr.udp.src_port ++ hdr.udp.dst_port;
        } else if (hdr.outer.isValid()) {
            ports = 12w0 ++ hdr.outer.flow_label;
        }
        if (hdr.outer.isValid() && meta.encapsulated == 0) {
            if (hdr.outer.hop_limit <= 1) {
                tell(Outcome.TIME_EXCEEDED);
                return;
            }
            hdr.outer.hop_limit = hdr.outer.hop_limit - 1;
        } else if (meta.is_ipv6 == 1) {
            if (hdr.ipv6.hop_limit <= 1) {
                tell(Outcome.TIME_EXCEEDED);
                return;
            }
            hdr.ipv6.hop_limit = hdr.ipv6.hop_limit - 1;
        } else {
            if (hdr.ipv4.ttl <= 1) {
                tell(Outcome.TIME_EXCEEDED);
                return;
            }
            hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
        }
        if (meta.is_ipv6 == 1 || meta.encapsulated == 1) {
            if (ipv6_route.apply().hit) {
                found = true;
            }
        } else if (ipv4_route.apply().hit) {
            found = true;
        }
        if (!found || !next_hop.apply().hit) {
            if (meta.path == Path.STEER) {
                refuse_no_capacity();    /* a request is never lost in silence */
            } else {
                drop(Outcome.DROP_NO_ROUTE);
            }
            return;
        }
        if (meta.encapsulated == 1 && meta.path_mtu < meta.mtu) {
            narrow();
        }
        if (hdr.outer.isValid()) {
            length = hdr.outer.payload_len |+| IPV6_BYTES;
        } else if (meta.is_ipv6 == 1) {
            length = hdr.ipv6.payload_len |+| IPV6_BYTES;
        } else {
            length = hdr.ipv4.total_len;
        }
        if (length <= meta.mtu) {
            leave();
        } else if (meta.path == Path.STEER) {
            refuse_too_big();
        } else {
            tell(Outcome.TOO_BIG);
        }
    }
}

#endif
