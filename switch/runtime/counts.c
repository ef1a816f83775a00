/* What tables counted, for whoever watches the switch. */
#include "device.h"

enum { CHUNK = 4096 };

/* Entries may be many, and packets wait meanwhile: so the gate opens now and then. */
static void sum_counts(struct device *d, const struct table *t, struct table_counts *counts) {
    for (uint32_t from = 1, size = program.tables[t - d->state.tables].size; from <= size; from += CHUNK) {
        control_begin(d);
        for (uint32_t entry = from; entry <= size && entry < from + CHUNK; entry++) {
            if (!table_holds(t, entry)) continue;
            counts->packets += t->counts[entry].packets;
            counts->bytes += t->counts[entry].bytes;
        }
        control_end(d);
    }
}

void device_table_counts(struct device *d, uint32_t table, struct table_counts *counts) {
    const struct table *t = &d->state.tables[table];
    control_begin(d);
    *counts = (struct table_counts){.entries = table_count(t)};
    const struct context *contexts[] = {&d->packets.context, &d->memory.context};
    for (int i = 0; i < 2; i++) {
        counts->misses += contexts[i]->lookups[table].misses;
        counts->hits += contexts[i]->lookups[table].hits;
    }
    control_end(d);
    if (t->counts) sum_counts(d, t, counts);
}
