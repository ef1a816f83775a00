/* Hooks through which a packet tells its way. They are nothing unless compiled with -DTRACING: that makes a second
 * program with the same structures, which runs one packet on the state of the first (device_explain) and then puts
 * back all it wrote there.
 *
 * TRACE(KIND, id, words...) tells something; TRACE_KEEP(p, size) stands before each write to lasting state. */
#ifndef TRACE_H
#define TRACE_H

#ifndef TRACING

#define TRACE(...) ((void)0)
#define TRACE_BYTES(...) ((void)0)
#define TRACE_PARTS(...) ((void)0)
#define TRACE_CELL(...) ((void)0)
#define TRACE_KEEP(...) ((void)0)
#define TRACE_QUIET(...) ((void)0)
#define TRACE_LOOKUP(...) ((void)0)
#define TRACE_ACTION(...) ((void)0)
#define TRACE_START(...) ((void)0)
#define TRACE_FIELDS(...) ((void)0)
#define TRACE_IF(id, condition) (condition)
#define UNTRACED(statement) statement
#define OWN(control) struct control##_own own_ = {}, *const own = &own_
#define OWN_MEMBER(control)

#else

#include <stddef.h>
#include <stdint.h>

#include "trace_kind.h"

struct table;
struct record;

/* A field of a packet; `valid`: where its header's validity is, or NO_VALIDITY. */
struct trace_field { uint32_t offset, size, valid; };
enum { NO_VALIDITY = 0xffffffff };

void trace_put(enum trace_kind kind, uint32_t id, const void *a, size_t a_length, const void *b, size_t b_length);
void trace_keep(void *p, size_t size);
void trace_quiet(int by);
void trace_lookup(uint32_t id, const struct table *t, const uint64_t *key, unsigned key_words, const uint64_t *ranges,
                  unsigned range_words, const struct record *r);
/* Take a packet's fields as they are now; then tell which have changed since. */
void trace_start(const void *h, size_t size);
void trace_fields(const struct trace_field *fields, size_t count, const void *h, size_t size);

/* What is otherwise local to a control is part of the packet, where changes are seen. */
#define OWN(control) struct control##_own *const own = &h->control##_own
#define OWN_MEMBER(control) struct control##_own control##_own;

#define TRACE_WORDS_(...) (const uint64_t[]){__VA_ARGS__}
#define TRACE(kind, id, ...) \
    trace_put(TRACE_##kind, id, TRACE_WORDS_(0, ##__VA_ARGS__) + 1, sizeof TRACE_WORDS_(0, ##__VA_ARGS__) - 8, NULL, 0)
#define TRACE_BYTES(kind, id, p, length) trace_put(TRACE_##kind, id, p, length, NULL, 0)
#define TRACE_PARTS(kind, id, a, a_length, b, b_length) trace_put(TRACE_##kind, id, a, a_length, b, b_length)
#define TRACE_CELL(kind, id, index, p, size) trace_put(TRACE_##kind, id, TRACE_WORDS_(index), 8, p, size)
#define TRACE_KEEP(p, size) trace_keep(p, size)
#define TRACE_QUIET(by) trace_quiet(by)
#define TRACE_LOOKUP(...) trace_lookup(__VA_ARGS__)
#define TRACE_ACTION(table, action, member, a, words) \
    trace_put(TRACE_ACTION, table, TRACE_WORDS_(action, member), 16, a, 8 * (words))
#define TRACE_START(h) trace_start(h, sizeof *(h))
/* `phv_fields` is the generated list of a packet's fields. */
#define TRACE_FIELDS(h) trace_fields(phv_fields, sizeof phv_fields / sizeof *phv_fields, h, sizeof *(h))
#define TRACE_IF(id, condition) \
    ({ int taken_ = !!(condition); TRACE(CONDITION, id, (uint64_t)taken_); taken_; })
#define UNTRACED(statement) ((void)0)

#endif
#endif
