/* Control calls of api.h on tables, profiles and externs: each excludes packets while it runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

/* Profile of a table, or NULL; the handle must exist. */
static int check_target(struct device *d, uint32_t table, uint32_t action, const uint64_t *data) {
    int32_t profile = program.tables[table].profile;
    if (profile < 0 || action < ACTION_MEMBER) return 0;
    struct profile *p = &d->state.profiles[profile];
    return (action == ACTION_MEMBER ? profile_has_member(p, data[0]) : profile_has_group(p, data[0])) ? 0 : -EINVAL;
}

static void use_target(struct device *d, uint32_t table, uint32_t action, uint64_t handle, int by) {
    int32_t profile = program.tables[table].profile;
    if (profile >= 0 && action >= ACTION_MEMBER) profile_use(&d->state.profiles[profile], action, handle, by);
}

int64_t device_table_add(struct device *d, uint32_t table, int32_t priority, uint32_t action, const void *row) {
    uint32_t key_words = program.tables[table].key_words;
    const uint64_t *key = row, *mask = key + key_words, *ranges = mask + key_words;
    const uint64_t *data = ranges + 2 * program.tables[table].range_words;
    control_begin(d);
    int64_t entry = check_target(d, table, action, data);
    if (!entry) entry = table_add(&d->state.tables[table], key, mask, ranges, priority, action, data);
    if (entry > 0) use_target(d, table, action, data[0], 1);
    if (entry > 0 && d->state.tables[table].hits) d->state.tables[table].hits[entry] = clock_us(d);
    control_end(d);
    return entry;
}

uint32_t device_table_find(struct device *d, uint32_t table, int32_t priority, const void *row) {
    uint32_t key_words = program.tables[table].key_words;
    const uint64_t *key = row, *mask = key + key_words;
    const struct table *t = &d->state.tables[table];
    control_begin(d);
    uint32_t entry = table_find(t, key, mask, mask + key_words, priority);
    control_end(d);
    return entry;
}

uint32_t device_table_rows(struct device *d, uint32_t table, uint32_t from, uint32_t count, uint64_t *rows) {
    control_begin(d);
    uint32_t found = table_rows(&d->state.tables[table], from, count, rows);
    control_end(d);
    return found;
}

int device_table_change(struct device *d, uint32_t table, uint32_t entry, uint32_t action, const void *parameters) {
    struct table *t = &d->state.tables[table];
    const uint64_t *data = parameters;
    control_begin(d);
    int failed = table_holds(t, entry) ? check_target(d, table, action, data) : -ENOENT;
    if (!failed) {
        const struct record *r = record_at(t, entry);
        use_target(d, table, action, data[0], 1);
        use_target(d, table, r->action, table_handle(t, r), -1);
        failed = table_change(t, entry, action, data);
    }
    control_end(d);
    return failed;
}

int device_table_remove(struct device *d, uint32_t table, uint32_t entry) {
    struct table *t = &d->state.tables[table];
    control_begin(d);
    int failed = table_holds(t, entry) ? 0 : -ENOENT;
    if (!failed) {
        const struct record *r = record_at(t, entry);
        use_target(d, table, r->action, table_handle(t, r), -1);
        failed = table_remove(t, entry);
    }
    control_end(d);
    return failed;
}

int device_table_default(struct device *d, uint32_t table, uint32_t action, const void *parameters) {
    struct table *t = &d->state.tables[table];
    const uint64_t *data = parameters;
    control_begin(d);
    int failed = check_target(d, table, action, data);
    if (!failed) {
        use_target(d, table, action, data[0], 1);
        use_target(d, table, t->fallback->action, table_handle(t, t->fallback), -1);
        table_set_fallback(t, action, data);
    }
    control_end(d);
    return failed;
}

int device_table_default_reset(struct device *d, uint32_t table) {
    struct table *t = &d->state.tables[table];
    control_begin(d);
    use_target(d, table, t->fallback->action, table_handle(t, t->fallback), -1);
    table_reset_fallback(t);
    control_end(d);
    return 0;
}

