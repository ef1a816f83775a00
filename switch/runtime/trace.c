/* Explaining: one packet on a device's state, told step by step, without effect on it. Compiled with -DTRACING only. */
#ifdef TRACING

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

enum { UNDO_ROOM = 1 << 28 };

struct told { uint32_t kind, id, length, unused; };

/* Bytes that were at an address; the bytes lie before this, so that the last one can be found. */
struct kept {
    void *address;
    size_t size;
};

struct trace {
    uint8_t *out;
    uint64_t room, used;
    uint8_t *undo;
    uint64_t undo_used;
    uint8_t *last; /* a packet's fields as they were told last */
    int quiet;
    jmp_buf full;
};

static _Thread_local struct trace *tracing;

/* Out of room: leave the packet where it is. Nothing is locked here but the gate, and nothing is half written. */
static _Noreturn void stop(void) { longjmp(tracing->full, 1); }

static size_t padded(size_t size) { return (size + 7) / 8 * 8; }

void trace_put(enum trace_kind kind, uint32_t id, const void *a, size_t a_length, const void *b, size_t b_length) {
    struct trace *t = tracing;
    struct told head = {kind, id, (uint32_t)(a_length + b_length), 0};
    if (t->quiet) return;
    /* The last record's place is kept free for the one that says that there is no more. */
    if (t->room - t->used < 2 * sizeof head + head.length) stop();
    memcpy(t->out + t->used, &head, sizeof head);
    if (a_length) memcpy(t->out + t->used + sizeof head, a, a_length);
    if (b_length) memcpy(t->out + t->used + sizeof head + a_length, b, b_length);
    t->used += sizeof head + head.length;
}

void trace_keep(void *p, size_t size) {
    struct trace *t = tracing;
    struct kept kept = {p, size};
    if (UNDO_ROOM - t->undo_used < padded(size) + sizeof kept) stop();
    memcpy(t->undo + t->undo_used, p, size);
    t->undo_used += padded(size);
    memcpy(t->undo + t->undo_used, &kept, sizeof kept);
    t->undo_used += sizeof kept;
}

static void put_back(struct trace *t) {
    while (t->undo_used) {
        struct kept kept;
        t->undo_used -= sizeof kept;
        memcpy(&kept, t->undo + t->undo_used, sizeof kept);
        t->undo_used -= padded(kept.size);
        memcpy(kept.address, t->undo + t->undo_used, kept.size);
    }
}

void trace_quiet(int by) { tracing->quiet += by; }

/* Key, ranges; entry, priority, action; of a hit the entry's key and mask; the record's data. */
void trace_lookup(uint32_t id, const struct table *t, const uint64_t *key, unsigned key_words, const uint64_t *ranges,
                  unsigned range_words, const struct record *r) {
    uint64_t words[2 * key_words + range_words + 3 + 2 * key_words], n = 0;
    for (unsigned i = 0; i < key_words; i++) words[n++] = key[i];
    for (unsigned i = 0; i < range_words; i++) words[n++] = ranges[i];
    words[n++] = r->entry, words[n++] = (uint64_t)(int64_t)r->priority, words[n++] = r->action;
    if (r->entry) {
        memcpy(words + n, table_key(t, r->entry), 2 * key_words * 8);
        n += 2 * key_words;
    }
    trace_put(TRACE_LOOKUP, id, words, n * 8, r->data, (t->record_words - RECORD_WORDS) * 8);
}

void trace_start(const void *h, size_t size) {
    uint8_t *last = realloc(tracing->last, size);
    if (!last) stop();
    tracing->last = last;
    memcpy(last, h, size);
}

void trace_fields(const struct trace_field *fields, size_t count, const void *h, size_t size) {
    const uint8_t *now = h;
    for (size_t i = 0; i < count; i++) {
        const struct trace_field *f = &fields[i];
        const uint8_t *before = tracing->last + f->offset;
        if (f->valid != NO_VALIDITY && !now[f->valid]) continue;
        if (memcmp(before, now + f->offset, f->size))
            trace_put(TRACE_FIELD, (uint32_t)i, before, f->size, now + f->offset, f->size);
    }
    memcpy(tracing->last, h, size);
}

static void send_nothing(struct runner *r) { (void)r; }

static void run(struct device *d, struct runner *r, const struct packet *p, struct trace *t) {
    control_begin(d);
    r->context.random = d->memory.context.random;
    r->context.now = clock_us(d);
    tracing = t;
    if (!setjmp(t->full)) program.receive(&r->context, p, 1);
    else memcpy(t->out + t->used, &(struct told){TRACE_CUT, 0, 0, 0}, sizeof(struct told)), t->used += sizeof(struct told);
    tracing = NULL;
    put_back(t);
    control_end(d);
}

int64_t device_explain(struct device *d, uint32_t port, const uint8_t *data, uint32_t length, uint8_t *out, uint64_t room) {
    struct packet p = {data, length, port};
    struct runner *r = calloc(1, sizeof *r);
    struct trace t = {.out = out, .room = room, .undo = reserve(UNDO_ROOM)};
    int64_t result = -ENOMEM;
    if (d->runtime != runtime_digest) {
        result = -ENOEXEC;
    } else if (length > MAX_PACKET || room < sizeof(struct told)) {
        result = -EMSGSIZE;
    } else if (r && t.undo && !runner_init(r, d, send_nothing)) {
        run(d, r, &p, &t);
        result = (int64_t)t.used;
    }
    if (r) runner_free(r);
    free(r);
    free(t.last);
    release(t.undo, UNDO_ROOM);
    return result;
}

#endif
