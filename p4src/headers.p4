/* Headers on the wire, and what the stages tell each other. */

#ifndef CFN_HEADERS
#define CFN_HEADERS

#include "numbers.p4"
#include "sizes.p4"

/* What stays with a packet that comes again. */
const bit<8> FIELDS_AGAIN = 1;
/* And with the copy that is to be sent ahead. */
const bit<8> FIELDS_PREFETCH = 2;

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

/* The fields that a rewrite may touch, as they came in: checksums are updated from the difference. */
struct before_t {
    bit<128> dst;
    bit<8>   ttl;
    bit<8>   tos;
    bit<16>  total_len;
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

/* The group member that a request is bound to, or that sent a response: an instance here or a remote site. */
struct binding_t {
    bit<1>     chosen;
    bit<1>     is_remote;
    site_t     site;
    instance_t instance;
    slot_t     slot;
    ipv4_t     ipv4;
    ipv6_t     ipv6;
}

struct metadata_t {
    @field_list(FIELDS_AGAIN)
    Again      again;
    @field_list(FIELDS_AGAIN)
    port_t     port;            /* that the packet came in by; standard metadata forget it when it comes again */
    @field_list(FIELDS_AGAIN)
    bit<48>    now;             /* when it came in, us of this router's clock; likewise */
    Path       path;
    Outcome    outcome;
    @field_list(FIELDS_AGAIN)
    NackCode   nack;
    bit<16>    retry_after_ms;
    bit<1>     is_ipv6;
    bit<1>     to_anycast;
    bit<1>     encapsulated;    /* by this router, which adds so much: */
    bit<16>    overhead;
    bit<8>     flow_s;          /* how long the service remembers flows; 0: not at all */
    bit<1>     flow_known;
    bit<1>     flow_room;
    bit<32>    flow_name;
    bit<32>    flow_index;
    site_t     wanted;          /* where the data is; 0: nowhere */
    bit<1>     has_result;
    @field_list(FIELDS_PREFETCH)
    site_t     holder;          /* of the input; 0: unknown */
    @field_list(FIELDS_PREFETCH)
    bit<128>   agent;           /* the data agent of the site that is bound to */
    bit<16>    udp_room;        /* what the IP header leaves for a datagram */
    site_t     scope;           /* the site that was asked for; 0: any, by the anycast address */
    service_t  service;
    bit<1>     per_request;
    bit<8>     lead;            /* by how much a second draw's load must be lower; 255: no second draw */
    bit<8>     nack_detail;
    bit<1>     traced;          /* wants a record of this router */
    bit<16>    router;          /* this router's number */
    ipv4_t     router_ipv4;
    ipv6_t     router_ipv6;
    bit<16>    mtu;             /* of the way out, in bytes of IP packet */
    bit<16>    room;            /* what the way out has room for beyond the packet */
    bit<1>     is_new_message;  /* of the router's own making: summed whole */
    bit<16>    delta;           /* complement of what was added to the datagram's sum apart from what `before` tells */
    bit<1>     at_edge;
    class_t    class_id;
    group_t    group;
    bit<32>    salt;            /* what tells a group's second draw from the first */
    next_hop_t next_hop;
    binding_t  bound;
    siphash_t  sip;
    bit<128>   src;             /* as it came in, of either family; IPv4 in the low 32 bits */
    bit<128>   dst;
    before_t   before;
    ipv4_t     anycast_ipv4;
    ipv6_t     anycast_ipv6;
    bit<1>     verified;        /* a response of whom its cookie names */
    bit<1>     is_home;         /* the cookie names a site at this router, whose address follows */
    slot_t     home_slot;
    ipv4_t     home_ipv4;
    ipv6_t     home_ipv6;
}

#endif
