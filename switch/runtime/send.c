/* Sending: each port has a socket bound to its interface (packet(7)), and messages that wait there for one sendmmsg(2).
 *
 * A bound socket spares the kernel an address to copy and an interface to look up for each packet. */
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports.h"

enum { SEND_BUFFER = 1 << 22 };

int sender_open(struct port *p) {
    /* Protocol 0: nothing is received here. */
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = p->index};
    int bypass = 1, buffer = SEND_BUFFER;
    p->send_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (p->send_fd < 0 || bind(p->send_fd, (struct sockaddr *)&address, sizeof address)) return -errno;
    setsockopt(p->send_fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass);
    if (setsockopt(p->send_fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer))
        setsockopt(p->send_fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    for (uint32_t i = 0; i < BATCH; i++) p->messages[i].msg_hdr = (struct msghdr){.msg_iov = p->parts[i]};
    p->queued = 0;
    return 0;
}

void sender_close(struct port *p) {
    if (p->send_fd >= 0) close(p->send_fd);
    p->send_fd = -1;
    p->queued = 0;
}

static uint64_t bytes_of(const struct port *p, uint32_t i) {
    return p->parts[i][0].iov_len + (p->messages[i].msg_hdr.msg_iovlen > 1 ? p->parts[i][1].iov_len : 0);
}

static void send_queued(struct port *p) {
    for (uint32_t at = 0; at < p->queued;) {
        int sent = sendmmsg(p->send_fd, p->messages + at, p->queued - at, MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) { /* this one cannot go (port down, queue full): on with the next */
            p->stats.tx_dropped++;
            at++;
            continue;
        }
        p->stats.tx_packets += (uint32_t)sent;
        for (uint32_t end = at + (uint32_t)sent; at < end; at++) p->stats.tx_bytes += bytes_of(p, at);
    }
    p->queued = 0;
}

/* A small payload is copied behind its headers, which costs less than a second part of the message. */
static void enqueue(struct port *p, const struct outgoing *o) {
    uint32_t i = p->queued++, parts = 0;
    struct iovec *part = p->parts[i];
    uint32_t small = o->headers + o->payload_length <= program.header_room + SMALL ? o->payload_length : 0;
    if (small && o->headers) memcpy(o->room + o->headers, o->payload, small);
    if (o->headers) part[parts++] = (struct iovec){o->room, o->headers + small};
    if (o->payload_length > small || !o->headers) part[parts++] = (struct iovec){(void *)o->payload, o->payload_length};
    p->messages[i].msg_hdr.msg_iovlen = parts;
}

void flush_to_ports(struct runner *r) {
    struct device *d = r->device;
    struct ports *s = d->ports;
    struct port *busy[OUTGOING];
    uint32_t busy_count = 0;
    uint32_t waiting = runner_waiting(r);
    for (uint32_t i = 0; i < waiting; i++) {
        const struct outgoing *o = &r->out[i];
        if (o->port == d->cpu_port) {
            send_to_cpu(d, o);
            continue;
        }
        struct port *p = o->port < PORTS ? s->by_number[o->port] : NULL;
        if (!p) {
            r->context.ended[LOST_WITHOUT_PORT]++;
            continue;
        }
        if (p->rim) {
            rim_send(d, p, o);
            continue;
        }
        if (!p->index) {
            p->stats.tx_dropped++;
            continue;
        }
        if (p->pcap_out) pcap_write(p->pcap_out, o->room, o->headers, o->payload, o->payload_length);
        if (p->queued == BATCH) send_queued(p);
        if (!p->queued) busy[busy_count++] = p;
        enqueue(p, o);
    }
    for (uint32_t i = 0; i < busy_count; i++) send_queued(busy[i]);
}
