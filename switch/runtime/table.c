/* Tables as the control path sees them. All functions run while no packet does. */
#include "control.h"
#include "slots.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 1 << 12, LARGE_PAGE = 1 << 21, COLOUR = 11 * LINE };

/* Address space for all that a table may hold; memory comes with use. What is used most is at the beginning, so beginnings are spread
 * over a page: at the same place in each, they would compete for few places of the processor's cache (Bonwick, The Slab Allocator,
 * USENIX 1994, section 4). What is large begins with a page. */
void *reserve(size_t bytes) {
    static atomic_size_t colours;
    size_t colour = bytes < LARGE_PAGE ? atomic_fetch_add(&colours, COLOUR) % PAGE : 0;
    void *p = mmap(NULL, bytes + colour + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : (uint8_t *)p + colour;
}

void release(void *p, size_t bytes) {
    size_t colour = (uintptr_t)p % PAGE;
    if (p) munmap((uint8_t *)p - colour, bytes + colour + 1);
}

static size_t slots_bytes(const struct slots *s) { return (s->mask + 1) * s->width * sizeof *s->words; }

/* Slots are hit at random, so a large table is better off with few large pages. */
int slots_init(struct slots *s, uint32_t width, uint64_t count) {
    s->width = width;
    s->mask = count - 1;
    s->used = 0;
    s->words = reserve(slots_bytes(s));
    s->only = s->words;
    if (s->words && slots_bytes(s) >= LARGE_PAGE) madvise(s->words, slots_bytes(s), MADV_HUGEPAGE);
    return s->words ? 0 : -ENOMEM;
}

void slots_free(struct slots *s) { release(s->words, slots_bytes(s)); }

/* The slot with this key, or the free one where it would go. */
uint64_t *slots_seek(const struct slots *s, const uint64_t *key, uint32_t n) {
    for (uint64_t i = hash_words(key, n);; i++) {
        uint64_t *slot = s->words + (i & s->mask) * s->width;
        if (!slot[n] || words_equal(slot, key, n)) return slot;
    }
}

int slots_grow(struct slots *s, uint32_t n) {
    if (2 * (s->used + 1) <= s->mask + 1) return 0;
    struct slots bigger;
    if (slots_init(&bigger, s->width, 2 * (s->mask + 1))) return -ENOMEM;
    for (uint64_t i = 0; i <= s->mask; i++) {
        const uint64_t *slot = s->words + i * s->width;
        if (slot[n]) memcpy(slots_seek(&bigger, slot, n), slot, s->width * sizeof *slot);
    }
    bigger.used = s->used;
    bigger.only = NULL;
    slots_free(s);
    *s = bigger;
    return 0;
}

void slots_took(struct slots *s, const uint64_t *slot) { s->only = ++s->used == 1 ? slot : NULL; }

/* The slot that is left, unless there are more, or it would have to be looked for among many. */
static const uint64_t *left_slot(const struct slots *s, uint32_t n) {
    if (s->used > 1 || s->mask >= FIRST_SLOTS) return NULL;
    const uint64_t *slot = s->words;
    for (uint64_t i = 0; i <= s->mask; i++, slot += s->width)
        if (slot[n]) return slot;
    return s->words;
}

/* Keeps probe sequences whole by moving later slots back (Knuth, TAOCP 6.4, algorithm R). */
void slots_erase(struct slots *s, uint64_t *slot, uint32_t n) {
    uint64_t hole = (uint64_t)(slot - s->words) / s->width;
    for (uint64_t i = (hole + 1) & s->mask;; i = (i + 1) & s->mask) {
        uint64_t *next = s->words + i * s->width;
        if (!next[n]) break;
        uint64_t home = hash_words(next, n) & s->mask;
        if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
            memcpy(s->words + hole * s->width, next, s->width * sizeof *next);
            hole = i;
        }
    }
    memset(s->words + hole * s->width, 0, s->width * sizeof *slot);
    s->used--;
    s->only = left_slot(s, n);
}

