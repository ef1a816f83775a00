/* Two-rate three-colour marker (RFC 2698 §3), or with an excess burst the single-rate one (RFC 2697 §3); colour-blind. */
#ifndef METER_H
#define METER_H

#include <stdint.h>

#include "trace.h"

enum { GREEN, YELLOW, RED, COLOURS };

struct count { uint64_t packets, bytes; };

struct bucket {
    double rate;    /* units per µs */
    double burst;
    double tokens;
};

struct meter {
    struct bucket peak, committed; /* a single-rate meter's peak bucket is the excess one: it has no rate of its own */
    uint64_t updated; /* µs */
    int configured, single_rate;
    struct count marked[COLOURS];
};

/* Tokens beyond the burst size are left over. */
static inline double bucket_fill(struct bucket *b, double tokens) {
    double beyond = b->tokens + tokens - b->burst;
    b->tokens = beyond > 0 ? b->burst : b->tokens + tokens;
    return beyond > 0 ? beyond : 0;
}

static inline int bucket_take(struct bucket *b, double size) {
    if (b->tokens < size) return 0;
    b->tokens -= size;
    return 1;
}

static inline unsigned meter_mark(struct meter *m, uint64_t now, uint64_t units) {
    if (!m->configured) return GREEN;
    double elapsed = now > m->updated ? (double)(now - m->updated) : 0, size = (double)units;
    m->updated = now;
    double beyond = bucket_fill(&m->committed, m->committed.rate * elapsed);
    if (m->single_rate) {
        bucket_fill(&m->peak, beyond);
        return bucket_take(&m->committed, size) ? GREEN : bucket_take(&m->peak, size) ? YELLOW : RED;
    }
    bucket_fill(&m->peak, m->peak.rate * elapsed);
    if (!bucket_take(&m->peak, size)) return RED;
    return bucket_take(&m->committed, size) ? GREEN : YELLOW;
}

static inline unsigned meter_colour(struct meter *m, uint64_t now, uint64_t units, uint64_t bytes) {
    TRACE_KEEP(m, sizeof *m);
    unsigned colour = meter_mark(m, now, units);
    m->marked[colour].packets++;
    m->marked[colour].bytes += bytes;
    return colour;
}

#endif
