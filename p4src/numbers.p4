/* Numbers of the protocols, and of what can become of a packet. */

#ifndef CFN_NUMBERS
#define CFN_NUMBERS

typedef bit<9>   port_t;
typedef bit<48>  mac_t;
typedef bit<32>  ipv4_t;
typedef bit<128> ipv6_t;
typedef bit<14>  site_t;
typedef bit<16>  instance_t;
typedef bit<16>  slot_t;
typedef bit<64>  func_id_t;
typedef bit<16>  next_hop_t;
typedef bit<8>   class_t;
typedef bit<16>  service_t;
typedef bit<16>  group_t;          /* 0: none */

enum bit<16> EtherType {
    IPV4 = 0x0800,
    ARP  = 0x0806,
    IPV6 = 0x86dd
}

const bit<8> PROTO_ICMP = 1;
const bit<8> PROTO_IPV4 = 4;
const bit<8> PROTO_UDP = 17;
const bit<8> PROTO_IPV6 = 41;
const bit<8> PROTO_ROUTING = 43;
const bit<8> ROUTING_SEGMENTS = 4;     /* RFC 8754, section 2 */
const bit<16> SRH_BYTES = 8;
const bit<8> PROTO_ICMPV6 = 58;
const bit<8> ICMP_ECHO_REPLY = 0;      /* RFC 792 */
const bit<8> ICMP_UNREACHABLE = 3;
const bit<8> ICMP_TOO_BIG = 4;         /* a code of unreachable; RFC 1191, section 4 */
const bit<8> ICMP_ECHO = 8;
const bit<8> ICMP_TIME_EXCEEDED = 11;
const bit<8> ICMPV6_TOO_BIG = 2;       /* RFC 4443 */
const bit<8> ICMPV6_TIME_EXCEEDED = 3;
const bit<8> ICMPV6_INFORMATIONAL = 128;    /* types from here on are no errors */
const bit<8> ICMPV6_ECHO = 128;
const bit<8> ICMPV6_ECHO_REPLY = 129;
const bit<8> ICMPV6_NS = 135;          /* RFC 4861, section 4.3 */
const bit<8> ICMPV6_NA = 136;
const bit<16> ARP_REQUEST = 1;
const bit<16> ARP_REPLY = 2;
const bit<8> REPLY_TTL = 64;
const bit<8> NEIGHBOUR_TTL = 255;      /* only a neighbour's packet has it still: RFC 5082 */
const port_t CPU_PORT = 510;
const bit<32> PREFETCH_SESSION = 1;    /* of clones; which port it names is of no matter */
const bit<32> INGRESS_CLONE = 1;       /* standard_metadata.instance_type, as BMv2 has it */

const bit<16> IPV6_BYTES = 40;
const bit<16> CFN_PORT = 23793;        /* docs/wire-format.md */
const bit<4>  CFN_VERSION = 1;
const bit<8>  STATUS_OK = 0;
const bit<8>  CFN_WORDS = 18;          /* the base header, in 32-bit words */
const bit<16> UDP_BYTES = 8;
const bit<16> CFN_BYTES = 72;
const bit<16> CFN_DATAGRAM = UDP_BYTES + CFN_BYTES;
const bit<32> NACK_FRAME_IPV4 = 14 + 20 + 8 + 72;
const bit<32> NACK_FRAME_IPV6 = 14 + 40 + 8 + 72;
/* An ICMP error: the IP header, its own, and the IP header and 8 bytes of what it is about. */
const bit<16> ERROR_IPV4 = 20 + 8 + 20 + 8;
const bit<16> ERROR_IPV6_PAYLOAD = 8 + 40 + 8;

enum bit<4> Kind {
    REQUEST  = 1,
    RESPONSE = 2,
    PREFETCH = 3,
    PROBE    = 4,
    NACK     = 5
}

enum bit<8> NackCode {
    UNKNOWN_FUNCTION = 1,
    NOT_PERMITTED    = 2,
    NO_CAPACITY      = 3,
    DEMAND_UNMET     = 4,
    HOP_LIMIT        = 5,
    MALFORMED        = 6,
    RATE_EXCEEDED    = 7,
    UNAUTHENTICATED  = 8,
    TOO_BIG          = 9,
    CHAIN_BROKEN     = 10
}

/* Types of extensions. A router looks at those it knows, up to the first that it does not. */
enum bit<8> Extension {
    NONE  = 0,
    CHAIN = 1,
    AUTH  = 2,
    TRACE = 3
}
const bit<8> AUTH_WORDS = 4;
const bit<8> TRACE_RECORD_WORDS = 4;
const bit<16> TRACE_RECORD_BYTES = 16;
const bit<8> CHAIN_HEAD_WORDS = 1;
const bit<8> CHAIN_FUNCTION_WORDS = 6;
const bit<16> CHAIN_FUNCTION_BYTES = 24;

/* The part of a demand that nobody can meet: the detail of DEMAND_UNMET. */
enum bit<8> DemandPart {
    NOT_TOLD = 0,
    TYPE     = 1,
    GRADE    = 2,
    LATENCY  = 3,
    COST     = 4
}

