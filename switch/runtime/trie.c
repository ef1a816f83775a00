#include "trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t trie_ancestors[64];

__attribute__((constructor)) static void fill_ancestors(void) {
    for (unsigned bits = 0; bits < 64; bits++)
        for (unsigned length = 0; length < STRIDE; length++)
            trie_ancestors[bits] |= 1ull << (1u << length | bits >> (STRIDE - length));
}

static uint8_t *pool_at(const struct pool *p, uint32_t block) { return p->items + (size_t)block * p->item; }

/* A block of `count` items; 0, which is no block, when there is no memory. */
static uint32_t pool_take(struct pool *p, uint32_t count) {
    uint32_t block = p->free[count];
    if (block) {
        memcpy(&p->free[count], pool_at(p, block), sizeof block);
        return block;
    }
    if (p->used + count > p->room) {
        uint32_t room = p->room ? 2 * p->room : 256;
        uint8_t *more = realloc(p->items, (size_t)room * p->item);
        if (!more) return 0;
        p->items = more;
        p->room = room;
    }
    block = p->used;
    p->used += count;
    return block;
}

static void pool_give(struct pool *p, uint32_t block, uint32_t count) {
    if (!count) return;
    memcpy(pool_at(p, block), &p->free[count], sizeof block);
    p->free[count] = block;
}

/* The same block with an item more, or one less, at `at`; 0 when there is no memory. */
static uint32_t pool_widen(struct pool *p, uint32_t block, uint32_t count, uint32_t at) {
    uint32_t to = pool_take(p, count + 1);
    if (!to) return 0;
    memcpy(pool_at(p, to), pool_at(p, block), (size_t)at * p->item);
    memset(pool_at(p, to + at), 0, p->item);
    memcpy(pool_at(p, to + at + 1), pool_at(p, block + at), (size_t)(count - at) * p->item);
    pool_give(p, block, count);
    return to;
}

static uint32_t pool_narrow(struct pool *p, uint32_t block, uint32_t count, uint32_t at) {
    memmove(pool_at(p, block + at), pool_at(p, block + at + 1), (size_t)(count - at - 1) * p->item);
    uint32_t to = count > 1 ? pool_take(p, count - 1) : 0;
    if (to) memcpy(pool_at(p, to), pool_at(p, block), (size_t)(count - 1) * p->item);
    if (to || count == 1) pool_give(p, block, count);
    else to = block; /* no memory: the block keeps an item that nobody counts */
    return to;
}

static struct trie_node *node_at(const struct trie *t, uint32_t node) { return (struct trie_node *)pool_at(&t->nodes, node); }

void trie_init(struct trie *t) {
    memset(t, 0, sizeof *t);
    t->nodes.item = sizeof(struct trie_node);
    t->entries.item = sizeof(uint32_t);
    t->nodes.used = t->entries.used = 1; /* block 0 is none */
}

void trie_free(struct trie *t) {
    free(t->nodes.items);
    free(t->entries.items);
}

uint32_t trie_root(struct trie *t) {
    uint32_t root = pool_take(&t->nodes, 1);
    if (root) memset(node_at(t, root), 0, sizeof(struct trie_node));
    return root;
}

void trie_root_remove(struct trie *t, uint32_t root) { pool_give(&t->nodes, root, 1); }

static uint32_t child_of(const struct trie_node *node, unsigned bits) {
    return node->first_child + rank_below(node->children, bits);
}

static int add_child(struct trie *t, uint32_t node, unsigned bits) {
    uint64_t children = node_at(t, node)->children;
    uint32_t count = (uint32_t)__builtin_popcountll(children);
    uint32_t block = pool_widen(&t->nodes, node_at(t, node)->first_child, count, rank_below(children, bits));
    if (!block) return -ENOMEM;
    node_at(t, node)->first_child = block;
    node_at(t, node)->children |= 1ull << bits;
    return 0;
}

static void drop_child(struct trie *t, uint32_t node, unsigned bits) {
    struct trie_node *n = node_at(t, node);
    uint32_t count = (uint32_t)__builtin_popcountll(n->children), at = rank_below(n->children, bits);
    uint32_t block = pool_narrow(&t->nodes, n->first_child, count, at);
    n = node_at(t, node); /* the array may have moved */
    n->first_child = block;
    n->children &= ~(1ull << bits);
}

/* Which of a node's prefixes the first `length` of six bits are. */
static unsigned place_of(unsigned bits, unsigned length) { return 1u << length | bits >> (STRIDE - length); }

static int is_empty(const struct trie *t, uint32_t node) { return !node_at(t, node)->children && !node_at(t, node)->prefixes; }

static int remove_below(struct trie *t, uint32_t node, const uint64_t *key, unsigned offset, unsigned width,
                        unsigned length, unsigned level) {
    unsigned before = STRIDE * level, bits = trie_bits(key, offset, width, level);
    if (length >= before + STRIDE) {
        uint32_t child = child_of(node_at(t, node), bits);
        if (remove_below(t, child, key, offset, width, length, level + 1)) drop_child(t, node, bits);
    } else {
        struct trie_node *n = node_at(t, node);
        unsigned place = place_of(bits, length - before);
        uint32_t count = (uint32_t)__builtin_popcountll(n->prefixes);
        n->first_entry = pool_narrow(&t->entries, n->first_entry, count, rank_below(n->prefixes, place));
        n->prefixes &= ~(1ull << place);
    }
    return is_empty(t, node);
}

int trie_remove(struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width, unsigned length) {
    return remove_below(t, root, key, offset, width, length, 0);
}

static int insert_here(struct trie *t, uint32_t node, unsigned place, uint32_t entry) {
    struct trie_node *n = node_at(t, node);
    uint32_t count = (uint32_t)__builtin_popcountll(n->prefixes), at = rank_below(n->prefixes, place);
    uint32_t block = pool_widen(&t->entries, n->first_entry, count, at);
    if (!block) return -ENOMEM;
    memcpy(pool_at(&t->entries, block + at), &entry, sizeof entry);
    n->first_entry = block;
    n->prefixes |= 1ull << place;
    return 0;
}

/* Nodes made in vain, when memory runs out, are empty: lookups pass them, and they go with the last prefix beside them. */
int trie_insert(struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width, unsigned length,
                uint32_t entry) {
    uint32_t node = root;
    unsigned level = 0;
    for (; length >= STRIDE * (level + 1); level++) {
        unsigned bits = trie_bits(key, offset, width, level);
        if (!(node_at(t, node)->children >> bits & 1) && add_child(t, node, bits)) return -ENOMEM;
        node = child_of(node_at(t, node), bits);
    }
    unsigned bits = trie_bits(key, offset, width, level);
    return insert_here(t, node, place_of(bits, length - STRIDE * level), entry);
}
