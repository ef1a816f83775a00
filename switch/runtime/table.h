/* Tables as the packet path sees them.
 *
 * exact: open addressing with linear probing; a slot is key words followed by the record, so that a hit costs one
 * cache line. lpm, ternary, range: tuple space (Srinivasan, Suri, Varghese, SIGCOMM 1999): one hash table per mask in use,
 * longest prefix or highest priority first; entries with the same masked key form a chain. With more than a few prefix
 * lengths in use, packets go through a trie instead.
 *
 * A record's data words are: low bounds and high bounds of range keys, then the action's parameters. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

#include "bits.h"
#include "meter.h"
#include "trie.h"

enum { KIND_EXACT, KIND_LPM, KIND_TERNARY };
enum { ACTION_NONE = 0xfffffffd, ACTION_MEMBER = 0xfffffffe, ACTION_GROUP = 0xffffffff }; /* of the last two data[0] is the handle */

struct record {
    uint32_t action;   /* index in the table's (or profile's) actions, or ACTION_* */
    uint32_t entry;    /* handle: from 1; 0 marks a free slot and the default */
    int32_t priority;  /* prefix length in an lpm table */
    uint32_t next;     /* entry with the same masked key, or 0 */
    uint64_t data[];
};

enum { RECORD_WORDS = sizeof(struct record) / 8 }; /* without data */

struct slots {
    uint64_t *words;
    uint64_t mask;     /* number of slots − 1 */
    uint64_t used;
    uint32_t width;    /* words of one slot */
    /* The only slot that a key can be in, where there is no other: with this known, nothing waits for the key's hash. */
    const uint64_t *only;
};

struct tuple {
    struct slots slots; /* key words, then the entry at the head of the chain */
    int32_t priority;   /* highest of its entries */
    uint64_t *key_mask;
};

/* Beside the tuples of an lpm table that has more than a few of them. */
struct prefixes {
    struct trie trie;
    struct tuple roots; /* by the key without the prefix; key_mask NULL: there is only `root` */
    uint32_t root;
};

struct table {
    struct slots exact;
    struct tuple *tuples;
    uint32_t tuple_count;
    uint32_t record_words;
    struct prefixes *prefixes; /* or NULL */
    uint64_t *records;        /* by entry; for exact tables only the control path's copy */
    struct record *fallback;  /* default action */
    struct count *counts;     /* by entry */
    struct meter *meters;     /* by entry */
    uint64_t *hits;           /* by entry, µs of the last hit */
    struct table_control *control;
};

#define HASH_START 0x9e3779b97f4a7c15ull

