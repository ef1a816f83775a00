/* Receiving: a TPACKET_V2 ring (packet(7), Documentation/networking/packet_mmap.rst of Linux).
 *
 * What the kernel leaves to hardware it also leaves to us: a VLAN tag that it took off is put back, a checksum that the sender left
 * to its interface is completed. A frame that is many in one (GSO) cannot be sent on and is counted as unsupported. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ports.h"

enum { BLOCK = 1 << 16, RING_BYTES = 1 << 22, OVERHEAD = 128 };

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int set(int fd, int option, int value) {
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) ? -errno : 0;
}

static int map_ring(struct port *p) {
    uint32_t need = (uint32_t)link_mtu(p->name) + ETH_HLEN + 8 + OVERHEAD;
    p->frame_size = 2048;
    while (p->frame_size < need && p->frame_size < BLOCK) p->frame_size *= 2;
    p->frame_count = RING_BYTES / p->frame_size;
    struct tpacket_req request = {.tp_block_size = BLOCK,
                                  .tp_block_nr = RING_BYTES / BLOCK,
                                  .tp_frame_size = p->frame_size,
                                  .tp_frame_nr = p->frame_count};
    if (setsockopt(p->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request)) return -errno;
    p->ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
    if (p->ring == MAP_FAILED) return p->ring = NULL, -errno;
    p->next = p->taken = 0;
    return 0;
}

int ring_open(struct port *p) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = p->index, .sll_protocol = htons(ETH_P_ALL)};
    struct packet_mreq promiscuous = {.mr_ifindex = p->index, .mr_type = PACKET_MR_PROMISC};
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (p->fd < 0) return -errno;
    link_prepare(p->name);
    set(p->fd, PACKET_IGNORE_OUTGOING, 1);
    int failed = set(p->fd, PACKET_VERSION, TPACKET_V2);
    if (!failed) failed = set(p->fd, PACKET_VNET_HDR, 1);
    if (!failed) failed = map_ring(p);
    if (!failed && bind(p->fd, (struct sockaddr *)&address, sizeof address)) failed = -errno;
    if (!failed && setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous))
        failed = -errno;
    if (failed) ring_close(p);
    return failed;
}

void ring_close(struct port *p) {
    if (p->ring) munmap(p->ring, RING_BYTES);
    if (p->fd >= 0) close(p->fd);
    p->ring = NULL;
    p->fd = -1;
}

static struct tpacket2_hdr *frame_at(const struct port *p, uint32_t i) {
    uint32_t per_block = BLOCK / p->frame_size;
    return (void *)(p->ring + (size_t)(i / per_block) * BLOCK + (size_t)(i % per_block) * p->frame_size);
}

/* The sender left the sum over what follows `start` to its interface; the pseudo header's is in place (virtio 1.2 §5.1.6.2). */
static void complete_checksum(uint8_t *data, uint32_t length, const struct virtio_net_hdr *v) {
    uint32_t at = (uint32_t)v->csum_start + v->csum_offset;
    if (v->csum_start >= length || at + 2 > length) return;
    uint16_t sum = (uint16_t)~csum_fold(csum_bytes(data + v->csum_start, length - v->csum_start, 0));
    store_be(data + at, 2, sum ? sum : 0xffff); /* 0 would mean none in UDP (RFC 768) */
}

static uint8_t *restore_tag(uint8_t *data, uint32_t *length, const struct tpacket2_hdr *h) {
    uint16_t type = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q;
    data -= 4;
    memmove(data, data + 4, 2 * ETH_ALEN);
    store_be(data + 2 * ETH_ALEN, 2, type);
    store_be(data + 2 * ETH_ALEN + 2, 2, h->tp_vlan_tci);
    *length += 4;
    return data;
}

/* Whether the packet is one that the program can run; if so it is in `packet`. */
static int take_frame(struct port *p, struct tpacket2_hdr *h, struct packet *packet) {
    uint8_t *data = (uint8_t *)h + h->tp_mac;
    uint32_t length = h->tp_snaplen;
    struct virtio_net_hdr v;
    memcpy(&v, data - sizeof v, sizeof v);
    p->stats.rx_packets++;
    p->stats.rx_bytes += h->tp_len;
    if (h->tp_snaplen < h->tp_len || v.gso_type != VIRTIO_NET_HDR_GSO_NONE || length < ETH_HLEN) {
        p->stats.rx_unsupported++;
        return 0;
    }
    if (v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) complete_checksum(data, length, &v);
    if (h->tp_status & TP_STATUS_VLAN_VALID) data = restore_tag(data, &length, h);
    if (p->pcap_in) pcap_write(p->pcap_in, data, length, NULL, 0);
    *packet = (struct packet){data, length, p->number};
    return 1;
}

/* How many frames wait, at most BATCH. The sender's processor has them in its cache: looking at all of them first, and asking for
 * their first bytes, lets the ways from there overlap. */
static uint32_t frames_waiting(const struct port *p) {
    uint32_t count = 0;
    for (uint32_t i = p->next; count < BATCH; count++) {
        const struct tpacket2_hdr *h = frame_at(p, i);
        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
        __builtin_prefetch((const uint8_t *)h + 64);
        __builtin_prefetch((const uint8_t *)h + 128);
        if (++i == p->frame_count) i = 0;
    }
    return count;
}

uint32_t ring_receive(struct port *p, struct runner *r) {
    struct packet packet;
    p->taken = frames_waiting(p);
    for (uint32_t done = 0; done < p->taken; done++)
        if (take_frame(p, frame_at(p, (p->next + done) % p->frame_count), &packet))
            program.receive(&r->context, &packet);
    return p->taken;
}

void ring_release(struct port *p) {
    for (; p->taken; p->taken--) {
        __atomic_store_n(&frame_at(p, p->next)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        p->next = (p->next + 1) % p->frame_count;
    }
}