int device_table_watch(struct device *d, uint32_t table, uint32_t entry, uint64_t timeout_us) {
    control_begin(d);
    int failed = table_watch(&d->state.tables[table], entry, timeout_us, clock_us(d));
    control_end(d);
    return failed;
}

int device_table_last_hit(struct device *d, uint32_t table, uint32_t entry, uint64_t *us_ago) {
    struct table *t = &d->state.tables[table];
    control_begin(d);
    int failed = !table_holds(t, entry) ? -ENOENT : t->hits ? 0 : -ENOTSUP;
    if (!failed) {
        uint64_t now = clock_us(d);
        *us_ago = now > t->hits[entry] ? now - t->hits[entry] : 0;
    }
    control_end(d);
    return failed;
}

uint32_t device_table_expired(struct device *d, uint32_t table, uint32_t *entries, uint32_t room) {
    control_begin(d);
    uint32_t found = table_expired(&d->state.tables[table], clock_us(d), entries, room);
    control_end(d);
    return found;
}

int device_value_set(struct device *d, uint32_t set, const uint64_t *keys, const uint64_t *masks, uint32_t count) {
    struct table *t = &d->state.value_sets[set];
    uint32_t n = program.value_sets[set].key_words;
    uint64_t nothing = 0;
    int64_t failed = count > program.value_sets[set].size ? -ENOSPC : 0;
    control_begin(d);
    if (!failed) table_clear(t);
    for (uint32_t i = 0; i < count && failed >= 0; i++)
        failed = table_add(t, keys + (size_t)i * n, masks + (size_t)i * n, &nothing, 0, 0, &nothing);
    control_end(d);
    return failed < 0 ? (int)failed : 0;
}

int64_t device_member_add(struct device *d, uint32_t profile, uint32_t action, const uint64_t *data) {
    control_begin(d);
    int64_t member = member_add(&d->state.profiles[profile], action, data);
    control_end(d);
    return member;
}

int device_member_change(struct device *d, uint32_t profile, uint32_t member, uint32_t action, const uint64_t *data) {
    control_begin(d);
    int failed = member_change(&d->state.profiles[profile], member, action, data);
    control_end(d);
    return failed;
}

int device_member_remove(struct device *d, uint32_t profile, uint32_t member) {
    control_begin(d);
    int failed = member_remove(&d->state.profiles[profile], member);
    control_end(d);
    return failed;
}

int64_t device_group_add(struct device *d, uint32_t profile) {
    control_begin(d);
    int64_t group = group_add(&d->state.profiles[profile]);
    control_end(d);
    return group;
}

int device_group_set(struct device *d, uint32_t profile, uint32_t group, const uint32_t *members, const uint32_t *weights,
                     const uint32_t *watch, uint32_t count) {
    control_begin(d);
    int failed = group_set(&d->state.profiles[profile], group, members, weights, watch, count, d->port_up);
    control_end(d);
    return failed;
}

int device_group_remove(struct device *d, uint32_t profile, uint32_t group) {
    control_begin(d);
    int failed = group_remove(&d->state.profiles[profile], group);
    control_end(d);
    return failed;
}

static int copy_count(struct device *d, struct count *cell, uint64_t *out, const uint64_t *in) {
    control_begin(d);
    if (in) *cell = (struct count){in[0], in[1]};
    if (out) out[0] = cell->packets, out[1] = cell->bytes;
    control_end(d);
    return 0;
}

int device_counter(struct device *d, uint32_t counter, uint32_t index, uint64_t *value) {
    if (index >= program.counters[counter]) return -ERANGE;
    return copy_count(d, &d->state.counters[counter][index], value, NULL);
}

int device_counter_set(struct device *d, uint32_t counter, uint32_t index, const uint64_t *value) {
    if (index >= program.counters[counter]) return -ERANGE;
    return copy_count(d, &d->state.counters[counter][index], NULL, value);
}

