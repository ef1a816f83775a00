/* What the files that make up the control path's side of tables share. */
#ifndef SLOTS_H
#define SLOTS_H

#include "control.h"

enum { FIRST_SLOTS = 16 };

struct table_control {
    struct table_shape shape;
    uint64_t *keys;      /* by entry: key words, mask words */
    uint32_t *free_next; /* by entry: next free one */
    uint32_t first_free, high_water, count;
    uint64_t *timeouts;  /* by entry, µs; 0: none */
    uint32_t timed;      /* entries that have one */
};

int slots_init(struct slots *s, uint32_t width, uint64_t count);
void slots_free(struct slots *s);
/* The slot with this key, or the free one where it would go. */
uint64_t *slots_seek(const struct slots *s, const uint64_t *key, uint32_t n);
/* There is an entry now in what was a free slot. */
void slots_took(struct slots *s, const uint64_t *slot);
/* Room for one more. */
int slots_grow(struct slots *s, uint32_t n);
void slots_erase(struct slots *s, uint64_t *slot, uint32_t n);

/* The trie beside an lpm table's tuples. It is made when it begins to pay; without memory for it the tuples do. */
void prefixes_add(struct table *t, uint32_t entry);
void prefixes_remove(struct table *t, uint32_t entry);
void prefixes_free(struct table *t);

#endif
