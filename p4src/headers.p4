/* Headers on the wire, and what the stages tell each other. */

#ifndef CFN_HEADERS
#define CFN_HEADERS

#include "numbers.p4"

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
    bit<8>     next;
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

struct headers_t {
    ethernet_t ethernet;
    arp_t      arp;
    ipv4_h     ipv4;
    ipv6_h     ipv6;
    nd_t       nd;
    udp_h      udp;
    cfn_h      cfn;
}

/* The fields that a rewrite may touch, as they came in: checksums are updated from the difference. */
struct before_t {
    bit<128> dst;
    bit<8>   ttl;
    bit<16>  total_len;     /* of a packet that is refused, as the next */
    bit<1>   more_fragments;
    bit<8>   hops;
    bit<32>  timestamp;
    bit<32>  cookie;
    bit<32>  cookie_tag;
}

/* State of HalfSipHash, in metadata so that p4c keeps each half round apart. */
struct siphash_t {
    bit<32> v0;
    bit<32> v1;
    bit<32> v2;
    bit<32> v3;
    bit<32> k0;
    bit<32> k1;
}

/* The instance a request is bound to, or that sent a response. */
struct binding_t {
    bit<1>     chosen;
    site_t     site;
    instance_t instance;
    slot_t     slot;
    ipv4_t     ipv4;
    ipv6_t     ipv6;
}

struct metadata_t {
    Path       path;
    Outcome    outcome;
    NackCode   nack;
    bit<16>    retry_after_ms;
    bit<1>     is_ipv6;
    bit<1>     to_anycast;
    bit<1>     is_nack;         /* what leaves was made here, and is summed whole */
    bit<1>     is_advertisement;
    bit<16>    udp_room;        /* what the IP header leaves for a datagram */
    bit<1>     per_request;
    bit<1>     at_edge;
    class_t    class_id;
    next_hop_t next_hop;
    binding_t  bound;
    siphash_t  sip;
    bit<128>   src;             /* as it came in, of either family; IPv4 in the low 32 bits */
    bit<128>   dst;
    before_t   before;
}

#endif