int table_init(struct table *t, const struct table_shape *shape) {
    size_t entries = (size_t)shape->size + 1;
    struct table_control *k = calloc(1, sizeof *k);
    if (!k) return -ENOMEM;
    memset(t, 0, sizeof *t);
    t->control = k;
    k->shape = *shape;
    t->record_words = RECORD_WORDS + shape->data_words;
    t->records = reserve(entries * t->record_words * 8);
    t->fallback = calloc(1, (size_t)t->record_words * 8);
    k->keys = reserve(entries * 2 * shape->key_words * 8);
    k->free_next = reserve(entries * 4);
    if (shape->counts) t->counts = reserve(entries * sizeof *t->counts);
    if (shape->meters) t->meters = reserve(entries * sizeof *t->meters);
    if (shape->hits) t->hits = reserve(entries * 8), k->timeouts = reserve(entries * 8);
    if (!t->records || !t->fallback || !k->keys || !k->free_next || (shape->counts && !t->counts) ||
        (shape->meters && !t->meters) || (shape->hits && (!t->hits || !k->timeouts)))
        return -ENOMEM;
    table_reset_fallback(t);
    if (shape->kind != KIND_EXACT) return 0;
    return slots_init(&t->exact, shape->key_words + t->record_words, FIRST_SLOTS);
}

void table_free(struct table *t) {
    struct table_control *k = t->control;
    if (!k) return;
    size_t entries = (size_t)k->shape.size + 1;
    prefixes_free(t);
    for (uint32_t i = 0; i < t->tuple_count; i++) slots_free(&t->tuples[i].slots), free(t->tuples[i].key_mask);
    free(t->tuples);
    if (t->exact.words) slots_free(&t->exact);
    free(t->fallback);
    release(t->records, entries * t->record_words * 8);
    release(t->counts, entries * sizeof *t->counts);
    release(t->meters, entries * sizeof *t->meters);
    release(t->hits, entries * 8);
    release(k->timeouts, entries * 8);
    release(k->keys, entries * 2 * k->shape.key_words * 8);
    release(k->free_next, entries * 4);
    free(k);
}

void table_reset_fallback(struct table *t) {
    const struct table_shape *shape = &t->control->shape;
    t->fallback->action = shape->fallback;
    if (shape->fallback_data) memcpy(t->fallback->data, shape->fallback_data, shape->data_words * 8);
}

static uint32_t data_offset(const struct table *t) { return 2 * t->control->shape.range_words; }

static void fill(const struct table *t, struct record *r, uint32_t action, const uint64_t *data) {
    r->action = action;
    memcpy(r->data + data_offset(t), data, (t->control->shape.data_words - data_offset(t)) * 8);
}

void table_set_fallback(struct table *t, uint32_t action, const uint64_t *data) { fill(t, t->fallback, action, data); }

static uint64_t *key_at(const struct table *t, uint32_t entry) {
    return t->control->keys + (size_t)entry * 2 * t->control->shape.key_words;
}

uint32_t table_count(const struct table *t) { return t->control->count; }

const uint64_t *table_key(const struct table *t, uint32_t entry) { return key_at(t, entry); }

uint64_t table_handle(const struct table *t, const struct record *r) { return r->data[data_offset(t)]; }

int table_holds(const struct table *t, uint32_t entry) {
    return entry >= 1 && entry <= t->control->high_water && record_at(t, entry)->entry == entry;
}

static int before(const struct record *a, const struct record *b) {
    return a->priority > b->priority || (a->priority == b->priority && a->entry < b->entry);
}

static struct tuple *tuple_with(struct table *t, const uint64_t *mask, int32_t priority) {
    uint32_t n = t->control->shape.key_words;
    for (uint32_t i = 0; i < t->tuple_count; i++)
        if (words_equal(t->tuples[i].key_mask, mask, n)) return &t->tuples[i];
    struct tuple *more = realloc(t->tuples, (t->tuple_count + 1) * sizeof *more);
    if (!more) return NULL;
    t->tuples = more;
    struct tuple *tuple = &more[t->tuple_count];
    tuple->priority = priority;
    tuple->key_mask = malloc(n * 8);
    if (!tuple->key_mask || slots_init(&tuple->slots, n + 1, FIRST_SLOTS)) {
        free(tuple->key_mask);
        return NULL;
    }
    memcpy(tuple->key_mask, mask, n * 8);
    t->tuple_count++;
    return tuple;
}

/* Keep tuples in order of their highest priority. */
static void tuples_sort(struct table *t) {
    for (uint32_t i = 1; i < t->tuple_count; i++)
        for (uint32_t j = i; j > 0 && t->tuples[j - 1].priority < t->tuples[j].priority; j--) {
            struct tuple swap = t->tuples[j];
            t->tuples[j] = t->tuples[j - 1];
            t->tuples[j - 1] = swap;
        }
}

