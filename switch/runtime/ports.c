/* Ports that come and go, and the packet thread: receive a batch of each port, run it, send what came of it, sleep in poll() when idle. */
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ports_init(struct device *d) {
    struct ports *s = calloc(1, sizeof *s);
    if (!s) return -ENOMEM;
    d->ports = s;
    s->link_fd = -1;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->large = (struct large){malloc(LARGE), malloc(SEGMENTS)};
    if (!s->large.frame || !s->large.segments) return -ENOMEM;
    return s->wake_fd < 0 ? -errno : events_init(&s->frames);
}

static void port_close(struct port *p) {
    ring_close(p);
    sender_close(p);
}

int port_new(struct port **made, uint32_t number, const char *pcap_in, const char *pcap_out) {
    if (number >= PORTS || number == DROP_PORT) return -EINVAL;
    struct port *p = *made = calloc(1, sizeof *p);
    if (!p) return -ENOMEM;
    p->number = number;
    p->fd = p->send_fd = -1;
    if (pcap_in) p->pcap_in = pcap_open(pcap_in);
    if (pcap_out) p->pcap_out = pcap_open(pcap_out);
    if ((!pcap_in || p->pcap_in) && (!pcap_out || p->pcap_out)) return 0;
    int failed = -errno;
    port_free(p);
    return failed;
}

void port_free(struct port *p) {
    port_close(p);
    if (p->pcap_in) fclose(p->pcap_in);
    if (p->pcap_out) fclose(p->pcap_out);
    if (p->file) fclose(p->file);
    free(p);
}

void ports_free(struct device *d) {
    struct ports *s = d->ports;
    if (!s) return;
    for (uint32_t i = 0; i < s->count; i++) port_free(s->list[i]);
    if (s->link_fd >= 0) close(s->link_fd);
    if (s->wake_fd >= 0) close(s->wake_fd);
    events_free(&s->frames);
    free(s->large.frame);
    free(s->large.segments);
    free(s);
}

/* Ports come and go */

int port_insert(struct device *d, struct port *p) {
    struct ports *s = d->ports;
    if (s->by_number[p->number]) return -EEXIST;
    s->list[s->count++] = s->by_number[p->number] = p;
    return 0;
}

void port_set_up(struct device *d, struct port *p, int up) {
    p->stats.up = (uint32_t)up;
    if (d->port_up[p->number] == up) return;
    d->port_up[p->number] = (uint8_t)up;
    links_changed(d);
}

static int port_open(struct port *p, int index) {
    p->index = index;
    int failed = ring_open(p);
    if (!failed) failed = sender_open(p);
    if (failed) {
        port_close(p);
        p->index = 0;
    }
    return failed;
}

static void port_link(struct device *d, struct port *p, int index, int up) {
    if (p->index != index) {
        port_close(p);
        p->index = 0;
        if (index) port_open(p, index);
    }
    port_set_up(d, p, p->index && up);
}

/* Only a device that has interfaces asks after them. */
static int watch_links(struct ports *s) {
    if (s->link_fd < 0) s->link_fd = link_open();
    return s->link_fd < 0 ? -errno : 0;
}

static void link_changed(struct device *d, const char *name, int index, int up) {
    for (uint32_t i = 0; i < d->ports->count; i++)
        if (!strncmp(d->ports->list[i]->name, name, NAME)) port_link(d, d->ports->list[i], index, up);
}

void ports_wake(struct ports *s) {
    uint64_t one = 1;
    if (write(s->wake_fd, &one, sizeof one) < 0) return; /* full: the thread is awake anyway */
}

int device_port_add(struct device *d, uint32_t port, const char *interface, const char *pcap_in, const char *pcap_out) {
    struct ports *s = d->ports;
    struct port *p;
    int up = 0, index = link_index(interface, &up);
    if (strlen(interface) >= NAME) return -EINVAL;
    if (!index) return -ENODEV;
    int failed = port_new(&p, port, pcap_in, pcap_out);
    if (failed) return failed;
    strcpy(p->name, interface);
    control_begin(d);
    if (s->by_number[port]) failed = -EEXIST;
    if (!failed) failed = watch_links(s);
    if (!failed) failed = port_open(p, index);
    if (!failed) {
        port_insert(d, p);
        port_set_up(d, p, up);
        ports_wake(s);
    }
    control_end(d);
    if (failed) port_free(p);
    return failed;
}

