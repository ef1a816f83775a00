/* Two-rate three-colour marker, colour-blind (RFC 2698 §3). */
#ifndef METER_H
#define METER_H

#include <stdint.h>

#include "trace.h"

enum { GREEN, YELLOW, RED };

struct bucket {
    double rate;    /* units per µs */
    double burst;
    double tokens;
};

struct meter {
    struct bucket peak, committed;
    uint64_t updated; /* µs */
    int configured;
};

static inline void bucket_fill(struct bucket *b, double elapsed) {
    b->tokens += b->rate * elapsed;
    if (b->tokens > b->burst) b->tokens = b->burst;
}

static inline unsigned meter_colour(struct meter *m, uint64_t now, uint64_t units) {
    if (!m->configured) return GREEN;
    TRACE_KEEP(m, sizeof *m);
    double elapsed = now > m->updated ? (double)(now - m->updated) : 0, size = (double)units;
    m->updated = now;
    bucket_fill(&m->peak, elapsed);
    bucket_fill(&m->committed, elapsed);
    if (m->peak.tokens < size) return RED;
    m->peak.tokens -= size;
    if (m->committed.tokens < size) return YELLOW;
    m->committed.tokens -= size;
    return GREEN;
}

#endif
