/* The control path's side of tables and profiles. Functions return 0 or a handle, or a negative errno. */
#ifndef CONTROL_H
#define CONTROL_H

#include "platform.h"

enum { PORTS = 512 };
enum { LINE = 64 }; /* bytes that a processor caches together */

void *reserve(size_t bytes);
void release(void *p, size_t bytes);

int table_init(struct table *t, const struct table_shape *shape);
void table_free(struct table *t);
int64_t table_add(struct table *t, const uint64_t *key, const uint64_t *mask, const uint64_t *ranges, int32_t priority,
                  uint32_t action, const uint64_t *data);
/* The entry that matches the same packets with the same priority, or 0. */
uint32_t table_find(const struct table *t, const uint64_t *key, const uint64_t *mask, const uint64_t *ranges, int32_t priority);
/* Copy entries in the order of their handles, from one on; `counts` where the table has none are zero. */
uint32_t table_rows(const struct table *t, uint32_t from, uint32_t count, uint64_t *rows);
int table_change(struct table *t, uint32_t entry, uint32_t action, const uint64_t *data);
int table_remove(struct table *t, uint32_t entry);
void table_clear(struct table *t);
uint32_t table_count(const struct table *t);
int table_holds(const struct table *t, uint32_t entry);
/* The words of an entry's key and then of its mask. */
const uint64_t *table_key(const struct table *t, uint32_t entry);
/* The member or group that an indirect table's record points at. */
uint64_t table_handle(const struct table *t, const struct record *r);
void table_set_fallback(struct table *t, uint32_t action, const uint64_t *data);
void table_reset_fallback(struct table *t);
/* Report the entry when no packet hit it for `timeout` µs. */
int table_watch(struct table *t, uint32_t entry, uint64_t timeout, uint64_t now);
/* Entries whose timeout passed; each is told once a timeout. */
uint32_t table_expired(struct table *t, uint64_t now, uint32_t *entries, uint32_t room);

int profile_init(struct profile *p, const struct profile_shape *shape);
void profile_free(struct profile *p);
int profile_has_member(const struct profile *p, uint64_t member);
int profile_has_group(const struct profile *p, uint64_t group);
void profile_use(struct profile *p, uint32_t action, uint64_t handle, int by);
void profile_links(struct profile *p, const uint8_t *port_up);
int64_t member_add(struct profile *p, uint32_t action, const uint64_t *data);
int member_change(struct profile *p, uint32_t member, uint32_t action, const uint64_t *data);
int member_remove(struct profile *p, uint32_t member);
int64_t group_add(struct profile *p);
int group_set(struct profile *p, uint32_t group, const uint32_t *members, const uint32_t *weights, const uint32_t *watch,
              uint32_t count, const uint8_t *port_up);
int group_remove(struct profile *p, uint32_t group);

#endif