/* RFC 2698 */
enum bit<2> Color {
    GREEN  = 0,
    YELLOW = 1,
    RED    = 2
}

/* What a PROBE is, where a response has its status. */
const bit<8> PROBE_ASKS = 0;
const bit<8> PROBE_ECHOES = 1;

/* What a stage asks of the stages behind it. */
enum Path {
    STEER,      /* a request for us to bind */
    RESPOND,    /* a response passing by */
    ECHO,       /* an ICMP echo for us */
    PROBE,      /* a neighbour's probe, or the echo of ours */
    REFLECT,    /* the echo of a neighbour's probe, on its way back */
    SEGMENT,    /* to a segment of ours */
    EMIT,       /* from the controller, out of the port it says */
    ROUTE,      /* anything else that is to be forwarded */
    REFUSE,     /* send a NACK back */
    TELL,       /* send an ICMP error back */
    AGAIN,      /* changed into another packet, which goes through the pipeline from its start */
    ANSWERED,   /* an answer is on its way out of the port it came from */
    DROP
}

/* What a packet was that comes through the pipeline once more. */
enum bit<8> Again {
    NO      = 0,
    CHAINED = 1,    /* a response, made the request for the chain's next function */
    REFUSED = 2,    /* a NACK of this router's, on its way to the client; counted when it leaves */
    PREFETCH = 3,   /* a request's header, sent ahead */
    UNPACKED = 4    /* what a list of segments brought here */
}

/* What became of a packet: every packet in counts as exactly one of these, but for the intermediate ones: what they
 * name comes back as another packet, and counts again. */
enum bit<8> Outcome {
    BOUND_NEW             = 1,   /* no cookie: the group chose */
    BOUND_BY_COOKIE       = 2,
    REBOUND_FORGED        = 3,   /* cookie with a wrong tag: the group chose */
    REBOUND_EXPIRED       = 4,   /* cookie of a key that is gone */
    REBOUND_DEAD          = 5,   /* true cookie, but its instance is gone */
    BOUND_TO_RIVAL        = 6,   /* no cookie: to a rival of the member drawn that answers sooner */
    BOUND_BY_FLOW         = 7,   /* no cookie: the flow was remembered */
    BOUND_FLOW_UNKEPT     = 8,   /* no cookie, and no room to remember the flow: the group chose */
    BOUND_TO_INPUT        = 9,   /* no cookie: to the site that holds the input */
    RESPONDED             = 10,  /* handed to the client under the anycast address */
    RESPONSE_PASSED       = 11,  /* a response on its way to the client's router */
    RESPONSE_UNVERIFIED   = 12,  /* left as it was: not by the instance or site its cookie names */
    RESPONSE_RELAYED      = 13,  /* sent on under the site's address */
    CHAINED               = 14,  /* intermediate: made the request for the chain's next function */
    BOUND_TO_RESULT       = 15,  /* no cookie: to the site that holds the result */
    PREFETCHED            = 16,  /* intermediate: a header sent ahead to a data agent */
    DECAPSULATED          = 17,  /* intermediate: unpacked at its last segment */
    ROUTED                = 30,  /* not CFN, or not for this router */
    ARP_ANSWERED          = 31,
    ND_ANSWERED           = 32,
    ECHO_ANSWERED         = 33,
    TIME_EXCEEDED         = 34,  /* told by ICMP, as is the next */
    TOO_BIG               = 35,
    PROBE_ECHOED          = 36,
    PROBE_RETURNED        = 37,
    EMITTED               = 38,  /* for the controller */
    DROP_NOT_FOR_US       = 40,  /* another station's frame, or no protocol of ours */
    DROP_BAD_CHECKSUM     = 41,  /* IPv4 header */
    DROP_BAD_HEADER       = 42,  /* truncated or impossible IP header */
    DROP_NO_ROUTE         = 43,
    DROP_TTL              = 44,
    DROP_LOCAL            = 45,  /* to one of our addresses, where nothing answers it */
    DROP_STRAY            = 46,  /* a response or NACK sent to the anycast address: never answered */
    DROP_TOO_BIG          = 47,  /* and nobody to be told, as is so with DROP_TTL */
    DROP_PROBE            = 48,  /* not a neighbour's */
    DROP_PREFETCH         = 49,  /* of no router of the network */
    DROP_SEGMENT          = 50,  /* no segment list that ends here, or from outside of the network */
    NACK_UNKNOWN_FUNCTION = 65,  /* 64 + NackCode */
    NACK_NOT_PERMITTED    = 66,
    NACK_NO_CAPACITY      = 67,
    NACK_DEMAND_UNMET     = 68,
    NACK_HOP_LIMIT        = 69,
    NACK_MALFORMED        = 70,
    NACK_RATE_EXCEEDED    = 71,
    NACK_UNAUTHENTICATED  = 72,
    NACK_TOO_BIG          = 73,
    NACK_CHAIN_BROKEN     = 74
}
const bit<8> OUTCOME_OF_NACK = 64;

#endif