int device_port_remove(struct device *d, uint32_t port) {
    struct ports *s = d->ports;
    if (port >= PORTS) return -EINVAL;
    control_begin(d);
    struct port *p = s->by_number[port];
    if (p) {
        uint32_t i = 0;
        while (s->list[i] != p) i++;
        memmove(&s->list[i], &s->list[i + 1], (s->count - i - 1) * sizeof *s->list);
        s->count--;
        s->by_number[port] = NULL;
        port_free(p);
        d->port_up[port] = 0;
        links_changed(d);
        ports_wake(s);
    }
    control_end(d);
    return p ? 0 : -ENODEV;
}

int device_port_stats(struct device *d, uint32_t port, struct port_stats *stats) {
    if (port >= PORTS) return -EINVAL;
    control_begin(d);
    struct port *p = d->ports->by_number[port];
    if (p) {
        ring_count_drops(p);
        p->stats.index = (uint32_t)p->index;
        *stats = p->stats;
    }
    control_end(d);
    return p ? 0 : -ENODEV;
}

/* The packet thread */

static uint32_t run_batch(struct device *d) {
    struct ports *s = d->ports;
    uint32_t done = 0;
    d->packets.context.now = clock_us(d);
    for (uint32_t i = 0; i < s->count; i++)
        if (s->list[i]->fd >= 0) done += ring_receive(s->list[i], &d->packets);
    runner_finish(&d->packets);
    for (uint32_t i = 0; i < s->count; i++)
        if (s->list[i]->fd >= 0) ring_release(s->list[i]);
    return done;
}

static nfds_t fill_polls(struct ports *s, struct pollfd *polls) {
    nfds_t count = 0;
    polls[count++] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};
    polls[count++] = (struct pollfd){.fd = s->link_fd, .events = POLLIN};
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->list[i]->pcap_in) fflush(s->list[i]->pcap_in);
        if (s->list[i]->pcap_out) fflush(s->list[i]->pcap_out);
        polls[count++] = (struct pollfd){.fd = s->list[i]->fd, .events = POLLIN};
    }
    return count;
}

/* After poll(): clear what would make it return again at once. A socket whose interface went down has ENETDOWN waiting. */
static void after_poll(struct device *d, const struct pollfd *polls, nfds_t count) {
    struct ports *s = d->ports;
    uint64_t woken;
    if (polls[0].revents & POLLIN && read(s->wake_fd, &woken, sizeof woken) < 0 && errno != EAGAIN) return;
    if (polls[1].revents) link_read(s->link_fd, link_changed, d);
    for (nfds_t i = 2; i < count; i++) {
        int error;
        socklen_t length = sizeof error;
        if (polls[i].revents & POLLERR) getsockopt(polls[i].fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
}

static void *packet_thread(void *argument) {
    struct device *d = argument;
    struct pollfd *polls = calloc(PORTS + 2, sizeof *polls);
    while (polls && !atomic_load(&d->ports->stop)) {
        gate_packets_enter(&d->gate);
        uint32_t done = run_batch(d);
        nfds_t count = done ? 0 : fill_polls(d->ports, polls);
        gate_packets_leave(&d->gate);
        if (done) continue;
        poll(polls, count, -1);
        gate_packets_enter(&d->gate);
        after_poll(d, polls, count);
        gate_packets_leave(&d->gate);
    }
    free(polls);
    return NULL;
}

int device_start(struct device *d) {
    struct ports *s = d->ports;
    if (s->running) return -EALREADY;
    atomic_store(&s->stop, 0);
    int failed = pthread_create(&s->thread, NULL, packet_thread, d);
    s->running = !failed;
    return -failed;
}

int device_stop(struct device *d) {
    struct ports *s = d->ports;
    if (!s->running) return 0;
    atomic_store(&s->stop, 1);
    ports_wake(s);
    pthread_join(s->thread, NULL);
    s->running = 0;
    return 0;
}
