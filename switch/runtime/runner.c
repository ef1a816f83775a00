/* Running packets: the platform's side of platform.h, for threads that have somewhere to send to. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "device.h"

/* A payload up to this many bytes is copied behind its headers, which costs less than a second part of the message. */
enum { SMALL = 192 };

static struct runner *runner_of(struct context *c) { return (struct runner *)c; }

uint64_t clock_us(const struct device *d) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return ((uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec - d->start) / 1000;
}

int runner_init(struct runner *r, struct device *d, void (*flush)(struct runner *r)) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    r->context.state = &d->state;
    r->context.random = (uint64_t)t.tv_nsec ^ (uint64_t)t.tv_sec << 30 ^ (uint64_t)(uintptr_t)r;
    r->device = d;
    r->room = (program.header_room + SMALL + 63) / 64 * 64;
    r->slab = malloc((size_t)r->room * OUTGOING);
    r->keep = malloc(KEEP);
    r->context.lookups = calloc(program.table_count + 1, sizeof *r->context.lookups);
    r->flush = flush;
    return r->slab && r->keep && r->context.lookups ? 0 : -ENOMEM;
}

void runner_free(struct runner *r) {
    free(r->slab);
    free(r->keep);
    free(r->context.lookups);
}

void runner_run(struct runner *r, struct batch *b) {
    for (uint32_t i = 0; i < b->count; i++) program.receive(&r->context, &b->packets[i]);
    b->count = 0;
}

void runner_finish(struct runner *r) {
    if (r->out_count) r->flush(r);
    r->out_count = 0;
    r->kept = 0;
}

uint8_t *platform_room(struct context *c) {
    struct runner *r = runner_of(c);
    if (r->out_count == OUTGOING) {
        r->flush(r);
        r->out_count = 0;
    }
    return r->slab + (size_t)r->out_count * r->room;
}

void platform_send(struct context *c, uint32_t port, uint32_t headers, const uint8_t *payload, uint32_t length) {
    struct runner *r = runner_of(c);
    uint8_t *room = r->slab + (size_t)r->out_count * r->room;
    TRACE_PARTS(SENT, port, room, headers, payload, length);
    if (length && length <= SMALL) {
        memcpy(room + headers, payload, length);
        headers += length;
        length = 0;
    }
    r->out[r->out_count++] = (struct outgoing){port, headers, length, room, payload};
}

const uint8_t *platform_keep(struct context *c, uint32_t headers, const uint8_t *payload, uint32_t length) {
    struct runner *r = runner_of(c);
    if (KEEP - r->kept < headers + length || headers + length > MAX_PACKET) return NULL;
    uint8_t *to = r->keep + r->kept;
    memcpy(to, platform_room(c), headers);
    memcpy(to + headers, payload, length);
    r->kept += headers + length;
    return to;
}

void platform_digest(struct context *c, uint32_t digest, const uint64_t *words, uint32_t count) {
    TRACE_BYTES(DIGEST, digest, words, 8 * count);
    UNTRACED(events_put(&runner_of(c)->device->events, EVENT_DIGEST, digest, words, 8 * count, NULL, 0));
}

void platform_log(struct context *c, uint32_t message, const u128 *values, uint32_t count) {
    TRACE_BYTES(LOG, message, values, 16 * count);
    UNTRACED(events_put(&runner_of(c)->device->events, EVENT_LOG, message, values, 16 * count, NULL, 0));
}

void send_to_cpu(struct device *d, const struct outgoing *o) {
    events_put(&d->events, EVENT_PACKET_IN, 0, o->room, o->headers, o->payload, o->payload_length);
}
