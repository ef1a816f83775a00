/* The wires that a delay line stands in: two interfaces each, and the link in either direction. */
#ifndef WIRE_H
#define WIRE_H

#include <net/if.h>
#include <stddef.h>

#include "link.h"

struct wire {
    char name[2][IF_NAMESIZE];
    int fd[2];
    struct link link[2]; /* link[0] from end 0 to end 1, link[1] back */
};

struct wires {
    struct wire *wire;
    size_t count;
};

/* Add the wire that A,B,DELAY_US,JITTER_US,LOSS_PPM,RATE_KBPS,LIMIT,SEED describes and open its interfaces;
 * what is wrong with it, or NULL. */
const char *wires_add(struct wires *wires, const char *text);

#endif
