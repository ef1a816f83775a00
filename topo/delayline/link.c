#include "link.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): spreads neighbouring seeds over the whole state. */
static uint64_t spread(uint64_t seed)
{
    seed += 0x9E3779B97F4A7C15u;
    seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9u;
    seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBu;
    return seed ^ (seed >> 31);
}

/* xorshift64* (Vigna 2016), the upper 53 bits as a number in [0, 1). */
static double draw(struct link *link)
{
    link->random ^= link->random >> 12;
    link->random ^= link->random << 25;
    link->random ^= link->random >> 27;
    return (double)((link->random * 0x2545F4914F6CDD1Du) >> 11) * 0x1p-53;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool link_init(struct link *link, const struct impairment *impairment, uint64_t seed)
{
    memset(link, 0, sizeof *link);
    link->impairment = *impairment;
    link->random = spread(seed) | 1;
    link->ring = calloc(impairment->limit, sizeof *link->ring);
    return link->ring != NULL;
}

void link_enter(struct link *link, int64_t now_ns, const uint8_t *bytes, size_t length)
{
    const struct impairment *how = &link->impairment;
    link->counters.received++;
    if (how->loss_ppm && draw(link) * 1e6 < how->loss_ppm) {
        link->counters.lost++;
        return;
    }
    uint8_t *copy = link->used < how->limit ? malloc(length) : NULL;
    if (!copy) {
        link->counters.overflow++;
        return;
    }
    memcpy(copy, bytes, length);
    int64_t on_wire = later(now_ns, link->wire_free_ns);
    if (how->rate_kbps)
        on_wire += (int64_t)(length * 8 * 1000000 / how->rate_kbps);
    link->wire_free_ns = on_wire;
    int64_t leaves = on_wire + how->delay_ns;
    if (how->jitter_ns)
        leaves += (int64_t)((2 * draw(link) - 1) * (double)how->jitter_ns);
    link->last_leaves_ns = later(later(leaves, now_ns), link->last_leaves_ns);
    link->ring[(link->head + link->used) % how->limit] = (struct frame){
        .leaves_ns = link->last_leaves_ns,
        .length = (uint32_t)length,
        .bytes = copy,
    };
    link->used++;
}

const struct frame *link_next(const struct link *link)
{
    return link->used ? &link->ring[link->head] : NULL;
}

void link_pop(struct link *link)
{
    free(link->ring[link->head].bytes);
    link->head = (link->head + 1) % link->impairment.limit;
    link->used--;
}