static int tuple_insert(struct table *t, struct record *r) {
    uint32_t n = t->control->shape.key_words;
    const uint64_t *key = key_at(t, r->entry), *mask = key + n;
    struct tuple *tuple = tuple_with(t, mask, r->priority);
    if (!tuple || slots_grow(&tuple->slots, n)) return -ENOMEM;
    uint64_t *slot = slots_seek(&tuple->slots, key, n);
    if (!slot[n]) {
        memcpy(slot, key, n * 8);
        slots_took(&tuple->slots, slot);
        r->next = 0;
        slot[n] = r->entry;
    } else if (before(r, record_at(t, (uint32_t)slot[n]))) {
        r->next = (uint32_t)slot[n];
        slot[n] = r->entry;
    } else {
        struct record *previous = record_at(t, (uint32_t)slot[n]);
        while (previous->next && before(record_at(t, previous->next), r)) previous = record_at(t, previous->next);
        r->next = previous->next;
        previous->next = r->entry;
    }
    if (r->priority > tuple->priority) tuple->priority = r->priority;
    tuples_sort(t);
    return 0;
}

static void tuple_priority(struct table *t, struct tuple *tuple) {
    uint32_t n = t->control->shape.key_words;
    int32_t highest = INT32_MIN;
    for (uint64_t i = 0; i <= tuple->slots.mask; i++) {
        const uint64_t *slot = tuple->slots.words + i * tuple->slots.width;
        if (slot[n] && record_at(t, (uint32_t)slot[n])->priority > highest)
            highest = record_at(t, (uint32_t)slot[n])->priority;
    }
    tuple->priority = highest;
}

static void tuple_remove(struct table *t, struct record *r) {
    uint32_t n = t->control->shape.key_words;
    const uint64_t *key = key_at(t, r->entry), *mask = key + n;
    uint32_t at = 0;
    while (!words_equal(t->tuples[at].key_mask, mask, n)) at++;
    struct tuple *tuple = &t->tuples[at];
    uint64_t *slot = slots_seek(&tuple->slots, key, n);
    if (slot[n] == r->entry && !r->next) {
        slots_erase(&tuple->slots, slot, n);
    } else if (slot[n] == r->entry) {
        slot[n] = r->next;
    } else {
        struct record *previous = record_at(t, (uint32_t)slot[n]);
        while (previous->next != r->entry) previous = record_at(t, previous->next);
        previous->next = r->next;
    }
    if (!tuple->slots.used) {
        slots_free(&tuple->slots), free(tuple->key_mask);
        memmove(tuple, tuple + 1, (t->tuple_count - at - 1) * sizeof *tuple);
        t->tuple_count--;
    } else if (t->control->shape.kind != KIND_LPM && r->priority == tuple->priority) {
        /* An lpm tuple has one priority, its prefix length. */
        tuple_priority(t, tuple);
        tuples_sort(t);
    }
}

static uint64_t *exact_slot(const struct table *t, uint32_t entry) {
    return slots_seek(&t->exact, key_at(t, entry), t->control->shape.key_words);
}

static int exact_insert(struct table *t, const struct record *r) {
    uint32_t n = t->control->shape.key_words;
    if (slots_grow(&t->exact, n)) return -ENOMEM;
    uint64_t *slot = exact_slot(t, r->entry);
    memcpy(slot, key_at(t, r->entry), n * 8);
    memcpy(slot + n, r, (size_t)t->record_words * 8);
    slots_took(&t->exact, slot);
    return 0;
}

uint32_t table_find(const struct table *t, const uint64_t *key, const uint64_t *mask, const uint64_t *ranges,
                    int32_t priority) {
    uint32_t n = t->control->shape.key_words;
    if (t->control->shape.kind == KIND_EXACT) {
        const uint64_t *slot = slots_seek(&t->exact, key, n);
        return ((const struct record *)(slot + n))->entry;
    }
    for (uint32_t i = 0; i < t->tuple_count; i++) {
        if (!words_equal(t->tuples[i].key_mask, mask, n)) continue;
        for (uint32_t entry = tuple_find(&t->tuples[i], key, n); entry; entry = record_at(t, entry)->next) {
            const struct record *r = record_at(t, entry);
            if (r->priority == priority && words_equal(r->data, ranges, data_offset(t))) return entry;
        }
    }
    return 0;
}

