/* Action profiles and selectors as the control path sees them. All functions run while no packet does. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>

enum { MIN_SLOTS = 1024, MAX_SLOTS = 1 << 16 };

struct group_bucket {
    uint32_t member, weight, watch_port; /* NO_PORT: none */
};

struct group_control {
    struct group_bucket *buckets;
    uint32_t bucket_count;
    uint32_t *owners;   /* member of each slot while all ports are up */
    void *members;      /* what packets see of them */
    uint32_t slots;     /* how many; stays, so that flows keep their slot */
};

struct profile_control {
    uint32_t size, data_words, member_high, group_high;
    uint32_t member_hint, group_hint; /* no handle below is free */
    uint32_t *member_users; /* entries and buckets that use a member; 0xffffffff: no such member */
    uint32_t *group_users;
};

#define ABSENT 0xffffffffu

static size_t members_bytes(const struct profile_control *k) {
    return (size_t)(k->size + 1) * (RECORD_WORDS + k->data_words) * 8;
}

int profile_init(struct profile *p, const struct profile_shape *shape) {
    struct profile_control *k = calloc(1, sizeof *k);
    if (!k) return -ENOMEM;
    p->control = k;
    k->size = shape->size; /* of members, and of groups */
    k->member_hint = k->group_hint = 1;
    k->data_words = shape->data_words;
    p->members = reserve(members_bytes(k));
    p->groups = reserve((size_t)(k->size + 1) * sizeof *p->groups);
    k->member_users = reserve((size_t)(k->size + 1) * 4);
    k->group_users = reserve((size_t)(k->size + 1) * 4);
    if (!p->members || !p->groups || !k->member_users || !k->group_users) return -ENOMEM;
    member_at(p, 0, k->data_words)->action = ACTION_NONE;
    return 0;
}

static void group_forget(struct group *g) {
    if (g->control) free(g->control->buckets), free(g->control->owners), free(g->control->members);
    free(g->control);
    memset(g, 0, sizeof *g);
}

void profile_free(struct profile *p) {
    struct profile_control *k = p->control;
    if (!k) return;
    for (uint32_t i = 1; i <= k->group_high; i++) group_forget(&p->groups[i]);
    release(p->members, members_bytes(k));
    release(p->groups, (size_t)(k->size + 1) * sizeof *p->groups);
    release(k->member_users, (size_t)(k->size + 1) * 4);
    release(k->group_users, (size_t)(k->size + 1) * 4);
    free(k);
}

int profile_has_member(const struct profile *p, uint64_t member) {
    return member >= 1 && member <= p->control->member_high && p->control->member_users[member] != ABSENT;
}

int profile_has_group(const struct profile *p, uint64_t group) {
    return group >= 1 && group <= p->control->group_high && p->control->group_users[group] != ABSENT;
}

static uint32_t lowest_free(uint32_t *users, uint32_t *high, uint32_t *hint, uint32_t size) {
    while (*hint <= *high && users[*hint] != ABSENT) ++*hint;
    if (*hint > size) return 0;
    if (*hint > *high) *high = *hint;
    users[*hint] = 0;
    return *hint;
}

static void give_back(uint32_t *users, uint32_t *hint, uint32_t handle) {
    users[handle] = ABSENT;
    if (handle < *hint) *hint = handle;
}

static void member_write(struct profile *p, uint32_t member, uint32_t action, const uint64_t *data) {
    uint32_t words = p->control->data_words;
    struct record *r = member_at(p, member, words);
    r->action = action;
    r->entry = member;
    memcpy(r->data, data, words * 8);
}

int64_t member_add(struct profile *p, uint32_t action, const uint64_t *data) {
    struct profile_control *k = p->control;
    uint32_t member = lowest_free(k->member_users, &k->member_high, &k->member_hint, k->size);
    if (!member) return -ENOSPC;
    member_write(p, member, action, data);
    return member;
}

