/* Longest prefixes: a tree of bitmaps (Eatherton, Varghese, Dittia: Tree Bitmap, ACM CCR 34(2), 2004) of six bits a node.
 *
 * A node has the prefixes that end in it (by length, then value: bit 1 is the empty one, bits 2 and 3 those of one bit, …)
 * and the children for the next six bits. Both are stretches of an array, found by counting bits. */
#ifndef TRIE_H
#define TRIE_H

#include <stdint.h>

#include "bits.h"

enum { STRIDE = 6 };

struct trie_node {
    uint64_t children, prefixes;
    uint32_t first_child, first_entry;
};

/* Blocks of up to 64 items of an array; free ones are chained by size. */
struct pool {
    uint8_t *items;
    uint32_t item, used, room;
    uint32_t free[65];
};

struct trie {
    struct pool nodes, entries;
};

extern uint64_t trie_ancestors[64]; /* prefixes in a node that six bits begin with */

INLINE uint32_t rank_below(uint64_t bits, unsigned at) { return (uint32_t)__builtin_popcountll(bits & ((1ull << at) - 1)); }

INLINE const struct trie_node *trie_node(const struct trie *t, uint32_t node) {
    return (const struct trie_node *)t->nodes.items + node;
}

/* Six bits of the field of `width` bits at bit `offset` of the key, as if 0s followed it. */
INLINE unsigned trie_bits(const uint64_t *key, unsigned offset, unsigned width, unsigned level) {
    unsigned end = STRIDE * (level + 1), beyond = end > width ? end - width : 0;
    unsigned at = offset + width + beyond - end, take = STRIDE - beyond;
    uint64_t v = key[at / 64] >> at % 64;
    if (at % 64 + take > 64) v |= key[at / 64 + 1] << (64 - at % 64);
    return (unsigned)(v & ((1u << take) - 1)) << beyond;
}

/* The entry of the longest prefix of a key's field below a root, or 0. */
INLINE uint32_t trie_find(const struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width) {
    const struct trie_node *node = trie_node(t, root);
    uint64_t window = width && width <= 64 ? key[offset / 64] >> offset % 64 << (64 - width) : 0;
    uint32_t best = 0;
    for (unsigned level = 0;; level++) {
        unsigned bits = width <= 64 ? (unsigned)(window >> (64 - STRIDE)) : trie_bits(key, offset, width, level);
        uint64_t found = node->prefixes & trie_ancestors[bits];
        if (found) best = node->first_entry + rank_below(node->prefixes, 63 - (unsigned)__builtin_clzll(found)) + 1;
        if (!(node->children >> bits & 1)) break;
        node = trie_node(t, node->first_child + rank_below(node->children, bits));
        window <<= STRIDE;
    }
    return best ? ((const uint32_t *)t->entries.items)[best - 1] : 0;
}

/* The control path's side. Nodes move when others are added or removed; roots do not. */

void trie_init(struct trie *t);
void trie_free(struct trie *t);
/* A root without prefixes; 0 when there is no memory. */
uint32_t trie_root(struct trie *t);
void trie_root_remove(struct trie *t, uint32_t root);
/* The prefix is the first `length` bits of the key's field; it is not there yet. */
int trie_insert(struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width, unsigned length,
                uint32_t entry);
/* The prefix is there; returns whether the root has none left. */
int trie_remove(struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width, unsigned length);

#endif
