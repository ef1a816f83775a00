/* What programs/choose.p4 asks for, by hand: as fast as one core gets it done.
 *
 * Batches of 64 go through two stages. The first reads the headers, hashes the flow, and asks for the cache line that the
 * function's entry is in; by the time the second gets to a frame, the line has come. Frames are rewritten where
 * they are. */

#define _GNU_SOURCE
#include <stdint.h>

#include "choose.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    ETHER_TYPE_AT = 12,
    VERSION_AT = 14,
    PROTOCOL_AT = 23,
    FLOW_AT = 26, /* addresses and ports */
    FLOW_BYTES = 12,
    PORT_AT = 36,
    FUNCTION_AT = 42,
    SHORTEST = 50,
    FEWEST_SHARES = 1024,
    BATCH = 64,
    LARGE_PAGE = 1 << 21,
};

/* A line has four; a free one has no group. */
struct slot {
    uint64_t function;
    const struct group *group;
};

struct instance {
    uint8_t macs[12]; /* destination, source: as they stand in a frame */
    uint16_t port;
};

/* Shares are slots, so that a change of weights can leave the flows of all others where they are. */
struct group {
    uint64_t reciprocal; /* ceil(2^64 / count) */
    uint64_t count;
    const uint8_t *shares; /* `count` numbers of instances */
    const struct instance *instances;
};

struct choose {
    struct slot *slots;
    unsigned shift; /* a hash's top bits are the slot */
    uint64_t mask;  /* slots - 1 */
    struct instance *instances;
    struct group *groups;
    uint32_t group_count;
    uint32_t crc[FLOW_BYTES][256]; /* what a byte at that place adds to the CRC */
    uint32_t crc_of_zeros;
};

static uint64_t home(const struct choose *choose, uint64_t function)
{
    return function * 0x9e3779b97f4a7c15u >> choose->shift; /* Fibonacci hashing (Knuth, TAOCP 6.4) */
}

/* CRC-32 (IEEE 802.3) is linear but for a constant, so each byte of a flow has a table of its own. */
static void fill_crc(struct choose *choose)
{
    uint32_t of_zeros = 0xffffffff;
    for (unsigned place = 0; place < FLOW_BYTES; place++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = byte;
            for (unsigned bit = 0; bit < 8 * (FLOW_BYTES - place); bit++)
                crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
            choose->crc[place][byte] = crc;
        }
        for (unsigned bit = 0; bit < 8; bit++)
            of_zeros = of_zeros >> 1 ^ (of_zeros & 1 ? 0xedb88320 : 0);
    }
    choose->crc_of_zeros = ~of_zeros;
}

static inline uint32_t flow_hash(const struct choose *choose, const uint8_t *flow)
{
    uint32_t crc = choose->crc_of_zeros;
    for (unsigned place = 0; place < FLOW_BYTES; place++)
        crc ^= choose->crc[place][flow[place]];
    return crc;
}

/* hash % count without a division (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019). */
static inline uint64_t remainder_of(uint32_t hash, const struct group *group)
{
    uint64_t fraction = group->reciprocal * hash;
    return (uint64_t)((unsigned __int128)fraction * group->count >> 64);
}

/* A thousand shares and more, each instance as often as it weighs, over and over. */
static bool fill_group(struct group *group, const struct instance *instances, const struct choose_instance *given,
                       uint32_t count)
{
    uint64_t weights = 0;
    for (uint32_t i = 0; i < count; i++)
        weights += given[i].weight;
    if (!weights)
        return false;
    uint64_t rounds = (FEWEST_SHARES + weights - 1) / weights;
    uint8_t *shares = malloc(rounds * weights);
    if (!shares)
        return false;
    *group = (struct group){UINT64_MAX / (rounds * weights) + 1, rounds * weights, shares, instances};
    for (uint64_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t share = 0; share < given[i].weight; share++)
                *shares++ = (uint8_t)i;
    return true;
}