int member_change(struct profile *p, uint32_t member, uint32_t action, const uint64_t *data) {
    if (!profile_has_member(p, member)) return -ENOENT;
    member_write(p, member, action, data);
    return 0;
}

int member_remove(struct profile *p, uint32_t member) {
    if (!profile_has_member(p, member)) return -ENOENT;
    if (p->control->member_users[member]) return -EBUSY;
    give_back(p->control->member_users, &p->control->member_hint, member);
    return 0;
}

/* An entry, or a default action, starts or stops pointing at a member or group. */
void profile_use(struct profile *p, uint32_t action, uint64_t handle, int by) {
    uint32_t *users = action == ACTION_GROUP ? p->control->group_users : p->control->member_users;
    users[handle] += (uint32_t)by;
}

static uint64_t total_weight(const struct group_bucket *buckets, uint32_t count) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) total += buckets[i].weight;
    return total;
}

/* Slots for each bucket in proportion to its weight, by largest remainder; a bucket with a weight gets at least one where there is room. */
static int quotas(const struct group_bucket *b, uint32_t count, uint32_t slots, uint32_t *quota) {
    uint64_t total = total_weight(b, count), *rest = malloc((count + 1) * sizeof *rest);
    uint32_t given = 0;
    if (!rest) return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t share = (uint64_t)b[i].weight * slots;
        quota[i] = (uint32_t)(share / total);
        rest[i] = share % total;
        given += quota[i];
    }
    for (; given < slots; given++) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < count; i++)
            if (rest[i] > rest[best]) best = i;
        quota[best]++;
        rest[best] = 0;
    }
    free(rest);
    return 0;
}

/* BMv2's order for a group's first shape: handles in number order, a member as often as it weighs, repeated.
 * So hash % slots chooses what hash % weight would, as PI does (group_selection.cpp). */
static void deal(const struct group_bucket *b, uint32_t count, uint32_t *owners, uint32_t slots) {
    for (uint32_t at = 0; at < slots;)
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < b[i].weight; k++) owners[at++] = b[i].member;
}

/* Give slots to the new weights and leave all where they are that may stay. */
static int redeal(const struct group_bucket *b, uint32_t count, uint32_t *owners, uint32_t slots) {
    uint32_t *quota = calloc(count + 1, sizeof *quota);
    if (!quota || quotas(b, count, slots, quota)) return free(quota), -ENOMEM;
    for (uint32_t s = 0; s < slots; s++) {
        uint32_t i = 0;
        while (i < count && (b[i].member != owners[s] || !quota[i])) i++;
        if (i < count) quota[i]--;
        else owners[s] = 0;
    }
    uint32_t next = 0;
    for (uint32_t s = 0; s < slots; s++) {
        if (owners[s]) continue;
        while (!quota[next]) next++;
        owners[s] = b[next].member;
        quota[next]--;
    }
    free(quota);
    return 0;
}

static int by_member(const void *a, const void *b) {
    uint32_t x = ((const struct group_bucket *)a)->member, y = ((const struct group_bucket *)b)->member;
    return x < y ? -1 : x > y;
}

static void group_show(struct group *g, const void *slots, uint32_t count) {
    uint64_t reciprocal = count & (count - 1) ? UINT64_MAX / count + 1 : 0;
    *g = (struct group){.reciprocal = reciprocal, .slot_count = count, .slots = slots, .control = g->control};
}

static void group_show_one(const struct profile *p, struct group *g, uint32_t member) {
    group_show(g, member_at(p, member, p->control->data_words), 1);
}

