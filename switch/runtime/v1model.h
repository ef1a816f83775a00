/* The v1model architecture as simple_switch has it (targets/simple_switch/simple_switch.cpp of behavioral-model):
 * parser, ingress, clones, multicast, egress, deparser, resubmit and recirculate.
 *
 * Included after the generated controls, which give `struct phv`, parse(), far_tables(), prefetch(), ingress(), egress(), deparse(), preserve(),
 * send_digest(), GET_/SET_ of the standard metadata, and as macros what the program may do with packets: CLONES_IN_INGRESS,
 * CLONES_IN_EGRESS, MULTICASTS, RESUBMITS, RECIRCULATES, DIGESTS.
 *
 * The usual way of a packet is one function, so that the compiler may hold most of `struct phv` in registers: whatever needs its
 * address works on a copy. Copies of packets run to their end one after the other, so that no queue is needed; `budget` and
 * `depth` end those of a program that copies without end. */
#ifndef V1MODEL_H
#define V1MODEL_H

#define COPIES_PACKETS (CLONES_IN_INGRESS || CLONES_IN_EGRESS || MULTICASTS)
#define COMES_BACK (RESUBMITS || RECIRCULATES)
#define RUNS_AGAIN (COPIES_PACKETS || COMES_BACK)
#define RARE static __attribute__((noinline, cold))

enum { NORMAL, INGRESS_CLONE, EGRESS_CLONE, COALESCED, RECIRCULATED, REPLICATION, RESUBMITTED };

enum { AHEAD = 12 }; /* packets */

INLINE void run_egress(struct context *c, struct phv *h, const struct packet *p, uint32_t port, uint32_t depth);
RARE void come_back(struct context *c, const struct packet *p, uint32_t type, struct phv from, uint32_t list, uint32_t depth);

static inline void end(struct context *c, enum reason why) {
    TRACE(ENDED, why);
    c->ended[why]++;
}

static inline int spend(struct context *c, uint32_t depth) {
    if (!RUNS_AGAIN) return 1;
    if (c->budget > 0 && depth < RECURSION) return c->budget--, 1;
    end(c, LOST_TO_LOOP);
    return 0;
}

static inline uint32_t cut_to(uint32_t cut, uint32_t length) { /* 0: no cut; else length + 1 */
    return cut && cut <= length ? cut : length + 1;
}

#if COPIES_PACKETS
RARE void run_copy(struct context *c, struct phv h, const struct packet *p, uint32_t port, uint32_t depth) {
    run_egress(c, &h, p, port, depth);
}

RARE void replicate(struct context *c, struct phv h, const struct packet *p, const struct replicas *to, uint32_t depth) {
    clear_marks(&h);
    h.cut = to->truncate ? to->truncate + 1 : 0;
    for (uint32_t i = 0; i < to->count; i++) {
        SET_egress_rid(&h, to->list[i].instance);
        TRACE(COPY, to->list[i].port, to->list[i].instance);
        run_copy(c, h, p, to->list[i].port, depth + 1);
        TRACE(COPIED, 0);
    }
}
#endif

#if CLONES_IN_INGRESS
RARE void clone_ingress(struct context *c, struct phv h, const struct packet *p, uint32_t depth) {
    const struct replicas *to = &c->state->sessions[h.clone_session & (SESSION_VALID - 1)];
    TRACE(CLONE_INGRESS, h.clone_session & (SESSION_VALID - 1), to->count, to->truncate);
    if (!to->count) return;
    struct phv copy = {0};
    SET_ingress_port(&copy, p->port);
    copy.length = copy.arrived = p->length;
    TRACE_QUIET(1);
    parse(&copy, c, p);
    TRACE_QUIET(-1);
    clear_metadata(&copy);
    preserve(h.clone_list, &copy, &h);
    SET_instance_type(&copy, INGRESS_CLONE);
    replicate(c, copy, p, to, depth);
}
#endif

#if MULTICASTS
RARE void multicast(struct context *c, struct phv h, const struct packet *p, uint32_t depth) {
    const struct replicas *to = &c->state->multicast[GET_mcast_grp(&h) & 0xffff];
    SET_instance_type(&h, REPLICATION);
    TRACE(MULTICAST, GET_mcast_grp(&h) & 0xffff, to->count);
    replicate(c, h, p, to, depth);
}
#endif

/* A packet at the start of ingress; `h` is all 0 but for what was preserved of an earlier pass. */
INLINE void enter(struct context *c, struct phv *h, const struct packet *p, uint32_t type) {
    (void)type;
    SET_instance_type(h, type);
    SET_packet_length(h, p->length);
    h->length = h->arrived = p->length;
    TRACE_BYTES(INGRESS, type, p->data, p->length);
    TRACE_START(h);
    parse(h, c, p);
    SET_parser_error(h, h->error);
    SET_checksum_error(h, h->checksum_error);
    TRACE(PARSED, h->error, h->checksum_error, h->payload_length);
}

INLINE void arrive(struct context *c, struct phv *h, const struct packet *p) {
    SET_ingress_port(h, p->port);
    SET_ingress_global_timestamp(h, c->now);
    enter(c, h, p, NORMAL);
}

