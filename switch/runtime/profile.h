/* Action profiles and selectors as the packet path sees them.
 *
 * A group is a table of slots that hold member handles in proportion to the weights; the packet's hash modulo the number of slots chooses.
 * A change of weights moves as few slots as it must, so that flows keep their member. A group with one member has no slots, and an empty
 * one has the record before the first member, which runs no action. */
#ifndef PROFILE_H
#define PROFILE_H

#include "table.h"

struct group {
    uint64_t reciprocal; /* of slot_count: 2^64 / it, rounded up; 0: it is a power of two */
    uint64_t slot_count; /* 1: `slots` is the member */
    const void *slots;   /* member handles of slot_bytes() each, ports that are down replaced */
    struct group_control *control;
};

struct profile {
    uint64_t *members;     /* records by handle */
    struct group *groups;  /* by handle */
    struct profile_control *control;
};

/* Of a slot of any group in a profile of so many members: small ones keep more groups near the processor. */
INLINE size_t slot_bytes(uint32_t size) { return size <= UINT16_MAX ? 2 : 4; }

INLINE struct record *member_at(const struct profile *p, uint64_t handle, unsigned data_words) {
    return (struct record *)(p->members + handle * (RECORD_WORDS + data_words));
}

INLINE const struct group *group_at(const struct profile *p, uint64_t handle) { return &p->groups[handle]; }

/* The member of a group that has no other: it takes no hash. Else NULL. */
INLINE const struct record *group_only(const struct group *g) { return g->slot_count == 1 ? g->slots : NULL; }

/* `data_words` and `size` are the profile's. */
INLINE const struct record *group_choose(const struct profile *p, const struct group *g, uint64_t hash, unsigned data_words,
                                         uint32_t size) {
    /* Most hashes have 32 bits; their remainder needs no division (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019). */
    uint64_t slot = !g->reciprocal ? hash & (g->slot_count - 1)
                    : hash >> 32   ? hash % g->slot_count
                                   : (uint64_t)((u128)(g->reciprocal * hash) * g->slot_count >> 64);
    uint32_t member = slot_bytes(size) == 2 ? ((const uint16_t *)g->slots)[slot] : ((const uint32_t *)g->slots)[slot];
    return member_at(p, member, data_words);
}

#endif
