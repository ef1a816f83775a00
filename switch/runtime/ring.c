/* Receiving: a TPACKET_V2 ring (packet(7), Documentation/networking/packet_mmap.rst of Linux).
 *
 * What the kernel leaves to hardware it also leaves to us: a VLAN tag that it took off is put back, a checksum that the sender left
 * to its interface is completed, a frame that is many in one (GSO) is split. A frame that is longer than its slot in the ring comes
 * by the socket's queue besides. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ports.h"
#include "segment.h"

enum { BLOCK = 1 << 16, RING_BYTES = 1 << 22, OVERHEAD = 128, QUEUE_BYTES = 1 << 23 };

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
    int queue = QUEUE_BYTES;
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (p->fd < 0) return -errno;
    set(p->fd, PACKET_IGNORE_OUTGOING, 1);
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue))
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
    int failed = set(p->fd, PACKET_VERSION, TPACKET_V2);
    if (!failed) failed = set(p->fd, PACKET_VNET_HDR, 1);
    if (!failed) failed = set(p->fd, PACKET_COPY_THRESH, 1); /* any length: what is longer than a slot is queued */
    if (!failed) failed = map_ring(p);
    if (!failed && bind(p->fd, (struct sockaddr *)&address, sizeof address)) failed = -errno;
    if (!failed && setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous))
        failed = -errno;
    if (failed) ring_close(p);
    return failed;
}

/* The i-th frame, counted round and round: sizes and numbers are powers of two, so frames fill their blocks, without a division. */
static struct tpacket2_hdr *frame_at(const struct port *p, uint32_t i) {
    return (void *)(p->ring + (size_t)(i & (p->frame_count - 1)) * p->frame_size);
}

static int is_ours(const struct tpacket2_hdr *h) { return __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER; }

void ring_count_drops(struct port *p) {
    struct tpacket_stats kernel;
    socklen_t length = sizeof kernel;
    /* Reading them clears them. */
    if (p->fd >= 0 && !getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &length))
        p->stats.rx_dropped += kernel.tp_drops;
}

void ring_close(struct port *p) {
    ring_count_drops(p);
    for (uint32_t i = 0; p->ring && i < p->frame_count; i++) p->stats.rx_dropped += is_ours(frame_at(p, i));
    if (p->ring) munmap(p->ring, RING_BYTES);
    if (p->fd >= 0) close(p->fd);
    p->ring = NULL;
    p->fd = -1;
}

/* The sender left the sum over what follows `start` to its interface; the pseudo header's is in place (virtio 1.3 §5.1.6.2). */
static void complete_checksum(uint8_t *data, uint32_t length, const struct virtio_net_hdr *v) {
    uint32_t at = (uint32_t)v->csum_start + v->csum_offset;
    if (v->csum_start >= length || at + 2 > length) return;
    uint16_t sum = (uint16_t)~csum_fold(csum_bytes(data + v->csum_start, length - v->csum_start, 0));
    store_be(data + at, 2, sum ? sum : 0xffff); /* 0 would mean none in UDP (RFC 768) */
}

struct frame {
    uint8_t *data; /* after at least as many bytes of room as a VLAN tag has */
    uint32_t length;
    struct virtio_net_hdr offload;
};

static void restore_tag(struct frame *f, const struct tpacket2_hdr *h) {
    uint16_t type = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q;
    f->data -= TAG;
    f->length += TAG;
    f->offload.csum_start = (uint16_t)(f->offload.csum_start + TAG);
    memmove(f->data, f->data + TAG, 2 * ETH_ALEN);
    store_be(f->data + 2 * ETH_ALEN, 2, type);
    store_be(f->data + 2 * ETH_ALEN + 2, 2, h->tp_vlan_tci);
}

/* The frame, and before it what the kernel says of it, from the slot or, where it is too long for that, from the queue. */
static int take_frame(const struct port *p, const struct large *large, struct tpacket2_hdr *h, struct frame *f) {
    uint8_t *offload = (uint8_t *)h + h->tp_mac - sizeof f->offload;
    f->length = h->tp_snaplen;
    if (h->tp_status & TP_STATUS_COPY) {
        ssize_t got = recv(p->fd, large->frame, LARGE, MSG_DONTWAIT | MSG_TRUNC);
        if (got < (ssize_t)sizeof f->offload || got > LARGE) return 0;
        offload = large->frame;
        f->length = (uint32_t)got - (uint32_t)sizeof f->offload;
    }
    memcpy(&f->offload, offload, sizeof f->offload);
    f->data = offload + sizeof f->offload;
    if (h->tp_status & TP_STATUS_VLAN_VALID) restore_tag(f, h);
    return f->length >= ETH_HLEN && f->length >= h->tp_len;
}

static void gather(struct port *p, struct runner *r, struct batch *b, const uint8_t *data, uint32_t length) {
    if (b->count == BATCH) runner_run(r, b);
    b->packets[b->count++] = (struct packet){data, length, p->number};
    p->stats.rx_packets++;
    p->stats.rx_bytes += length;
    if (p->pcap_in) pcap_write(p->pcap_in, data, length, NULL, 0);
}

static void run_and_send(struct runner *r, struct batch *b) {
    runner_run(r, b);
    runner_finish(r);
}

/* The segments stay where they are written until they are sent. */
static int gather_segments(struct port *p, struct runner *r, struct batch *b, const struct large *large, const struct frame *f) {
    struct segments s;
    uint32_t used = 0, length;
    if (segments_begin(&s, f->data, f->length, &f->offload)) return 0;
    for (; (length = segments_next(&s, large->segments + used)); used += length) {
        gather(p, r, b, large->segments + used, length);
        if (used + length + segments_longest(&s) <= SEGMENTS) continue;
        run_and_send(r, b);
        used = 0, length = 0;
    }
    run_and_send(r, b);
    return 1;
}

static void gather_frame(struct port *p, struct runner *r, struct batch *b, struct tpacket2_hdr *h) {
    const struct large *large = &r->device->ports->large;
    struct frame f;
    if (h->tp_snaplen < h->tp_len && !(h->tp_status & TP_STATUS_COPY)) {
        p->stats.rx_dropped++; /* the queue was full */
    } else if (!take_frame(p, large, h, &f)) {
        p->stats.rx_unsupported++;
    } else if (f.offload.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        if (!gather_segments(p, r, b, large, &f)) p->stats.rx_unsupported++;
    } else {
        if (f.offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) complete_checksum(f.data, f.length, &f.offload);
        gather(p, r, b, f.data, f.length);
        if (h->tp_status & TP_STATUS_COPY) run_and_send(r, b); /* before the next is read into the same room */
    }
}

/* How many frames wait, at most BATCH. The sender's processor has them in its cache: looking at all of them first, and asking for
 * their first bytes, lets the ways from there overlap. */
static uint32_t frames_waiting(const struct port *p) {
    uint32_t count = 0;
    for (; count < BATCH; count++) {
        const struct tpacket2_hdr *h = frame_at(p, p->next + count);
        if (!is_ours(h)) break;
        __builtin_prefetch((const uint8_t *)h + 64);
        __builtin_prefetch((const uint8_t *)h + 128);
    }
    return count;
}

uint32_t ring_receive(struct port *p, struct runner *r) {
    struct batch b;
    b.count = 0;
    p->taken = frames_waiting(p);
    for (uint32_t done = 0; done < p->taken; done++)
        gather_frame(p, r, &b, frame_at(p, p->next + done));
    runner_run(r, &b);
    return p->taken;
}

void ring_release(struct port *p) {
    for (; p->taken; p->taken--, p->next++)
        __atomic_store_n(&frame_at(p, p->next)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}
