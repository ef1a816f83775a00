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

enum bit<16> EtherType {
    IPV4 = 0x0800,
    ARP  = 0x0806,
    IPV6 = 0x86dd
}

const bit<8> PROTO_UDP = 17;
const bit<8> PROTO_ICMPV6 = 58;
const bit<8> ICMPV6_NS = 135;          /* RFC 4861, section 4.3 */
const bit<8> ICMPV6_NA = 136;
const bit<16> ARP_REQUEST = 1;
const bit<16> ARP_REPLY = 2;
const bit<8> REPLY_TTL = 64;

const bit<16> CFN_PORT = 23793;        /* docs/wire-format.md */
const bit<4>  CFN_VERSION = 1;
const bit<8>  CFN_WORDS = 18;          /* the base header, in 32-bit words */
const bit<16> UDP_BYTES = 8;
const bit<16> CFN_BYTES = 72;
const bit<16> CFN_DATAGRAM = UDP_BYTES + CFN_BYTES;
const bit<32> NACK_FRAME_IPV4 = 14 + 20 + 8 + 72;
const bit<32> NACK_FRAME_IPV6 = 14 + 40 + 8 + 72;

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
    MALFORMED        = 6
}

/* What a stage asks of the stages behind it. */
enum Path {
    STEER,      /* a request for us to bind */
    RESPOND,    /* a response passing by */
    ROUTE,      /* anything else that is to be forwarded */
    REFUSE,     /* send a NACK back */
    ANSWERED,   /* an answer is on its way out of the port it came from */
    DROP
}

/* What became of a packet: every packet in counts as exactly one of these. */
enum bit<8> Outcome {
    BOUND_NEW             = 1,   /* no cookie: the group chose */
    BOUND_BY_COOKIE       = 2,
    REBOUND_FORGED        = 3,   /* cookie with a wrong tag: the group chose */
    REBOUND_EXPIRED       = 4,   /* cookie of a key that is gone */
    REBOUND_DEAD          = 5,   /* true cookie, but its instance is gone */
    RESPONDED             = 10,  /* handed to the client under the anycast address */
    RESPONSE_PASSED       = 11,  /* a response on its way to the client's router */
    RESPONSE_UNVERIFIED   = 12,  /* left as it was: not by the instance its cookie names */
    NACK_UNKNOWN_FUNCTION = 21,  /* 20 + NackCode */
    NACK_NOT_PERMITTED    = 22,
    NACK_NO_CAPACITY      = 23,
    NACK_DEMAND_UNMET     = 24,
    NACK_HOP_LIMIT        = 25,
    NACK_MALFORMED        = 26,
    ROUTED                = 30,  /* not CFN, or not for this router */
    ARP_ANSWERED          = 31,
    ND_ANSWERED           = 32,
    DROP_NOT_FOR_US       = 40,  /* another station's frame, or no protocol of ours */
    DROP_BAD_CHECKSUM     = 41,  /* IPv4 header */
    DROP_BAD_HEADER       = 42,  /* truncated or impossible IP header */
    DROP_NO_ROUTE         = 43,
    DROP_TTL              = 44,
    DROP_LOCAL            = 45,  /* to one of our addresses, where nothing answers it */
    DROP_STRAY            = 46   /* a response or NACK sent to the anycast address: never answered */
}
const bit<8> OUTCOME_OF_NACK = 20;

#endif