static int copy_direct(struct device *d, uint32_t table, uint32_t entry, uint64_t *out, const uint64_t *in) {
    struct table *t = &d->state.tables[table];
    control_begin(d);
    int failed = t->counts && table_holds(t, entry) ? copy_count(d, &t->counts[entry], out, in) : -ENOENT;
    control_end(d);
    return failed;
}

int device_direct_counter(struct device *d, uint32_t table, uint32_t entry, uint64_t *value) {
    return copy_direct(d, table, entry, value, NULL);
}

int device_direct_counter_set(struct device *d, uint32_t table, uint32_t entry, const uint64_t *value) {
    return copy_direct(d, table, entry, NULL, value);
}

static int meter_write(struct device *d, struct meter *m, const struct rates *rates) {
    control_begin(d);
    m->configured = rates != NULL;
    if (rates) {
        m->single_rate = rates->excess_burst > 0;
        double peak_burst = m->single_rate ? rates->excess_burst : rates->peak_burst;
        m->committed = (struct bucket){rates->committed / 1e6, rates->committed_burst, rates->committed_burst};
        m->peak = (struct bucket){rates->peak / 1e6, peak_burst, peak_burst};
        m->updated = clock_us(d);
    }
    control_end(d);
    return 0;
}

int device_meter_set(struct device *d, uint32_t meter, uint32_t index, const struct rates *rates) {
    if (index >= program.meters[meter]) return -ERANGE;
    return meter_write(d, &d->state.meters[meter][index], rates);
}

int device_direct_meter_set(struct device *d, uint32_t table, uint32_t entry, const struct rates *rates) {
    struct table *t = &d->state.tables[table];
    control_begin(d);
    int failed = t->meters && table_holds(t, entry) ? meter_write(d, &t->meters[entry], rates) : -ENOENT;
    control_end(d);
    return failed;
}

static int meter_marked(struct device *d, struct meter *m, int set, uint64_t *values) {
    control_begin(d);
    if (set) memcpy(m->marked, values, sizeof m->marked);
    else memcpy(values, m->marked, sizeof m->marked);
    control_end(d);
    return 0;
}

int device_meter_marked(struct device *d, uint32_t meter, uint32_t index, int set, uint64_t *values) {
    if (index >= program.meters[meter]) return -ERANGE;
    return meter_marked(d, &d->state.meters[meter][index], set, values);
}

int device_direct_meter_marked(struct device *d, uint32_t table, uint32_t entry, int set, uint64_t *values) {
    struct table *t = &d->state.tables[table];
    if (!t->meters || !table_holds(t, entry)) return -ENOENT;
    return meter_marked(d, &t->meters[entry], set, values);
}

static uint8_t *register_cell(struct device *d, uint32_t reg, uint32_t index) {
    if (index >= program.registers[reg].size) return NULL;
    return (uint8_t *)d->state.registers[reg] + (size_t)index * program.registers[reg].bytes;
}

int device_register(struct device *d, uint32_t reg, uint32_t index, uint8_t *value) {
    const uint8_t *cell = register_cell(d, reg, index);
    if (!cell) return -ERANGE;
    control_begin(d);
    memcpy(value, cell, program.registers[reg].bytes);
    control_end(d);
    return 0;
}

int device_register_set(struct device *d, uint32_t reg, uint32_t index, const uint8_t *value) {
    uint8_t *cell = register_cell(d, reg, index);
    if (!cell) return -ERANGE;
    control_begin(d);
    memcpy(cell, value, program.registers[reg].bytes);
    control_end(d);
    return 0;
}

int device_replicas(struct device *d, int multicast, uint32_t id, const uint32_t *ports, const uint32_t *instances,
                    uint32_t count, uint32_t truncate) {
    if (id >= (multicast ? 1u << 16 : 1u << 15)) return -ERANGE;
    struct replica *list = calloc(count + 1, sizeof *list);
    if (!list) return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) list[i] = (struct replica){ports[i], instances[i]};
    struct replicas *r = multicast ? &d->state.multicast[id] : &d->state.sessions[id];
    control_begin(d);
    free(r->list);
    *r = (struct replicas){count, truncate, list};
    control_end(d);
    return 0;
}
