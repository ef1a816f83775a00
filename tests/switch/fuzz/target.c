/* A libFuzzer target: one program with the whole runtime, driven by bytes through the calls that the control side has.
 *
 * An input is a series of steps, each a byte that says what, then its operands. What the calls demand of their callers (indexes within
 * the program's shape, values within their widths) is kept here, as Python keeps it; all else is the input's. A key may be the one that the
 * table was last asked for, so that entries are hit however many bits a key has. */
#include <stdlib.h>

#include "ports.h"
#include "segment.h"

enum { ROOM = 1 << 22, MANY = 8, KNOWN_WORDS = 64, KNOWN_TABLES = 1024 };

static struct device *device;
static uint64_t asked_for[KNOWN_TABLES][KNOWN_WORDS];

static void remember(const struct table *t, const uint64_t *key, unsigned n, ...) {
    size_t i = (size_t)(t - device->state.tables);
    if (t >= device->state.tables && i < program.table_count && i < KNOWN_TABLES && n <= KNOWN_WORDS)
        memcpy(asked_for[i], key, n * sizeof *key);
}

#define table_exact(...) (remember(__VA_ARGS__), table_exact(__VA_ARGS__))
#define table_lpm(...) (remember(__VA_ARGS__), table_lpm(__VA_ARGS__))
#define table_ternary(...) (remember(__VA_ARGS__), table_ternary(__VA_ARGS__))

/* One function an action, so that what was covered can be told by name. */
#undef INLINE
#define INLINE static inline
#include PROGRAM

/* What an action's parameters may be: a mask for each of a record's words. */
struct choices {
    uint32_t actions, words;
    const uint64_t *masks; /* actions times words */
};

/* A table's legal keys, and its lpm field: bits [offset, offset + width) of the key words. */
struct known_table {
    struct choices choices;
    const uint64_t *key_mask, *range_mask;
    uint32_t lpm_offset, lpm_width;
    int writable, fixed_default;
};

struct known_entry {
    uint32_t table;
    int32_t priority;
    uint32_t action;
    const uint64_t *row;
};

#include SHAPE

struct input { const uint8_t *at, *end; };

static uint64_t take(struct input *in, unsigned bytes) {
    uint64_t v = 0;
    for (; bytes && in->at < in->end; bytes--) v = v << 8 | *in->at++;
    return v;
}

static uint32_t below(struct input *in, uint32_t limit) { return limit ? (uint32_t)take(in, limit > 256 ? 4 : 1) % limit : 0; }

/* Each word nothing, all, small, or any. */
static void words(struct input *in, uint64_t *to, const uint64_t *masks, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t how = take(in, 1) % 4;
        to[i] = (how == 0 ? 0 : how == 1 ? ~0ull : take(in, how == 2 ? 1 : 8)) & masks[i];
    }
}

static uint32_t an_action(struct input *in, const struct choices *c, uint64_t *data) {
    memset(data, 0, c->words * sizeof *data);
    if (!c->actions) return 0xfffffffd;
    uint32_t action = below(in, c->actions);
    words(in, data, c->masks + (size_t)action * c->words, c->words);
    return action;
}

/* An action, or for an indirect table a member or group, which may not be there. */
static uint32_t a_target(struct input *in, uint32_t table, uint64_t *data) {
    if (program.tables[table].profile < 0) return an_action(in, &known_tables[table].choices, data);
    memset(data, 0, known_tables[table].choices.words * sizeof *data);
    data[0] = take(in, 1) % MANY;
    return take(in, 1) % 2 ? ACTION_GROUP : ACTION_MEMBER;
}

static void prefix_mask(uint64_t *mask, const struct known_table *k, uint32_t prefix) {
    for (uint32_t bit = k->lpm_offset; bit < k->lpm_offset + k->lpm_width - prefix; bit++)
        mask[bit / 64] &= ~(1ull << bit % 64);
}

static void add_entry(struct input *in) {
    uint32_t table = below(in, program.table_count);
    if (!program.table_count || !known_tables[table].writable) return;
    const struct known_table *k = &known_tables[table];
    const struct table_shape *shape = &program.tables[table];
    uint32_t n = shape->key_words, r = shape->range_words;
    uint64_t row[2 * n + 2 * r + k->choices.words], *key = row, *mask = key + n, *low = mask + n, *high = low + r;
    int32_t priority = (int32_t)take(in, 1);
    if (take(in, 1) % 2 && table < KNOWN_TABLES && n <= KNOWN_WORDS) memcpy(key, asked_for[table], n * sizeof *key);
    else words(in, key, k->key_mask, n);
    memcpy(mask, k->key_mask, n * sizeof *mask);
    if (shape->kind == KIND_TERNARY) words(in, mask, k->key_mask, n);
    if (k->lpm_width) prefix_mask(mask, k, (uint32_t)(priority = (int32_t)below(in, k->lpm_width + 1)));
    words(in, low, k->range_mask, r);
    words(in, high, k->range_mask, r);
    for (uint32_t i = 0; i < r; i++)
        if (low[i] > high[i]) {
            uint64_t swap = low[i];
            low[i] = high[i], high[i] = swap;
        }
    uint32_t action = a_target(in, table, high + r);
    for (uint32_t i = 0; i < n; i++) key[i] &= mask[i];
    /* What the control side takes for granted before it adds (P4Runtime specification 1.4, section 9.1). */
    uint32_t there = device_table_find(device, table, priority, row);
    int64_t added = there ? 0 : device_table_add(device, table, priority, action, row);
    if (added > 0 && device_table_find(device, table, priority, row) != added) abort();
}

