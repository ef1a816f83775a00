/* One switch: its state, the threads that run packets, its ports and what it tells the control side. */
#ifndef DEVICE_H
#define DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "api.h"
#include "control.h"
#include "event.h"

enum { NO_PORT = 0xffffffff, BATCH = 64, OUTGOING = 512, KEEP = 1 << 20, MAX_PACKET = 1 << 16 };
/* A payload up to this many bytes has room behind its headers. */
enum { SMALL = 192 };

/* Packets that came in and are still to be run. */
struct batch {
    struct packet packets[BATCH];
    uint32_t count;
};

struct runner {
    struct context context; /* first: generated code has only this */
    struct device *device;
    struct outgoing out[OUTGOING];
    uint8_t *slab, *keep;
    uint32_t kept;
    void (*flush)(struct runner *r);
    uint8_t *collected; /* in memory: port, length, bytes, one after the other */
    uint64_t collect_room, collected_length;
};

/* Control calls and batches of packets exclude each other; a waiting control call goes first. */
struct gate {
    pthread_mutex_t turnstile, inside;
    atomic_int waiting;
};

struct device {
    uint64_t runtime;           /* first, so that it can be read of a device of any runtime */
    struct state state;
    struct gate gate;
    uint32_t cpu_port;
    uint64_t start;             /* ns, CLOCK_MONOTONIC */
    struct runner packets;      /* of the packet thread */
    struct runner memory;       /* of inject, packet_out and bench; used inside the gate */
    struct events events;
    uint8_t port_up[PORTS];
    struct ports *ports;
};

extern const uint64_t runtime_digest;

uint64_t clock_us(const struct device *d);
void gate_packets_enter(struct gate *g);
void gate_packets_leave(struct gate *g);
/* Packets that wait to be sent. */
uint32_t runner_waiting(const struct runner *r);
int runner_init(struct runner *r, struct device *d, void (*flush)(struct runner *r));
void runner_free(struct runner *r);
void runner_run(struct runner *r, struct batch *b);
/* After this the packets given to the runner may go. */
void runner_finish(struct runner *r);
void flush_to_ports(struct runner *r);
/* Run a packet in this thread, inside the gate; what comes of it leaves on the ports. */
void run_to_ports(struct device *d, const struct packet *p);
void send_to_cpu(struct device *d, const struct outgoing *o);
void links_changed(struct device *d);
int ports_init(struct device *d);
void ports_free(struct device *d);

#endif
