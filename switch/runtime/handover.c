/* Handing the ports of a running program to another, each in a shared object of its own. */
#include <errno.h>
#include <string.h>

#include "ports.h"

/* Of all that decides how structures are laid out: sources, compiler and flags (build.py). */
const uint64_t runtime_digest = RUNTIME_DIGEST;

static void hand_counts(struct device *d, struct device *from) {
    for (int i = 0; i < REASONS; i++) {
        d->packets.context.ended[i] += from->packets.context.ended[i] + from->memory.context.ended[i];
        from->packets.context.ended[i] = from->memory.context.ended[i] = 0;
    }
    events_lost_add(&d->events, events_lost_take(&from->events));
}

/* Frames wait in the rings meanwhile. A program's own functions know only its own tables: nothing of `from` is looked into but
 * what every device has. */
int device_take_ports(struct device *d, struct device *from) {
    if (from->runtime != runtime_digest) return -ENOEXEC;
    control_begin(from);
    control_begin(d);
    int failed = from->ports->running || d->ports->running || d->ports->count ? -EBUSY : 0;
    if (!failed) {
        struct ports *ports = from->ports;
        from->ports = d->ports;
        d->ports = ports;
        memcpy(d->port_up, from->port_up, sizeof d->port_up);
        hand_counts(d, from);
        links_changed(d);
    }
    control_end(d);
    control_end(from);
    return failed;
}