static void read_rows(struct input *in) {
    uint32_t table = below(in, program.table_count);
    if (!program.table_count) return;
    const struct table_shape *shape = &program.tables[table];
    uint64_t rows[MANY * (5 + 2 * shape->key_words + shape->data_words)];
    device_table_rows(device, table, (uint32_t)take(in, 1), MANY, rows);
}

static void change_entry(struct input *in) {
    uint32_t table = below(in, program.table_count), entry = (uint32_t)take(in, 1);
    if (!program.table_count || !known_tables[table].writable) return;
    const struct known_table *k = &known_tables[table];
    uint64_t data[k->choices.words], pair[2], ago;
    uint32_t entries[MANY];
    struct rates rates = {(double)take(in, 2), (double)take(in, 2), (double)take(in, 2), (double)take(in, 2)};
    switch (take(in, 1) % 8) {
    case 0: device_table_remove(device, table, entry); break;
    case 1: device_table_watch(device, table, entry, take(in, 1)); break;
    case 2: device_table_last_hit(device, table, entry, &ago); break;
    case 3: device_table_expired(device, table, entries, MANY); break;
    case 4: device_direct_meter_set(device, table, entry, take(in, 1) % 2 ? &rates : NULL); break;
    case 5: device_direct_counter(device, table, entry, pair); break;
    default: {
        uint32_t action = a_target(in, table, data);
        device_table_change(device, table, entry, action, data);
    }
    }
}

static void change_default(struct input *in) {
    uint32_t table = below(in, program.table_count);
    if (!program.table_count || known_tables[table].fixed_default) return;
    uint64_t data[known_tables[table].choices.words];
    if (take(in, 1) % 8 == 0) {
        device_table_default_reset(device, table);
        return;
    }
    uint32_t action = a_target(in, table, data);
    device_table_default(device, table, action, data);
}

static void change_member(struct input *in) {
    uint32_t profile = below(in, program.profile_count), member = (uint32_t)take(in, 1) % MANY;
    if (!program.profile_count) return;
    uint64_t data[known_profiles[profile].words];
    uint32_t how = (uint32_t)take(in, 1) % 4, action = an_action(in, &known_profiles[profile], data);
    if (how == 0) device_member_remove(device, profile, member);
    else if (how == 1) device_member_change(device, profile, member, action, data);
    else device_member_add(device, profile, action, data);
}

static void change_group(struct input *in) {
    uint32_t profile = below(in, program.profile_count), group = (uint32_t)take(in, 1) % MANY, how = (uint32_t)take(in, 1);
    if (!program.profile_count) return;
    uint32_t count = below(in, MANY), members[MANY], weights[MANY], watch[MANY];
    for (uint32_t i = 0; i < count; i++) {
        members[i] = (uint32_t)take(in, 1) % MANY;
        weights[i] = (uint32_t)take(in, how & 64 ? 4 : 1);
        watch[i] = how & 32 ? (uint32_t)take(in, 2) % PORTS : NO_PORT;
    }
    if (how % 8 == 0) device_group_remove(device, profile, group);
    else if (how % 8 < 3) device_group_add(device, profile);
    else device_group_set(device, profile, group, members, weights, watch, count);
}

static void change_value_set(struct input *in) {
    uint32_t set = below(in, program.value_set_count), count = below(in, MANY);
    if (!program.value_set_count) return;
    uint32_t n = program.value_sets[set].key_words;
    uint64_t keys[MANY * n], masks[MANY * n];
    for (uint32_t i = 0; i < count; i++) {
        words(in, keys + i * n, known_value_sets[set], n);
        words(in, masks + i * n, known_value_sets[set], n);
        for (uint32_t j = 0; j < n; j++) keys[i * n + j] &= masks[i * n + j];
    }
    device_value_set(device, set, keys, masks, count);
}

