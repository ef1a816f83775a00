/* Action profiles and selectors as the packet path sees them.
 *
 * A group is a table of slots that hold member handles in proportion to the weights; the packet's hash modulo the number of slots chooses.
 * A change of weights moves as few slots as it must, so that flows keep their member. */
#ifndef PROFILE_H
#define PROFILE_H

#include "table.h"

struct group {
    uint64_t reciprocal; /* of slot_count: 2^64 / it, rounded up */
    uint32_t slot_count; /* 0: empty */
    uint32_t *slots;     /* member handles, ports that are down replaced */
    struct group_control *control;
};

struct profile {
    uint64_t *members;     /* records by handle */
    uint32_t record_words;
    struct group *groups;  /* by handle */
    struct profile_control *control;
};

INLINE const struct record *member_at(const struct profile *p, uint64_t handle) {
    return (const struct record *)(p->members + handle * p->record_words);
}

/* NULL for an empty group: the packet gets no action then. */
INLINE const struct record *group_choose(const struct profile *p, uint64_t handle, uint64_t hash) {
    const struct group *g = &p->groups[handle];
    if (!g->slot_count) return NULL;
    /* Most hashes have 32 bits; their remainder needs no division (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019). */
    uint64_t slot = hash >> 32 ? hash % g->slot_count : (uint64_t)((u128)(g->reciprocal * hash) * g->slot_count >> 64);
    return member_at(p, g->slots[slot]);
}

#endif
