/* ARP and neighbour solicitations for the router's addresses, answered out of the port they came from. */

#ifndef CFN_NEIGHBOUR
#define CFN_NEIGHBOUR

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Neighbour(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action answer(Outcome outcome, mac_t mac) {
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = mac;
        std.egress_spec = std.ingress_port;
        meta.path = Path.ANSWERED;
        meta.outcome = outcome;
    }

    @id(ID_A_ANSWER_ARP)
    action answer_arp(mac_t mac) {
        ipv4_t asked = hdr.arp.target_ip;
        hdr.arp.oper = ARP_REPLY;
        hdr.arp.target_mac = hdr.arp.sender_mac;
        hdr.arp.target_ip = hdr.arp.sender_ip;
        hdr.arp.sender_mac = mac;
        hdr.arp.sender_ip = asked;
        answer(Outcome.ARP_ANSWERED, mac);
    }

    /* A solicited advertisement that overrides, by a router: RFC 4861, section 4.4. */
    @id(ID_A_ANSWER_ND)
    action answer_nd(mac_t mac) {
        hdr.ipv6.dst_addr = hdr.ipv6.src_addr;
        hdr.ipv6.src_addr = hdr.nd.target;
        hdr.nd.type = ICMPV6_NA;
        hdr.nd.flags = 0xe0000000;
        hdr.nd.opt_type = 2;
        hdr.nd.opt_mac = mac;
        meta.is_new_message = 1;
        answer(Outcome.ND_ANSWERED, mac);
    }

    @id(ID_T_ARP_REPLY)
    table arp_reply {
        key = { hdr.arp.target_ip : exact @name("target"); }
        actions = { answer_arp; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    @id(ID_T_ND_REPLY)
    table nd_reply {
        key = { hdr.nd.target : exact @name("target"); }
        actions = { answer_nd; @defaultonly NoAction; }
        size = ROUTER_ADDRESSES;
    }

    apply {
        if (hdr.arp.isValid() && hdr.arp.oper == ARP_REQUEST && hdr.arp.hw_type == 1
            && hdr.arp.proto_type == (bit<16>)EtherType.IPV4 && hdr.arp.hw_len == 6 && hdr.arp.proto_len == 4) {
            arp_reply.apply();
        } else if (hdr.nd.isValid() && hdr.nd.code == 0 && hdr.nd.opt_type == 1 && hdr.nd.opt_len == 1) {
            nd_reply.apply();
        }
    }
}

#endif