INLINE void run(struct context *c, struct phv *h, const struct packet *p, uint32_t depth) {
    ingress(h, c);
    h->exit = 0;
    if (h->failed) {
        end(c, LOST_TO_CHECK);
        return;
    }
#if CLONES_IN_INGRESS
    if (h->clone_session) {
        clone_ingress(c, *h, p, depth);
        h->clone_session = h->clone_list = 0;
    }
#endif
#if DIGESTS
    if (h->digest) send_digest(c, *h);
#endif
#if RESUBMITS
    if (h->resubmit) {
        come_back(c, p, RESUBMITTED, *h, h->resubmit, depth + 1);
        return;
    }
#endif
#if MULTICASTS
    if (GET_mcast_grp(h)) {
        multicast(c, *h, p, depth);
        return;
    }
#endif
    if (GET_egress_spec(h) == DROP_PORT) {
        end(c, DROPPED_BY_PROGRAM);
    } else {
        SET_instance_type(h, NORMAL);
        run_egress(c, h, p, (uint32_t)GET_egress_spec(h), depth);
    }
}

#if COMES_BACK
RARE void come_back(struct context *c, const struct packet *p, uint32_t type, struct phv from, uint32_t list, uint32_t depth) {
    struct phv h = {0};
    if (!spend(c, depth)) return;
    preserve(list, &h, &from);
    enter(c, &h, p, type);
    run(c, &h, p, depth);
}
#endif

#if RECIRCULATES
RARE void recirculate(struct context *c, struct phv h, const struct packet *p, uint32_t headers, uint32_t depth) {
    struct packet again = {platform_keep(c, headers, h.payload, h.payload_length), headers + h.payload_length, p->port};
    if (again.data) come_back(c, &again, RECIRCULATED, h, h.recirculate, depth + 1);
    else end(c, LOST_TO_LOOP);
}
#endif

INLINE void leave(struct context *c, struct phv *h, const struct packet *p, uint32_t port, uint32_t depth) {
    struct outgoing *o = platform_next(c);
    uint32_t payload = h->payload_length, headers = deparse(h, c, o->room);
    (void)p, (void)depth, (void)payload;
    TRACE(DEPARSED, 0, headers + h->payload_length - payload, payload);
#if RECIRCULATES
    if (h->recirculate) {
        recirculate(c, *h, p, headers, depth);
        return;
    }
#endif
    uint32_t total = cut_to(h->cut, headers + h->payload_length) - 1;
    if (total < headers) platform_send(c, o, port, total, h->payload, 0);
    else platform_send(c, o, port, headers, h->payload, total - headers);
}

#if CLONES_IN_EGRESS
RARE void leave_and_clone(struct context *c, struct phv h, const struct packet *p, uint32_t port, uint32_t depth) {
    const struct replicas *to = &c->state->sessions[h.clone_session & (SESSION_VALID - 1)];
    struct phv copy = h;
    clear_metadata(&copy);
    preserve(h.clone_list, &copy, &h);
    SET_instance_type(&copy, EGRESS_CLONE);
    if (GET_egress_spec(&h) == DROP_PORT) end(c, DROPPED_BY_PROGRAM);
    else leave(c, &h, p, port, depth);
    TRACE(CLONE_EGRESS, h.clone_session & (SESSION_VALID - 1), to->count, to->truncate);
    replicate(c, copy, p, to, depth);
}
#endif

INLINE void run_egress(struct context *c, struct phv *h, const struct packet *p, uint32_t port, uint32_t depth) {
    if (!spend(c, depth)) return;
    SET_egress_global_timestamp(h, c->now);
    SET_enq_timestamp(h, c->now);
    SET_enq_qdepth(h, 0);
    SET_deq_timedelta(h, 0);
    SET_deq_qdepth(h, 0);
    SET_egress_port(h, port);
    SET_egress_spec(h, 0);
    SET_packet_length(h, h->length);
    TRACE(EGRESS, port);
    TRACE_START(h);
    egress(h, c);
    if (h->failed) {
        end(c, LOST_TO_CHECK);
        return;
    }
#if CLONES_IN_EGRESS
    if (h->clone_session) {
        leave_and_clone(c, *h, p, port, depth);
        return;
    }
#endif
    if (GET_egress_spec(h) == DROP_PORT) end(c, DROPPED_BY_PROGRAM);
    else leave(c, h, p, port, depth);
}

/* Ask for the entries of far tables, of which there are some, that a packet is likely to need. */
INLINE void look(struct context *c, const struct packet *p, uint64_t far) {
    struct phv h = {0};
    if (!far) __builtin_unreachable();
    parse(&h, c, p);
    prefetch(c, &h, far);
}

/* Where tables are large, a packet is looked at well before it is run, so that entries come from memory meanwhile. */
static void receive(struct context *c, const struct packet *packets, uint32_t count) {
#ifdef TRACING
    const uint64_t far = 0;
#else
    const uint64_t far = far_tables(c);
#endif
    const struct packet *const end = packets + count, *ahead = far ? packets : end;
    while (ahead < end && ahead < packets + AHEAD) look(c, ahead++, far);
    for (const struct packet *p = packets; p < end; p++) {
        struct phv h = {0};
        if (ahead < end) look(c, ahead++, far);
        if (RUNS_AGAIN) c->budget = COPIES - 1;
        arrive(c, &h, p);
        run(c, &h, p, 0);
    }
}

#endif
