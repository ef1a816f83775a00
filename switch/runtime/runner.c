/* Running packets: the platform's side of platform.h, for threads that have somewhere to send to. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "device.h"

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
    /* An odd number of lines apart, rooms compete for no place of the processor's cache while there are others. */
    size_t room = ((program.header_room + SMALL + LINE - 1) / LINE | 1) * LINE;
    r->slab = aligned_alloc(LINE, room * OUTGOING);
    for (uint32_t i = 0; r->slab && i < OUTGOING; i++) r->out[i].room = r->slab + i * room;
    r->context.out = r->out;
    r->context.full = r->out + OUTGOING;
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
    program.receive(&r->context, b->packets, b->count);
    b->count = 0;
}

uint32_t runner_waiting(const struct runner *r) { return (uint32_t)(r->context.out - r->out); }

void platform_flush(struct context *c) {
    struct runner *r = runner_of(c);
    r->flush(r);
    c->out = r->out;
}

void runner_finish(struct runner *r) {
    if (runner_waiting(r)) platform_flush(&r->context);
    r->kept = 0;
}

const uint8_t *platform_keep(struct context *c, uint32_t headers, const uint8_t *payload, uint32_t length) {
    struct runner *r = runner_of(c);
    if (KEEP - r->kept < headers + length || headers + length > MAX_PACKET) return NULL;
    uint8_t *to = r->keep + r->kept;
    memcpy(to, platform_next(c)->room, headers);
    memcpy(to + headers, payload, length);
    r->kept += headers + length;
    return to;
}

void platform_digest(struct context *c, uint32_t digest, const uint64_t *words, uint32_t count) {
    TRACE_BYTES(DIGEST, digest, words, 8 * count);
    UNTRACED(events_put(&runner_of(c)->device->events, EVENT_DIGEST, digest, words, 8 * count, NULL, 0));
}

void platform_log(struct context *c, uint32_t message, const uint64_t *words, uint32_t count) {
    TRACE_BYTES(LOG, message, words, 8 * count);
    UNTRACED(events_put(&runner_of(c)->device->events, EVENT_LOG, message, words, 8 * count, NULL, 0));
}

void send_to_cpu(struct device *d, const struct outgoing *o) {
    events_put(&d->events, EVENT_PACKET_IN, 0, o->room, o->headers, o->payload, o->payload_length);
}
