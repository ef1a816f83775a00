/* All that generated code may ask of the platform it runs on. Another platform implements this file. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "hash.h"
#include "profile.h"
#include "table.h"
#include "trace.h"
#include "wide.h"

enum { DROP_PORT = 511, RECURSION = 16, COPIES = 2048, SESSION_VALID = 1 << 15 };

/* Why a packet ended without being sent; the order is that of `ENDED` in dataplane.py. */
enum reason { DROPPED_BY_PROGRAM, LOST_TO_LOOP, LOST_TO_CHECK, LOST_WITHOUT_PORT, REASONS };

struct packet {
    const uint8_t *data; /* stays as it is until all copies are sent */
    uint32_t length;
    uint32_t port;
};

struct replica { uint32_t port, instance; };

struct replicas {
    uint32_t count;
    uint32_t truncate; /* 0: whole */
    struct replica *list;
};

/* What the control path writes and packets read and count in. */
struct state {
    struct table *tables;
    struct profile *profiles;
    struct count **counters;
    struct meter **meters;
    void **registers;
    struct table *value_sets;
    struct replicas *multicast; /* by group, 65,536 */
    struct replicas *sessions;  /* by clone session, 32,768 */
};

/* A packet to send: headers in its room, payload where it came in. */
struct outgoing {
    uint32_t port, headers, payload_length;
    uint8_t *room; /* always the same */
    const uint8_t *payload;
};

/* One thread that runs packets. */
struct context {
    struct state *state;
    struct outgoing *out, *full; /* the next to fill; where there are no more */
    uint64_t now;       /* µs since the switch started */
    uint64_t random;
    uint32_t budget;    /* passes through a control left to the packet and its copies */
    uint64_t ended[REASONS];
    struct lookups { uint64_t misses, hits; } *lookups; /* by table */
};

#ifdef TABLE_STATS
#define COUNT_LOOKUP(c, table, hit) ((hit) ? (c)->lookups[table].hits++ : (c)->lookups[table].misses++)
#else
#define COUNT_LOOKUP(c, table, hit) ((void)0)
#endif

/* Make room for more packets to send. */
void platform_flush(struct context *c);

/* The next packet to send, whose headers go to its room. */
INLINE struct outgoing *platform_next(struct context *c) {
    if (__builtin_expect(c->out == c->full, 0)) platform_flush(c);
    return c->out;
}

/* Send it: the headers just written there, and the payload after them. */
INLINE void platform_send(struct context *c, struct outgoing *o, uint32_t port, uint32_t headers, const uint8_t *payload,
                          uint32_t length) {
    c->out = o + 1;
    TRACE_PARTS(SENT, port, o->room, headers, payload, length);
    o->port = port;
    o->headers = headers;
    o->payload = payload;
    o->payload_length = length;
}

/* The same as one stretch of bytes that lives as long as the packet; NULL when there is no more room. */
const uint8_t *platform_keep(struct context *c, uint32_t headers, const uint8_t *payload, uint32_t length);
void platform_digest(struct context *c, uint32_t digest, const uint64_t *words, uint32_t count);
void platform_log(struct context *c, uint32_t message, const uint64_t *words, uint32_t count);

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
INLINE uint64_t platform_random(struct context *c) {
    uint64_t z = c->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

INLINE uint64_t random_between(struct context *c, uint64_t low, uint64_t high) {
    uint64_t span = high - low + 1;
    return span ? low + (uint64_t)((u128)platform_random(c) * span >> 64) : platform_random(c);
}

INLINE void count_packet(struct count *cell, uint32_t bytes) {
    TRACE_KEEP(cell, sizeof *cell);
    cell->packets++;
    __asm__("" : "+m"(cell->packets)); /* or else both are added as a vector, which takes twice the instructions to make */
    cell->bytes += bytes;
}

/* Declared by generated code for the platform. */

struct table_shape {
    uint32_t kind, key_words, range_words, data_words, size;
    uint32_t prefix_offset, prefix_width; /* of the field with the prefix, bits in the key; width 0: none */
    uint32_t counts, hits, meters;
    int32_t profile; /* −1: none */
    uint32_t fallback;
    const uint64_t *fallback_data;
};

struct profile_shape { uint32_t data_words, size; };
struct register_shape { uint32_t size, bytes; };

struct program {
    const struct table_shape *tables, *value_sets;
    const struct profile_shape *profiles;
    const struct register_shape *registers;
    const uint32_t *counters, *meters; /* sizes */
    uint32_t table_count, value_set_count, profile_count, register_count, counter_count, meter_count;
    uint32_t header_room;
    void (*receive)(struct context *c, const struct packet *packets, uint32_t count);
};

extern const struct program program;

#endif
