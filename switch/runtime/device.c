/* A device's life, its gate, and the control calls of api.h that concern tables, profiles and externs. */
#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MULTICAST_GROUPS = 1 << 16, SESSIONS = 1 << 15 };

static void gate_init(struct gate *g) {
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&g->turnstile, NULL);
    pthread_mutex_init(&g->inside, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

/* Whoever waits holds the turnstile, at which the packet thread then queues up. */
void control_begin(struct device *d) {
    struct gate *g = &d->gate;
    if (pthread_mutex_trylock(&g->inside) == 0) return;
    atomic_fetch_add(&g->waiting, 1);
    pthread_mutex_lock(&g->turnstile);
    pthread_mutex_lock(&g->inside);
    atomic_fetch_sub(&g->waiting, 1);
    pthread_mutex_unlock(&g->turnstile);
}

void control_end(struct device *d) { pthread_mutex_unlock(&d->gate.inside); }

void gate_packets_enter(struct gate *g) {
    if (atomic_load(&g->waiting)) {
        pthread_mutex_lock(&g->turnstile);
        pthread_mutex_unlock(&g->turnstile);
    }
    pthread_mutex_lock(&g->inside);
}

void gate_packets_leave(struct gate *g) { pthread_mutex_unlock(&g->inside); }

static void flush_to_memory(struct runner *r) {
    uint32_t waiting = runner_waiting(r);
    for (uint32_t i = 0; i < waiting; i++) {
        const struct outgoing *o = &r->out[i];
        uint32_t head[2] = {o->port, o->headers + o->payload_length};
        if (r->collected_length + sizeof head + head[1] > r->collect_room) continue;
        uint8_t *to = r->collected + r->collected_length;
        memcpy(to, head, sizeof head);
        memcpy(to + sizeof head, o->room, o->headers);
        memcpy(to + sizeof head + o->headers, o->payload, o->payload_length);
        r->collected_length += sizeof head + head[1];
    }
}

static void flush_nowhere(struct runner *r) { (void)r; }

static int state_init(struct state *s) {
    s->tables = calloc(program.table_count + 1, sizeof *s->tables);
    s->value_sets = calloc(program.value_set_count + 1, sizeof *s->value_sets);
    s->profiles = calloc(program.profile_count + 1, sizeof *s->profiles);
    s->counters = calloc(program.counter_count + 1, sizeof *s->counters);
    s->meters = calloc(program.meter_count + 1, sizeof *s->meters);
    s->registers = calloc(program.register_count + 1, sizeof *s->registers);
    s->multicast = reserve(MULTICAST_GROUPS * sizeof *s->multicast);
    s->sessions = reserve(SESSIONS * sizeof *s->sessions);
    if (!s->tables || !s->value_sets || !s->profiles || !s->counters || !s->meters || !s->registers || !s->multicast ||
        !s->sessions)
        return -ENOMEM;
    int failed = 0;
    for (uint32_t i = 0; i < program.table_count; i++) failed |= table_init(&s->tables[i], &program.tables[i]);
    for (uint32_t i = 0; i < program.value_set_count; i++)
        failed |= table_init(&s->value_sets[i], &program.value_sets[i]);
    for (uint32_t i = 0; i < program.profile_count; i++) failed |= profile_init(&s->profiles[i], &program.profiles[i]);
    for (uint32_t i = 0; i < program.counter_count; i++)
        failed |= !(s->counters[i] = reserve(program.counters[i] * sizeof **s->counters));
    for (uint32_t i = 0; i < program.meter_count; i++)
        failed |= !(s->meters[i] = reserve(program.meters[i] * sizeof **s->meters));
    for (uint32_t i = 0; i < program.register_count; i++)
        failed |= !(s->registers[i] = reserve((size_t)program.registers[i].size * program.registers[i].bytes));
    return failed ? -ENOMEM : 0;
}

/* Few of many are in use, and a sanitizer's free() is slow. */
static void replicas_free(struct replicas *r, uint32_t count) {
    for (uint32_t i = 0; r && i < count; i++)
        if (r[i].list) free(r[i].list);
}

static void state_free(struct state *s) {
    for (uint32_t i = 0; s->tables && i < program.table_count; i++) table_free(&s->tables[i]);
    for (uint32_t i = 0; s->value_sets && i < program.value_set_count; i++) table_free(&s->value_sets[i]);
    for (uint32_t i = 0; s->profiles && i < program.profile_count; i++) profile_free(&s->profiles[i]);
    for (uint32_t i = 0; s->counters && i < program.counter_count; i++)
        release(s->counters[i], program.counters[i] * sizeof **s->counters);
    for (uint32_t i = 0; s->meters && i < program.meter_count; i++)
        release(s->meters[i], program.meters[i] * sizeof **s->meters);
    for (uint32_t i = 0; s->registers && i < program.register_count; i++)
        release(s->registers[i], (size_t)program.registers[i].size * program.registers[i].bytes);
    replicas_free(s->multicast, MULTICAST_GROUPS);
    replicas_free(s->sessions, SESSIONS);
    release(s->multicast, MULTICAST_GROUPS * sizeof *s->multicast);
    release(s->sessions, SESSIONS * sizeof *s->sessions);
    free(s->tables), free(s->value_sets), free(s->profiles), free(s->counters), free(s->meters), free(s->registers);
}

struct device *device_new(uint32_t cpu_port) {
    struct device *d = calloc(1, sizeof *d);
    struct timespec t;
    if (!d) return NULL;
    clock_gettime(CLOCK_MONOTONIC, &t);
    d->start = (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
    d->runtime = runtime_digest;
    d->cpu_port = cpu_port;
    memset(d->port_up, 1, sizeof d->port_up);
    gate_init(&d->gate);
    if (state_init(&d->state) || events_init(&d->events) || runner_init(&d->packets, d, flush_to_ports) ||
        runner_init(&d->memory, d, flush_to_memory) || ports_init(d)) {
        device_free(d);
        return NULL;
    }
    return d;
}

void device_free(struct device *d) {
    if (!d) return;
    if (d->ports) device_stop(d);
    ports_free(d);
    runner_free(&d->packets);
    runner_free(&d->memory);
    events_free(&d->events);
    state_free(&d->state);
    pthread_mutex_destroy(&d->gate.inside);
    pthread_mutex_destroy(&d->gate.turnstile);
    free(d);
}

uint64_t device_now(struct device *d) { return clock_us(d); }
uint32_t device_header_room(void) { return program.header_room; }

void links_changed(struct device *d) {
    for (uint32_t i = 0; i < program.profile_count; i++) profile_links(&d->state.profiles[i], d->port_up);
}

int64_t device_inject(struct device *d, uint32_t port, const uint8_t *data, uint32_t length, uint8_t *out, uint64_t room) {
    struct packet p = {data, length, port};
    struct runner *r = &d->memory;
    if (length > MAX_PACKET) return -EMSGSIZE;
    control_begin(d);
    r->flush = flush_to_memory;
    r->collected = out;
    r->collect_room = room;
    r->collected_length = 0;
    r->context.now = clock_us(d);
    program.receive(&r->context, &p, 1);
    runner_finish(r);
    control_end(d);
    return (int64_t)r->collected_length;
}

void run_to_ports(struct device *d, const struct packet *p) {
    struct runner *r = &d->memory;
    r->flush = flush_to_ports;
    r->context.now = clock_us(d);
    program.receive(&r->context, p, 1);
    runner_finish(r);
}

int device_packet_out(struct device *d, const uint8_t *data, uint32_t length) {
    struct packet p = {data, length, d->cpu_port};
    if (d->cpu_port == NO_PORT) return -ENXIO;
    if (length > MAX_PACKET) return -EMSGSIZE;
    control_begin(d);
    run_to_ports(d, &p);
    control_end(d);
    return 0;
}

/* Nanoseconds of this thread's processor time per packet of the pipeline alone: `count` packets, `stride` bytes apart, `rounds` times. */
double device_bench(struct device *d, uint32_t port, const uint8_t *data, uint32_t length, uint32_t stride, uint32_t count,
                    uint32_t rounds) {
    struct runner *r = &d->memory;
    struct timespec a, b;
    control_begin(d);
    r->flush = flush_nowhere;
    r->context.now = clock_us(d);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t at = 0; at < count; at += BATCH) {
            struct packet packets[BATCH];
            uint32_t n = count - at < BATCH ? count - at : BATCH;
            for (uint32_t i = 0; i < n; i++) {
                packets[i] = (struct packet){data + (size_t)(at + i) * stride, length, port};
                __builtin_prefetch(packets[i].data); /* as ring.c does */
            }
            program.receive(&r->context, packets, n);
            runner_finish(r);
        }
    runner_finish(r);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    control_end(d);
    double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
    return ns / ((double)count * rounds);
}

int64_t device_events(struct device *d, uint8_t *out, uint64_t room, int timeout_ms) {
    return events_take(&d->events, out, room, timeout_ms);
}

void device_wake(struct device *d) { events_wake(&d->events); }

/* How many packets ended unsent, by `enum reason`, and how many messages the control side lost. */
void device_ended(struct device *d, uint64_t *reasons) {
    control_begin(d);
    for (int i = 0; i < REASONS; i++) reasons[i] = d->packets.context.ended[i] + d->memory.context.ended[i];
    control_end(d);
    reasons[REASONS] = events_lost(&d->events);
}
