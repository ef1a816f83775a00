#include <stdlib.h>

#include "slots.h"

enum { FEW = 4 }; /* prefix lengths that are found faster one by one */

static uint64_t *key_of(const struct table *t, uint32_t entry) {
    return t->control->keys + (size_t)entry * 2 * t->control->shape.key_words;
}

static unsigned length_of(const struct table *t, uint32_t entry) { return (unsigned)record_at(t, entry)->priority; }

/* The bits of a key that are not the prefix's field; returns whether there are any. */
static int other_bits(const struct table *t, const uint64_t *mask, uint64_t *others) {
    const struct table_shape *shape = &t->control->shape;
    int any = 0;
    memcpy(others, mask, shape->key_words * 8);
    for (uint32_t i = shape->prefix_offset; i < shape->prefix_offset + shape->prefix_width; i++)
        others[i / 64] &= ~(1ull << i % 64);
    for (uint32_t i = 0; i < shape->key_words; i++) any |= others[i] != 0;
    return any;
}

static uint32_t root_with(struct prefixes *p, const uint64_t *key, uint32_t n) {
    uint64_t masked[n];
    for (uint32_t i = 0; i < n; i++) masked[i] = key[i] & p->roots.key_mask[i];
    if (slots_grow(&p->roots.slots, n)) return 0;
    uint64_t *slot = slots_seek(&p->roots.slots, masked, n);
    if (slot[n]) return (uint32_t)slot[n];
    uint32_t root = trie_root(&p->trie);
    if (!root) return 0;
    memcpy(slot, masked, n * 8);
    slot[n] = root;
    slots_took(&p->roots.slots, slot);
    return root;
}

static int insert(struct table *t, uint32_t entry) {
    const struct table_shape *shape = &t->control->shape;
    struct prefixes *p = t->prefixes;
    const uint64_t *key = key_of(t, entry);
    uint32_t root = p->roots.key_mask ? root_with(p, key, shape->key_words) : p->root;
    if (!root) return -1;
    return trie_insert(&p->trie, root, key, shape->prefix_offset, shape->prefix_width, length_of(t, entry), entry);
}

static int prepare(struct table *t, uint32_t entry) {
    const struct table_shape *shape = &t->control->shape;
    struct prefixes *p = calloc(1, sizeof *p);
    uint64_t others[shape->key_words];
    if (!p) return -1;
    t->prefixes = p;
    trie_init(&p->trie);
    if (!other_bits(t, key_of(t, entry) + shape->key_words, others)) return (p->root = trie_root(&p->trie)) ? 0 : -1;
    p->roots.key_mask = malloc(shape->key_words * 8);
    if (!p->roots.key_mask) return -1;
    memcpy(p->roots.key_mask, others, shape->key_words * 8);
    return slots_init(&p->roots.slots, shape->key_words + 1, FIRST_SLOTS);
}

void prefixes_add(struct table *t, uint32_t entry) {
    int failed = 0;
    if (t->prefixes) {
        failed = insert(t, entry);
    } else if (t->tuple_count > FEW) {
        failed = prepare(t, entry);
        for (uint32_t i = 1; !failed && i <= t->control->high_water; i++)
            if (table_holds(t, i)) failed = insert(t, i);
    }
    if (failed) prefixes_free(t);
}

void prefixes_remove(struct table *t, uint32_t entry) {
    const struct table_shape *shape = &t->control->shape;
    struct prefixes *p = t->prefixes;
    const uint64_t *key = key_of(t, entry);
    uint32_t n = shape->key_words, root;
    if (!p) return;
    root = p->roots.key_mask ? tuple_find(&p->roots, key, n) : p->root;
    int empty = trie_remove(&p->trie, root, key, shape->prefix_offset, shape->prefix_width, length_of(t, entry));
    if (!empty || !p->roots.key_mask) return;
    uint64_t masked[n];
    for (uint32_t i = 0; i < n; i++) masked[i] = key[i] & p->roots.key_mask[i];
    slots_erase(&p->roots.slots, slots_seek(&p->roots.slots, masked, n), n);
    trie_root_remove(&p->trie, root);
}

void prefixes_free(struct table *t) {
    struct prefixes *p = t->prefixes;
    if (!p) return;
    trie_free(&p->trie);
    if (p->roots.slots.words) slots_free(&p->roots.slots);
    free(p->roots.key_mask);
    free(p);
    t->prefixes = NULL;
}
