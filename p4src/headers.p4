/* Headers on the wire. */

#ifndef CFN_HEADERS
#define CFN_HEADERS

#include "numbers.p4"
#include "sizes.p4"

/* In front of a frame that the controller sends. */
@controller_header("packet_out")
header packet_out_t {
    port_t  egress_port;
    bit<7>  padding;
}

header ethernet_t {
    mac_t     dst_addr;
    mac_t     src_addr;
    EtherType ether_type;
}

header arp_t {                  /* RFC 826, Ethernet and IPv4 */
    bit<16> hw_type;
    bit<16> proto_type;
    bit<8>  hw_len;
    bit<8>  proto_len;
    bit<16> oper;
    mac_t   sender_mac;
    ipv4_t  sender_ip;
    mac_t   target_mac;
    ipv4_t  target_ip;
}

header ipv4_h {                 /* RFC 791; options stay in the payload and are passed on */
    bit<4>  version;
    bit<4>  ihl;
    bit<8>  tos;
    bit<16> total_len;
    bit<16> id;
    bit<1>  reserved;
    bit<1>  dont_fragment;
    bit<1>  more_fragments;
    bit<13> frag_offset;
    bit<8>  ttl;
    bit<8>  protocol;
    bit<16> checksum;
    ipv4_t  src_addr;
    ipv4_t  dst_addr;
}

header ipv6_h {                 /* RFC 8200 */
    bit<4>  version;
    bit<8>  traffic_class;
    bit<20> flow_label;
    bit<16> payload_len;
    bit<8>  next_header;
    bit<8>  hop_limit;
    ipv6_t  src_addr;
    ipv6_t  dst_addr;
}

header srh_h {                  /* RFC 8754, section 2 */
    bit<8>  next_header;
    bit<8>  length;             /* in 8 bytes, but for the first */
    bit<8>  type;
    bit<8>  segments_left;
    bit<8>  last_entry;
    bit<8>  flags;
    bit<16> tag;
}

header segment_h {
    ipv6_t address;
}

header nd_t {                   /* NS or NA with one link-layer address option, RFC 4861, sections 4.3, 4.4 and 4.6.1 */
    bit<8>  type;
    bit<8>  code;
    bit<16> checksum;
    bit<32> flags;
    ipv6_t  target;
    bit<8>  opt_type;
    bit<8>  opt_len;
    mac_t   opt_mac;
}

header udp_h {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

header cfn_h {                  /* docs/wire-format.md */
    bit<4>     version;
    Kind       kind;
    bit<8>     flags;
    bit<8>     length;          /* in 32-bit words, extensions included */
    Extension  next;
    bit<16>    tenant;
    bit<8>     hops;
    bit<8>     priority;
    bit<32>    request_id;
    bit<32>    timestamp;
    bit<32>    cookie;          /* epoch (2), site (14), instance (16); with the tag it makes up `affinity` */
    bit<32>    cookie_tag;
    func_id_t  func_id;
    bit<128>   data_in;
    bit<128>   data_out;
    bit<4>     demand_type;
    bit<4>     demand_grade;
    bit<16>    demand_latency_ms;
    bit<8>     demand_cost;
    bit<8>     status;          /* or the NACK's code */
    bit<8>     load;
    bit<16>    queue;           /* or the NACK's retry-after in ms */
}

header auth_h {
    Extension next;
    bit<8>    length;
    bit<16>   sender;
    bit<32>   sequence;
    bit<64>   tag;
}

header chain_h {
    Extension next;
    bit<8>    length;
    bit<8>    done;         /* functions that have run */
    bit<8>    left;         /* functions still to run */
}

header chain_function_h {
    func_id_t func_id;
    bit<128>  data_out;
}

/* Records stay behind it in the payload, the newest first. */
header trace_h {
    Extension next;
    bit<8>    length;
    bit<8>    missed;       /* routers that had no room for a record */
    bit<8>    reserved;
}

header record_h {
    bit<16>    router;
    Outcome    outcome;
    bit<8>     hops;
    bit<16>    site;
    instance_t instance;
    bit<32>    time_us;         /* this router's clock */
    bit<16>    queue;           /* packets that waited at the way out */
    bit<16>    residence_us;
}

header icmp_h {                 /* RFC 792, RFC 4443 */
    bit<8>  type;
    bit<8>  code;
    bit<16> checksum;
    bit<32> rest;
}

header transport_h {            /* the head of whatever else IP carries, for ICMP errors about it */
    bit<64> head;
}

struct headers_t {
    packet_out_t packet_out;
    ethernet_t ethernet;
    arp_t      arp;
    ipv6_h     outer;           /* with a segment routing header behind it */
    srh_h      srh;
    segment_h[SEGMENTS] segments;
    ipv4_h     ipv4;
    ipv6_h     ipv6;
    icmp_h     icmp_error;      /* an ICMP error, and the header it quotes */
    ipv4_h     quoted_ipv4;
    ipv6_h     quoted_ipv6;
    nd_t       nd;
    icmp_h     icmp;
    transport_h transport;
    udp_h      udp;
    cfn_h      cfn;
    auth_h     auth;
    chain_h    chain;
    chain_function_h[CHAIN_FUNCTIONS] functions;
    trace_h    trace;
    record_h   record;          /* this router's */
}

#endif