static void change_cell(struct input *in) {
    uint32_t index = (uint32_t)take(in, 1), which;
    uint64_t pair[2] = {take(in, 8), take(in, 8)};
    struct rates rates = {(double)take(in, 8), (double)take(in, 8), (double)take(in, 2), (double)take(in, 2)};
    switch (take(in, 1) % 3) {
    case 0:
        which = below(in, program.counter_count);
        if (program.counter_count) device_counter_set(device, which, index, pair), device_counter(device, which, index, pair);
        break;
    case 1:
        which = below(in, program.meter_count);
        if (program.meter_count) device_meter_set(device, which, index, index % 8 ? &rates : NULL);
        break;
    default:
        which = below(in, program.register_count);
        if (program.register_count) {
            uint32_t bytes = program.registers[which].bytes;
            uint8_t cell[bytes];
            for (uint32_t i = 0; i < bytes; i++) cell[i] = (uint8_t)take(in, 1) & known_registers[which][i];
            device_register_set(device, which, index, cell);
            device_register(device, which, index, cell);
        }
    }
}

static void change_replicas(struct input *in) {
    uint32_t ports[MANY], instances[MANY], how = (uint32_t)take(in, 1), count = below(in, MANY);
    for (uint32_t i = 0; i < count; i++) ports[i] = (uint32_t)take(in, 2) % PORTS, instances[i] = (uint32_t)take(in, 2);
    uint32_t id = (uint32_t)take(in, how & 2 ? 2 : 1);
    device_replicas(device, how & 1, id, ports, instances, count, how & 4 ? (uint32_t)take(in, 2) : 0);
}

static void change_port(struct input *in) {
    uint32_t port = (uint32_t)take(in, 1) % MANY;
    switch (take(in, 1) % 4) {
    case 0: device_port_remove(device, port); break;
    case 1: device_port_set_up(device, port, take(in, 1) % 2); break;
    default: device_port_add_rim(device, port, NULL, NULL, NULL);
    }
}

/* A frame that the kernel says is many in one. */
static void segment(struct input *in, const uint8_t *data, uint32_t length) {
    struct virtio_net_hdr v = {.flags = (uint8_t)take(in, 1), .gso_type = (uint8_t)take(in, 1) % 8};
    struct segments s;
    uint32_t wrote;
    v.gso_size = (uint16_t)take(in, 2), v.csum_start = (uint16_t)take(in, 2);
    if (segments_begin(&s, data, length, &v)) return;
    uint8_t *to = malloc(segments_longest(&s));
    while ((wrote = segments_next(&s, to)))
        if (wrote > segments_longest(&s)) abort();
    free(to);
}

/* A copy that ends where the packet does, so that reading on is seen. A length beyond the input repeats its last byte. */
static void packet(struct input *in, uint8_t *room) {
    uint32_t how = (uint32_t)take(in, 1), port = (uint32_t)take(in, how & 1 ? 2 : 1) % PORTS;
    uint32_t length = (uint32_t)take(in, how & 2 ? 2 : 1), left = (uint32_t)(in->end - in->at), real = length < left ? length : left;
    if (!(how & 4)) length = real;
    uint8_t *data = malloc(length + !length);
    memcpy(data, in->at, real);
    memset(data + real, real ? in->at[real - 1] : 0, length - real);
    in->at += real;
    switch (how >> 3 & 7) {
    case 5: segment(in, data, length); break;
    case 6: device_port_receive(device, port % MANY, data, length); break;
    case 7: device_packet_out(device, data, length); break;
    default: if (device_inject(device, port, data, length, room, ROOM) < 0) abort();
    }
    free(data);
}

static void hear(struct input *in, uint8_t *room) {
    switch (take(in, 1) % 3) {
    case 0: read_rows(in); break;
    case 1: device_events(device, room, ROOM, 0); break;
    default: device_frames(device, room, ROOM, 0);
    }
}

static void install_entries(void) {
    for (uint32_t i = 0; i < sizeof known_entries / sizeof *known_entries - 1; i++) {
        const struct known_entry *e = &known_entries[i];
        device_table_add(device, e->table, e->priority, e->action, e->row);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t room[ROOM];
    struct input in = {data, data + size};
    device = device_new(510);
    if (!device) abort();
    device->memory.context.random = 1;
    memset(asked_for, 0, sizeof asked_for);
    install_entries();
    while (in.at < in.end) switch (take(&in, 1) % 16) {
        case 0: change_entry(&in); break;
        case 1: change_default(&in); break;
        case 2: change_member(&in); break;
        case 3: change_group(&in); break;
        case 4: change_value_set(&in); break;
        case 5: change_cell(&in); break;
        case 6: change_replicas(&in); break;
        case 7: change_port(&in); break;
        case 8: hear(&in, room); break;
        case 9: case 10: case 11: add_entry(&in); break;
        default: packet(&in, room);
        }
    device_free(device);
    return 0;
}
