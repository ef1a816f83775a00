#include "event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int events_init(struct events *e) {
    pthread_condattr_t attributes;
    memset(e, 0, sizeof *e);
    e->bytes = malloc(EVENT_ROOM);
    if (!e->bytes) return -ENOMEM;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&e->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&e->lock, NULL);
    return 0;
}

void events_free(struct events *e) {
    if (!e->bytes) return;
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->filled);
    free(e->bytes);
}

int events_put(struct events *e, uint32_t kind, uint32_t id, const void *a, uint32_t a_length, const void *b,
               uint32_t b_length) {
    struct event_header header = {kind, id, a_length + b_length, 0};
    pthread_mutex_lock(&e->lock);
    int full = e->used + sizeof header + header.length > EVENT_ROOM;
    if (full) {
        e->lost++;
    } else {
        memcpy(e->bytes + e->used, &header, sizeof header);
        e->used += sizeof header;
        if (a_length) memcpy(e->bytes + e->used, a, a_length);
        e->used += a_length;
        if (b_length) memcpy(e->bytes + e->used, b, b_length);
        e->used += b_length;
        if (e->waiting) pthread_cond_signal(&e->filled);
    }
    pthread_mutex_unlock(&e->lock);
    return full ? -ENOBUFS : 0;
}

void events_wake(struct events *e) {
    pthread_mutex_lock(&e->lock);
    e->woken = 1;
    pthread_cond_broadcast(&e->filled);
    pthread_mutex_unlock(&e->lock);
}

static struct timespec after(int timeout_ms) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) t.tv_sec++, t.tv_nsec -= 1000000000L;
    return t;
}

int64_t events_take(struct events *e, uint8_t *out, uint64_t room, int timeout_ms) {
    struct timespec until = after(timeout_ms);
    uint64_t taken = 0;
    pthread_mutex_lock(&e->lock);
    e->waiting = 1;
    while (!e->used && !e->woken && pthread_cond_timedwait(&e->filled, &e->lock, &until) != ETIMEDOUT) {}
    e->waiting = e->woken = 0;
    while (taken < e->used) {
        struct event_header header;
        memcpy(&header, e->bytes + taken, sizeof header);
        uint64_t size = sizeof header + header.length;
        if (taken + size > room) break;
        taken += size;
    }
    memcpy(out, e->bytes, taken);
    memmove(e->bytes, e->bytes + taken, e->used - taken);
    e->used -= taken;
    pthread_mutex_unlock(&e->lock);
    return (int64_t)taken;
}

uint64_t events_lost(struct events *e) {
    pthread_mutex_lock(&e->lock);
    uint64_t lost = e->lost;
    pthread_mutex_unlock(&e->lock);
    return lost;
}

uint64_t events_lost_take(struct events *e) {
    pthread_mutex_lock(&e->lock);
    uint64_t lost = e->lost;
    e->lost = 0;
    pthread_mutex_unlock(&e->lock);
    return lost;
}

void events_lost_add(struct events *e, uint64_t count) {
    pthread_mutex_lock(&e->lock);
    e->lost += count;
    pthread_mutex_unlock(&e->lock);
}
