/* What the stages tell each other. */

#ifndef CFN_METADATA
#define CFN_METADATA

#include "numbers.p4"

/* What stays with a packet that comes again. */
const bit<8> FIELDS_AGAIN = 1;
/* And with the copy that is to be sent ahead. */
const bit<8> FIELDS_PREFETCH = 2;

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
    bit<16>    path_mtu;        /* and what the narrowest link up to the last segment takes */
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
    bit<8>     lead;            /* by how much sooner a rival must answer, in 256ths; 255: no rivals */
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