INLINE uint64_t hash_on(uint64_t h, uint64_t word) {
    u128 m = (u128)(word ^ h) * 0xd6e8feb86659fd93ull;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

INLINE uint64_t hash_words(const uint64_t *key, unsigned n) {
    uint64_t h = HASH_START;
    for (unsigned i = 0; i < n; i++) h = hash_on(h, key[i]);
    return h;
}

INLINE int words_equal(const uint64_t *a, const uint64_t *b, unsigned n) {
    uint64_t difference = 0;
    for (unsigned i = 0; i < n; i++) difference |= a[i] ^ b[i];
    return difference == 0;
}

INLINE struct record *record_at(const struct table *t, uint32_t entry) {
    return (struct record *)(t->records + (size_t)entry * t->record_words);
}

INLINE const struct record *table_exact(const struct table *t, const uint64_t *key, unsigned n, unsigned width) {
    const uint64_t *only = t->exact.only;
    if (only) {
        const struct record *r = (const struct record *)(only + n);
        return r->entry && words_equal(only, key, n) ? r : NULL;
    }
    for (uint64_t i = hash_words(key, n);; i++) {
        const uint64_t *slot = t->exact.words + (i & t->exact.mask) * width;
        const struct record *r = (const struct record *)(slot + n);
        if (!r->entry) return NULL;
        if (words_equal(slot, key, n)) return r;
    }
}

enum { FAR = 1 << 12 }; /* slots from which on a table is not near the processor by itself */

INLINE int table_is_far(const struct table *t) { return t->exact.mask >= FAR - 1; }

/* Ask for the memory that table_exact() is likely to look at: the first slot, and where the next one begins. */
INLINE void table_prefetch(const struct table *t, const uint64_t *key, unsigned n, unsigned width) {
    const uint64_t *slot = t->exact.words + (hash_words(key, n) & t->exact.mask) * width;
    for (unsigned at = 0; at < width; at += 8) __builtin_prefetch(slot + at);
    __builtin_prefetch(slot + width);
}

/* Head of the chain of entries with this key under the tuple's mask, or 0. */
INLINE uint32_t tuple_find(const struct tuple *tuple, const uint64_t *key, unsigned n) {
    const uint64_t *mask = tuple->key_mask, *only = tuple->slots.only;
    uint64_t hash = HASH_START;
    if (only) {
        uint64_t difference = 0;
        for (unsigned i = 0; i < n; i++) difference |= only[i] ^ (key[i] & mask[i]);
        return difference ? 0 : (uint32_t)only[n];
    }
    for (unsigned i = 0; i < n; i++) hash = hash_on(hash, key[i] & mask[i]);
    for (;; hash++) {
        const uint64_t *slot = tuple->slots.words + (hash & tuple->slots.mask) * (n + 1);
        uint64_t difference = 0;
        uint32_t head = (uint32_t)slot[n];
        if (!head) return 0;
        for (unsigned i = 0; i < n; i++) difference |= slot[i] ^ (key[i] & mask[i]);
        if (!difference) return head;
    }
}

/* record_at() where the size of a record is a constant. */
INLINE const struct record *record_of(const struct table *t, uint32_t entry, unsigned words) {
    const struct record *r = (const struct record *)(t->records + (size_t)entry * words);
    if (!r) __builtin_unreachable();
    return r;
}

/* The first entry with this key under the tuple's mask, or NULL. */
INLINE const struct record *tuple_record(const struct table *t, const struct tuple *tuple, const uint64_t *key, unsigned n,
                                         unsigned words) {
    uint32_t entry = tuple_find(tuple, key, n);
    return entry ? record_of(t, entry, words) : NULL;
}

/* The prefix is of the field of `width` bits at bit `offset` of the key; a record has `words` words. */
INLINE const struct record *table_lpm(const struct table *t, const uint64_t *key, unsigned n, unsigned offset,
                                      unsigned width, unsigned words) {
    if (t->prefixes) {
        const struct prefixes *p = t->prefixes;
        uint32_t root = p->roots.key_mask ? tuple_find(&p->roots, key, n) : p->root;
        uint32_t entry = root ? trie_find(&p->trie, root, key, offset, width) : 0;
        return entry ? record_of(t, entry, words) : NULL;
    }
    const struct tuple *tuple = t->tuples;
    for (uint32_t left = t->tuple_count; left; left--, tuple++) {
        const struct record *r = tuple_record(t, tuple, key, n, words);
        if (r) return r;
    }
    return NULL;
}

/* `values` are the range keys, low word first; bit i of `highest` tells that word i is the highest of its key. */
INLINE int within(const uint64_t *data, const uint64_t *values, unsigned words, uint64_t highest) {
    int at_low = 1, at_high = 1; /* the higher words are those of the bound */
    for (unsigned i = words; i-- > 0;) {
        if (highest >> i & 1) at_low = at_high = 1;
        if ((at_low && values[i] < data[i]) || (at_high && values[i] > data[words + i])) return 0;
        at_low &= values[i] == data[i];
        at_high &= values[i] == data[words + i];
    }
    return 1;
}

INLINE const struct record *table_ternary(const struct table *t, const uint64_t *key, unsigned n,
                                          const uint64_t *ranges, unsigned range_words, uint64_t highest) {
    const struct record *best = NULL;
    for (uint32_t i = 0; i < t->tuple_count; i++) {
        if (best && best->priority > t->tuples[i].priority) break;
        for (uint32_t entry = tuple_find(&t->tuples[i], key, n); entry;) {
            const struct record *r = record_at(t, entry);
            if (within(r->data, ranges, range_words, highest)) {
                /* Among equal priorities the entry added first wins, as in BMv2. */
                if (!best || r->priority > best->priority ||
                    (r->priority == best->priority && r->entry < best->entry)) best = r;
                break;
            }
            entry = r->next;
        }
    }
    return best;
}

#endif
