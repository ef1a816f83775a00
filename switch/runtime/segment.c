#include "segment.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "hash.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* virtio 1.3 §5.1.6 */
#endif

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8, MOST = 0xffff };
enum { FIN = 0x01, PSH = 0x08, CWR = 0x80 };

static int find_network(struct segments *s) {
    uint32_t at = ETH_HLEN;
    while (at + TAG <= s->length) {
        uint64_t type = load_be(s->frame + at - 2, 2);
        if (type != ETH_P_8021Q && type != ETH_P_8021AD) {
            s->network = at;
            s->version = type == ETH_P_IP ? 4 : type == ETH_P_IPV6 ? 6 : 0;
            return s->version && s->frame[at] >> 4 == s->version ? 0 : -1;
        }
        at += TAG;
    }
    return -1;
}

static int find_transport_4(struct segments *s) {
    const uint8_t *ip = s->frame + s->network;
    uint32_t header = 4u * (ip[0] & 15);
    if (header < IPV4_HEADER || s->network + header > s->length) return -1;
    if (load_be(ip + 6, 2) & 0x3fff) return -1; /* a fragment (RFC 791 §3.1) */
    s->protocol = ip[9];
    s->transport = s->network + header;
    return 0;
}

/* A routing header is not passed over: the checksum would be over an address in there (RFC 8200 §8.1). */
static int find_transport_6(struct segments *s) {
    uint32_t at = s->network + IPV6_HEADER;
    if (at > s->length) return -1;
    s->protocol = s->frame[s->network + 6];
    while (s->protocol == IPPROTO_HOPOPTS || s->protocol == IPPROTO_DSTOPTS) {
        if (at + 8 > s->length) return -1;
        s->protocol = s->frame[at];
        at += 8u * (s->frame[at + 1] + 1u);
    }
    s->transport = at;
    return 0;
}

static int find_payload(struct segments *s) {
    const uint8_t *transport = s->frame + s->transport;
    uint32_t header = UDP_HEADER;
    if (s->transport + (s->protocol == IPPROTO_TCP ? TCP_HEADER : UDP_HEADER) > s->length) return -1;
    if (s->protocol == IPPROTO_TCP) {
        header = 4u * (transport[12] >> 4);
        if (header < TCP_HEADER) return -1;
    }
    s->payload = s->transport + header;
    return s->payload < s->length ? 0 : -1;
}

static int kind_fits(const struct segments *s, uint8_t gso_type) {
    switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4: return s->version == 4 && s->protocol == IPPROTO_TCP;
    case VIRTIO_NET_HDR_GSO_TCPV6: return s->version == 6 && s->protocol == IPPROTO_TCP;
    case VIRTIO_NET_HDR_GSO_UDP_L4: return s->protocol == IPPROTO_UDP;
    default: return 0;
    }
}

int segments_begin(struct segments *s, const uint8_t *frame, uint32_t length, const struct virtio_net_hdr *v) {
    *s = (struct segments){.frame = frame, .length = length, .size = v->gso_size};
    if (length < ETH_HLEN || find_network(s)) return -1;
    if (s->version == 4 && s->network + IPV4_HEADER > length) return -1;
    if (s->version == 4 ? find_transport_4(s) : find_transport_6(s)) return -1;
    if (!kind_fits(s, v->gso_type) || find_payload(s) || !s->size) return -1;
    if (s->payload - s->network + s->size > MOST) return -1;
    int left = v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    if (left && v->csum_start != s->transport) return -1; /* an inner header's: an encapsulation */
    s->unchecked = !left && s->version == 4 && s->protocol == IPPROTO_UDP && !load_be(frame + s->transport + 6, 2);
    return 0;
}

static void fix_network(const struct segments *s, uint8_t *ip, uint32_t length) {
    if (s->version == 6) {
        store_be(ip + 4, 2, length - IPV6_HEADER);
        return;
    }
    store_be(ip + 2, 2, length);
    store_be(ip + 4, 2, load_be(ip + 4, 2) + s->count);
    store_be(ip + 10, 2, 0);
    store_be(ip + 10, 2, (uint16_t)~csum_fold(csum_bytes(ip, s->transport - s->network, 0)));
}

static void fix_tcp(const struct segments *s, uint8_t *tcp, int last) {
    store_be(tcp + 4, 4, load_be(tcp + 4, 4) + s->taken);
    if (s->count) tcp[13] &= (uint8_t)~CWR;
    if (!last) tcp[13] &= (uint8_t) ~(FIN | PSH);
}

/* RFC 9293 §3.1, RFC 768, RFC 8200 §8.1 */
static uint16_t checksum(const struct segments *s, const uint8_t *ip, const uint8_t *transport, uint32_t length) {
    uint64_t sum = s->version == 4 ? csum_bytes(ip + 12, 8, 0) : csum_bytes(ip + 8, 32, 0);
    return (uint16_t)~csum_fold(sum + s->protocol + length + csum_bytes(transport, length, 0));
}

uint32_t segments_next(struct segments *s, uint8_t *to) {
    uint32_t left = s->length - s->payload - s->taken, part = left < s->size ? left : s->size;
    if (!part) return 0;
    uint8_t *ip = to + s->network, *transport = to + s->transport;
    uint32_t length = s->payload - s->transport + part, at = s->protocol == IPPROTO_TCP ? 16 : 6;
    memcpy(to, s->frame, s->payload);
    memcpy(to + s->payload, s->frame + s->payload + s->taken, part);
    fix_network(s, ip, s->transport - s->network + length);
    if (s->protocol == IPPROTO_TCP) fix_tcp(s, transport, part == left);
    else store_be(transport + 4, 2, length);
    store_be(transport + at, 2, 0);
    if (!s->unchecked) {
        uint16_t sum = checksum(s, ip, transport, length);
        store_be(transport + at, 2, sum || s->protocol == IPPROTO_TCP ? sum : 0xffff); /* 0 would mean none in UDP */
    }
    s->taken += part;
    s->count++;
    return s->payload + part;
}