struct choose *choose_new(const uint64_t *functions, const uint32_t *group_of, uint64_t count,
                          const struct choose_instance *instances, uint32_t groups, uint32_t per_group)
{
    struct choose *choose = calloc(1, sizeof *choose);
    if (!choose)
        return NULL;
    unsigned bits = 4;
    while (1ull << bits < 2 * count)
        bits++;
    choose->group_count = groups;
    choose->shift = 64 - bits;
    choose->mask = (1ull << bits) - 1;
    size_t bytes = (size_t)(choose->mask + 1) * sizeof *choose->slots;
    choose->slots = aligned_alloc(LARGE_PAGE, (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
    choose->instances = calloc((size_t)groups * per_group, sizeof *choose->instances);
    choose->groups = calloc(groups, sizeof *choose->groups);
    if (!choose->slots || !choose->instances || !choose->groups) {
        choose_free(choose);
        return NULL;
    }
    if (bytes >= LARGE_PAGE)
        madvise(choose->slots, bytes, MADV_HUGEPAGE);
    memset(choose->slots, 0, bytes);
    for (size_t i = 0; i < (size_t)groups * per_group; i++) {
        memcpy(choose->instances[i].macs, instances[i].destination_mac, 6);
        memcpy(choose->instances[i].macs + 6, instances[i].source_mac, 6);
        choose->instances[i].port = instances[i].port;
    }
    for (uint32_t i = 0; i < groups; i++) {
        size_t first = (size_t)i * per_group;
        if (!fill_group(&choose->groups[i], &choose->instances[first], &instances[first], per_group)) {
            choose_free(choose);
            return NULL;
        }
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = home(choose, functions[i]);
        while (choose->slots[at].group)
            at = (at + 1) & choose->mask;
        choose->slots[at] = (struct slot){functions[i], &choose->groups[group_of[i]]};
    }
    fill_crc(choose);
    return choose;
}

void choose_free(struct choose *choose)
{
    if (!choose)
        return;
    for (uint32_t i = 0; choose->groups && i < choose->group_count; i++)
        free((void *)choose->groups[i].shares);
    free(choose->slots);
    free(choose->instances);
    free(choose->groups);
    free(choose);
}

static inline uint16_t word(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap16(value);
}

static inline bool is_call(const uint8_t *frame, uint32_t length)
{
    return length >= SHORTEST && word(frame + ETHER_TYPE_AT) == 0x0800 && frame[VERSION_AT] == 0x45 && frame[PROTOCOL_AT] == 17 &&
           word(frame + PORT_AT) == 50000;
}

static inline const struct group *find(const struct choose *choose, uint64_t function, uint64_t at)
{
    for (;; at = (at + 1) & choose->mask) {
        const struct slot *slot = &choose->slots[at];
        if (slot->function == function || !slot->group)
            return slot->group;
    }
}

static inline void run_batch(const struct choose *choose, const struct choose_frame *frames, unsigned count,
                             uint16_t *ports)
{
    uint64_t functions[BATCH], homes[BATCH];
    uint32_t hashes[BATCH];
    uint8_t calls[BATCH];
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *frame = frames[i].data;
        calls[i] = is_call(frame, frames[i].length);
        if (!calls[i])
            continue;
        memcpy(&functions[i], frame + FUNCTION_AT, sizeof functions[i]);
        functions[i] = __builtin_bswap64(functions[i]);
        homes[i] = home(choose, functions[i]);
        __builtin_prefetch(&choose->slots[homes[i]]);
        __builtin_prefetch(&choose->slots[homes[i] + 2]); /* may be in the next line */
        hashes[i] = flow_hash(choose, frame + FLOW_AT);
    }
    for (unsigned i = 0; i < count; i++) {
        const struct group *group = calls[i] ? find(choose, functions[i], homes[i]) : NULL;
        ports[i] = CHOOSE_DROP;
        if (!group)
            continue;
        const struct instance *to = &group->instances[group->shares[remainder_of(hashes[i], group)]];
        memcpy(frames[i].data, to->macs, sizeof to->macs);
        ports[i] = to->port;
    }
}

void choose_run(const struct choose *choose, const struct choose_frame *frames, uint32_t count, uint16_t *ports)
{
    for (uint32_t at = 0; at < count; at += BATCH)
        run_batch(choose, frames + at, count - at < BATCH ? count - at : BATCH, ports + at);
}

double choose_bench(const struct choose *choose, uint8_t *data, uint32_t length, uint32_t count, uint32_t rounds)
{
    struct timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t at = 0; at < count; at += BATCH) {
            struct choose_frame frames[BATCH];
            uint16_t ports[BATCH];
            unsigned now = count - at < BATCH ? count - at : BATCH;
            for (unsigned i = 0; i < now; i++) {
                frames[i] = (struct choose_frame){data + (size_t)(at + i) * length, length};
                __builtin_prefetch(frames[i].data, 1);
            }
            run_batch(choose, frames, now, ports);
            __asm__ volatile("" : : "r"(ports) : "memory"); /* where they go counts as used */
        }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    double ns = (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
    return ns / ((double)count * rounds);
}
