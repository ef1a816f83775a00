/* What packets tell the control side: a bounded queue of messages. A full queue loses new ones and counts them. */
#ifndef EVENT_H
#define EVENT_H

#include <pthread.h>
#include <stdint.h>

enum event_kind { EVENT_PACKET_IN = 1, EVENT_DIGEST, EVENT_LOG, EVENT_FRAME };
enum { EVENT_ROOM = 1 << 22 };

struct event_header { uint32_t kind, id, length, unused; };

struct events {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    uint8_t *bytes;
    uint64_t used, lost;
    int waiting, woken;
};

int events_init(struct events *e);
void events_free(struct events *e);
/* 0, or −ENOBUFS when the message was lost. */
int events_put(struct events *e, uint32_t kind, uint32_t id, const void *a, uint32_t a_length, const void *b,
               uint32_t b_length);
/* Take whole messages, as many as fit; waits for one at most `timeout_ms`. */
int64_t events_take(struct events *e, uint8_t *out, uint64_t room, int timeout_ms);
void events_wake(struct events *e);
uint64_t events_lost(struct events *e);
/* How many were lost, to be counted elsewhere from now on. */
uint64_t events_lost_take(struct events *e);
void events_lost_add(struct events *e, uint64_t count);

#endif