uint32_t table_rows(const struct table *t, uint32_t from, uint32_t count, uint64_t *rows) {
    const struct table_shape *shape = &t->control->shape;
    uint32_t found = 0;
    for (uint32_t entry = from; entry <= t->control->high_water && found < count; entry++) {
        if (!table_holds(t, entry)) continue;
        const struct record *r = record_at(t, entry);
        *rows++ = entry;
        *rows++ = r->action;
        *rows++ = (uint64_t)(int64_t)r->priority;
        *rows++ = t->counts ? t->counts[entry].packets : 0;
        *rows++ = t->counts ? t->counts[entry].bytes : 0;
        memcpy(rows, key_at(t, entry), 2 * shape->key_words * 8);
        rows += 2 * shape->key_words;
        memcpy(rows, r->data, shape->data_words * 8);
        rows += shape->data_words;
        found++;
    }
    return found;
}

int64_t table_add(struct table *t, const uint64_t *key, const uint64_t *mask, const uint64_t *ranges, int32_t priority,
                  uint32_t action, const uint64_t *data) {
    struct table_control *k = t->control;
    uint32_t n = k->shape.key_words, entry = k->first_free;
    if (table_find(t, key, mask, ranges, priority)) return -EEXIST;
    if (!entry && k->high_water == k->shape.size) return -ENOSPC;
    if (entry) k->first_free = k->free_next[entry];
    else entry = ++k->high_water;
    uint64_t *stored = key_at(t, entry);
    for (uint32_t i = 0; i < n; i++) stored[i] = key[i] & mask[i], stored[n + i] = mask[i];
    struct record *r = record_at(t, entry);
    memset(r, 0, (size_t)t->record_words * 8);
    r->entry = entry;
    r->priority = priority;
    memcpy(r->data, ranges, data_offset(t) * 8);
    fill(t, r, action, data);
    int failed = k->shape.kind == KIND_EXACT ? exact_insert(t, r) : tuple_insert(t, r);
    if (!failed && k->shape.prefix_width) prefixes_add(t, entry);
    if (failed) {
        r->entry = 0;
        k->free_next[entry] = k->first_free;
        k->first_free = entry;
        return failed;
    }
    if (t->counts) t->counts[entry] = (struct count){0, 0};
    if (t->meters) memset(&t->meters[entry], 0, sizeof t->meters[entry]);
    if (t->hits) k->timeouts[entry] = 0;
    k->count++;
    return entry;
}

int table_change(struct table *t, uint32_t entry, uint32_t action, const uint64_t *data) {
    if (!table_holds(t, entry)) return -ENOENT;
    fill(t, record_at(t, entry), action, data);
    if (t->control->shape.kind == KIND_EXACT)
        memcpy(exact_slot(t, entry) + t->control->shape.key_words, record_at(t, entry), (size_t)t->record_words * 8);
    return 0;
}

int table_remove(struct table *t, uint32_t entry) {
    struct table_control *k = t->control;
    if (!table_holds(t, entry)) return -ENOENT;
    struct record *r = record_at(t, entry);
    if (k->shape.kind == KIND_EXACT) slots_erase(&t->exact, exact_slot(t, entry), k->shape.key_words);
    else {
        if (k->shape.prefix_width) prefixes_remove(t, entry);
        tuple_remove(t, r);
    }
    if (t->hits && k->timeouts[entry]) k->timed--, k->timeouts[entry] = 0;
    r->entry = 0;
    k->free_next[entry] = k->first_free;
    k->first_free = entry;
    k->count--;
    return 0;
}

void table_clear(struct table *t) {
    for (uint32_t entry = 1; entry <= t->control->high_water; entry++)
        if (table_holds(t, entry)) table_remove(t, entry);
}

int table_watch(struct table *t, uint32_t entry, uint64_t timeout, uint64_t now) {
    if (!table_holds(t, entry)) return -ENOENT;
    if (!t->hits) return -ENOTSUP;
    t->control->timed += (timeout != 0) - (t->control->timeouts[entry] != 0);
    t->control->timeouts[entry] = timeout;
    t->hits[entry] = now;
    return 0;
}

uint32_t table_expired(struct table *t, uint64_t now, uint32_t *entries, uint32_t room) {
    struct table_control *k = t->control;
    uint32_t found = 0;
    if (!k->timed) return 0;
    for (uint32_t entry = 1; entry <= k->high_water && found < room; entry++)
        if (k->timeouts[entry] && now - t->hits[entry] >= k->timeouts[entry]) {
            entries[found++] = entry;
            t->hits[entry] = now;
        }
    return found;
}
