/* Ports without an interface: packets come and go through whoever holds the device. */
#include <errno.h>

#include "ports.h"

int device_port_add_rim(struct device *d, uint32_t port, const char *file, const char *pcap_in, const char *pcap_out) {
    struct port *p;
    int failed = port_new(&p, port, pcap_in, pcap_out);
    if (failed) return failed;
    p->rim = 1;
    if (file && !(p->file = pcap_open(file))) failed = -errno;
    control_begin(d);
    if (!failed) failed = port_insert(d, p);
    if (!failed) port_set_up(d, p, 1);
    control_end(d);
    if (failed) port_free(p);
    return failed;
}

static struct port *rim_port(struct device *d, uint32_t port) {
    struct port *p = port < PORTS ? d->ports->by_number[port] : NULL;
    return p && p->rim ? p : NULL;
}

void rim_send(struct device *d, struct port *p, const struct outgoing *o) {
    int failed = p->stats.up ? 0 : -ENETDOWN;
    if (!failed) pcap_write(p->pcap_out, o->room, o->headers, o->payload, o->payload_length);
    if (!failed && p->file) failed = pcap_write(p->file, o->room, o->headers, o->payload, o->payload_length);
    else if (!failed)
        failed = events_put(&d->ports->frames, EVENT_FRAME, p->number, o->room, o->headers, o->payload, o->payload_length);
    if (failed) p->stats.tx_dropped++;
    else p->stats.tx_packets++, p->stats.tx_bytes += o->headers + o->payload_length;
}

static void rim_receive(struct device *d, struct port *p, const struct packet *packet) {
    if (!p->stats.up) {
        p->stats.rx_dropped++;
        return;
    }
    p->stats.rx_packets++;
    p->stats.rx_bytes += packet->length;
    if (packet->length > MAX_PACKET) {
        p->stats.rx_unsupported++;
        return;
    }
    pcap_write(p->pcap_in, packet->data, packet->length, NULL, 0);
    run_to_ports(d, packet);
    if (p->pcap_in) ports_wake(d->ports); /* the packet thread writes captures out before it sleeps */
}

int device_port_receive(struct device *d, uint32_t port, const uint8_t *data, uint32_t length) {
    struct packet packet = {data, length, port};
    control_begin(d);
    struct port *p = rim_port(d, port);
    if (p) rim_receive(d, p, &packet);
    control_end(d);
    return p ? 0 : -ENODEV;
}

int device_port_set_up(struct device *d, uint32_t port, int up) {
    control_begin(d);
    struct port *p = rim_port(d, port);
    if (p) port_set_up(d, p, up);
    control_end(d);
    return p ? 0 : -ENODEV;
}

int device_port_undelivered(struct device *d, uint32_t port, uint32_t length) {
    control_begin(d);
    struct port *p = rim_port(d, port);
    if (p) p->stats.tx_packets--, p->stats.tx_bytes -= length, p->stats.tx_dropped++;
    control_end(d);
    return p ? 0 : -ENODEV;
}

int64_t device_frames(struct device *d, uint8_t *out, uint64_t room, int timeout_ms) {
    return events_take(&d->ports->frames, out, room, timeout_ms);
}

void device_frames_wake(struct device *d) { events_wake(&d->ports->frames); }

static int written(FILE *f) { return !f || (!ferror(f) && !fflush(f)); }

int device_ports_flush(struct device *d) {
    int failed = 0;
    control_begin(d);
    for (uint32_t i = 0; i < d->ports->count; i++) {
        struct port *p = d->ports->list[i];
        errno = EIO; /* of a write that failed earlier nothing more is known */
        if (!written(p->pcap_in) || !written(p->pcap_out) || !written(p->file)) failed = -errno;
    }
    control_end(d);
    return failed;
}
