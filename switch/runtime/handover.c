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

static void exchange(struct device *d, struct device *from) {
    control_begin(from);
    control_begin(d);
    struct ports *ports = from->ports;
    from->ports = d->ports;
    d->ports = ports;
    memcpy(d->port_up, from->port_up, sizeof d->port_up);
    hand_counts(d, from);
    control_end(d);
    control_end(from);
}

static void tell_links(struct device *d) {
    control_begin(d);
    links_changed(d);
    control_end(d);
}

/* All in one call, as packets wait for it to end. The code here belongs to the taker's program: it must not start the other nor
 * look into its tables. */
int device_take_ports(struct device *d, struct device *from) {
    if (from->runtime != runtime_digest) return -ENOEXEC;
    if (d->ports->running || d->ports->count) return -EBUSY;
    device_stop(from);
    exchange(d, from);
    tell_links(d);
    int failed = device_start(d);
    if (failed) exchange(from, d);
    return failed;
}