/* Slots of buckets whose port is down go to those that are up, in turn; without any up the group is empty. */
static int group_apply(const struct profile *p, struct group *g, const uint8_t *port_up) {
    struct group_control *k = g->control;
    uint32_t *up = malloc((k->bucket_count + 1) * sizeof *up), up_count = 0, next = 0;
    if (!up) return -ENOMEM;
    for (uint32_t i = 0; i < k->bucket_count; i++) {
        uint32_t port = k->buckets[i].watch_port;
        if (k->buckets[i].weight && (port >= PORTS || port_up[port])) up[up_count++] = k->buckets[i].member;
    }
    for (uint32_t s = 0; up_count && s < k->slots; s++) {
        uint32_t i = 0;
        while (i < up_count && up[i] != k->owners[s]) i++;
        uint32_t member = i < up_count ? k->owners[s] : up[next++ % up_count];
        if (slot_bytes(p->control->size) == 2) ((uint16_t *)k->members)[s] = (uint16_t)member;
        else ((uint32_t *)k->members)[s] = member;
    }
    if (up_count > 1) group_show(g, k->members, k->slots);
    else group_show_one(p, g, up_count ? up[0] : 0);
    free(up);
    return 0;
}

static int group_resize(const struct profile *p, struct group *g, uint64_t total) {
    uint32_t size = (uint32_t)(total * ((MIN_SLOTS + total - 1) / total));
    uint32_t *owners = calloc(size, 4);
    void *members = calloc(size, slot_bytes(p->control->size));
    if (!owners || !members) return free(owners), free(members), -ENOMEM;
    free(g->control->owners), free(g->control->members);
    g->control->owners = owners;
    g->control->members = members;
    g->control->slots = size;
    return 0;
}

int64_t group_add(struct profile *p) {
    struct profile_control *k = p->control;
    uint32_t group = lowest_free(k->group_users, &k->group_high, &k->group_hint, k->size);
    if (!group) return -ENOSPC;
    struct group *g = &p->groups[group];
    g->control = calloc(1, sizeof *g->control);
    group_show_one(p, g, 0);
    return g->control ? (int64_t)group : -ENOMEM;
}

static void count_users(struct profile *p, const struct group_control *k, int by) {
    for (uint32_t i = 0; i < k->bucket_count; i++) p->control->member_users[k->buckets[i].member] += (uint32_t)by;
}

int group_set(struct profile *p, uint32_t group, const uint32_t *members, const uint32_t *weights, const uint32_t *watch,
              uint32_t count, const uint8_t *port_up) {
    if (!profile_has_group(p, group)) return -ENOENT;
    for (uint32_t i = 0; i < count; i++)
        if (!profile_has_member(p, members[i])) return -EINVAL;
    struct group_bucket *buckets = calloc(count + 1, sizeof *buckets);
    if (!buckets) return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) buckets[i] = (struct group_bucket){members[i], weights[i], watch[i]};
    qsort(buckets, count, sizeof *buckets, by_member);
    uint64_t total = total_weight(buckets, count);
    struct group *g = &p->groups[group];
    struct group_control *k = g->control;
    int failed = total > MAX_SLOTS ? -E2BIG : 0;
    if (!failed && total > k->slots) {
        failed = group_resize(p, g, total);
        if (!failed) deal(buckets, count, k->owners, k->slots);
    } else if (!failed && total) {
        failed = redeal(buckets, count, k->owners, k->slots);
    }
    if (failed) return free(buckets), failed;
    count_users(p, k, -1);
    free(k->buckets);
    k->buckets = buckets;
    k->bucket_count = count;
    count_users(p, k, 1);
    return group_apply(p, g, port_up);
}

int group_remove(struct profile *p, uint32_t group) {
    if (!profile_has_group(p, group)) return -ENOENT;
    if (p->control->group_users[group]) return -EBUSY;
    count_users(p, p->groups[group].control, -1);
    group_forget(&p->groups[group]);
    give_back(p->control->group_users, &p->control->group_hint, group);
    return 0;
}

/* A port went up or down. */
void profile_links(struct profile *p, const uint8_t *port_up) {
    for (uint32_t i = 1; i <= p->control->group_high; i++)
        if (profile_has_group(p, i)) group_apply(p, &p->groups[i], port_up);
}
