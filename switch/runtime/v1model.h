/* The v1model architecture as simple_switch has it (targets/simple_switch/simple_switch.cpp of behavioral-model):
 * parser, ingress, clones, multicast, egress, deparser, resubmit and recirculate.
 *
 * Included after the generated controls, which give `struct phv`, parse(), prefetch(), ingress(), egress(), deparse(), preserve(),
 * send_digest() and GET_/SET_ of the standard metadata. Copies run to their end one after the other, so that no queue is needed;
 * `budget` and `depth` end those of a program that copies without end. */
#ifndef V1MODEL_H
#define V1MODEL_H

enum { NORMAL, INGRESS_CLONE, EGRESS_CLONE, COALESCED, RECIRCULATED, REPLICATION, RESUBMITTED };

enum { STAGE = sizeof(struct phv) <= 1024 ? 16 : sizeof(struct phv) <= 4096 ? 4 : 1 };

static void run_ingress(struct context *c, const struct packet *p, uint32_t type, const struct phv *from, uint32_t list,
                        uint32_t depth);
static void run_egress(struct context *c, struct phv *h, const struct packet *p, uint32_t port, uint32_t depth);

static inline void end(struct context *c, enum reason why) {
    TRACE(ENDED, why);
    c->ended[why]++;
}

static inline int spend(struct context *c, uint32_t depth) {
    if (c->budget > 0 && depth < RECURSION) return c->budget--, 1;
    end(c, LOST_TO_LOOP);
    return 0;
}

static inline uint32_t cut_to(uint32_t cut, uint32_t length) { /* 0: no cut; else length + 1 */
    return cut && cut <= length ? cut : length + 1;
}

static __attribute__((noinline)) void replicate(struct context *c, const struct phv *h, const struct packet *p,
                                                const struct replicas *to, uint32_t depth) {
    struct phv copy;
    for (uint32_t i = 0; i < to->count; i++) {
        copy = *h;
        clear_marks(&copy);
        copy.cut = to->truncate ? to->truncate + 1 : 0;
        SET_egress_rid(&copy, to->list[i].instance);
        TRACE(COPY, to->list[i].port, to->list[i].instance);
        run_egress(c, &copy, p, to->list[i].port, depth + 1);
        TRACE(COPIED, 0);
    }
}

static __attribute__((noinline)) void clone_ingress(struct context *c, const struct phv *h, const struct packet *p,
                                                    uint32_t depth) {
    const struct replicas *to = &c->state->sessions[h->clone_session & (SESSION_VALID - 1)];
    TRACE(CLONE_INGRESS, h->clone_session & (SESSION_VALID - 1), to->count, to->truncate);
    if (!to->count) return;
    struct phv copy;
    memset(&copy, 0, sizeof copy);
    SET_ingress_port(&copy, p->port);
    copy.length = copy.arrived = p->length;
    TRACE_QUIET(1);
    parse(&copy, c, p);
    TRACE_QUIET(-1);
    clear_metadata(&copy);
    preserve(h->clone_list, &copy, h);
    SET_instance_type(&copy, INGRESS_CLONE);
    replicate(c, &copy, p, to, depth);
}

static __attribute__((noinline)) void multicast(struct context *c, struct phv *h, const struct packet *p, uint32_t depth) {
    const struct replicas *to = &c->state->multicast[GET_mcast_grp(h) & 0xffff];
    SET_instance_type(h, REPLICATION);
    TRACE(MULTICAST, GET_mcast_grp(h) & 0xffff, to->count);
    replicate(c, h, p, to, depth);
}

static inline void enter(struct context *c, struct phv *h, const struct packet *p, uint32_t type, const struct phv *from,
                         uint32_t list) {
    (void)type;
    memset(h, 0, sizeof *h);
    if (from) {
        preserve(list, h, from);
    } else {
        SET_ingress_port(h, p->port);
        SET_ingress_global_timestamp(h, c->now);
    }
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

static void run_parsed(struct context *c, struct phv *h, const struct packet *p, uint32_t depth) {
    ingress(h, c);
    h->exit = 0;
    if (h->failed) {
        end(c, LOST_TO_CHECK);
        return;
    }
    if (h->clone_session) {
        clone_ingress(c, h, p, depth);
        h->clone_session = h->clone_list = 0;
    }
    if (h->digest) send_digest(c, h);
    if (h->resubmit) {
        run_ingress(c, p, RESUBMITTED, h, h->resubmit, depth + 1);
    } else if (GET_mcast_grp(h)) {
        multicast(c, h, p, depth);
    } else if (GET_egress_spec(h) == DROP_PORT) {
        end(c, DROPPED_BY_PROGRAM);
    } else {
        SET_instance_type(h, NORMAL);
        run_egress(c, h, p, (uint32_t)GET_egress_spec(h), depth);
    }
}

static __attribute__((noinline)) void run_ingress(struct context *c, const struct packet *p, uint32_t type,
                                                  const struct phv *from, uint32_t list, uint32_t depth) {
    struct phv h;
    if (!spend(c, depth)) return;
    enter(c, &h, p, type, from, list);
    run_parsed(c, &h, p, depth);
}

static __attribute__((noinline)) void recirculate(struct context *c, const struct phv *h, const struct packet *p,
                                                  uint32_t headers, uint32_t depth) {
    struct packet again = {platform_keep(c, headers, h->payload, h->payload_length), headers + h->payload_length, p->port};
    if (again.data) run_ingress(c, &again, RECIRCULATED, h, h->recirculate, depth + 1);
    else end(c, LOST_TO_LOOP);
}

static inline void leave(struct context *c, struct phv *h, const struct packet *p, uint32_t port, uint32_t depth) {
    uint8_t *room = platform_room(c);
    uint32_t headers = deparse(h, c, room);
    TRACE(DEPARSED, 0, headers, h->payload_length);
    if (h->recirculate) {
        recirculate(c, h, p, headers, depth);
        return;
    }
    uint32_t total = cut_to(h->cut, headers + h->payload_length) - 1;
    if (total < headers) platform_send(c, port, total, h->payload, 0);
    else platform_send(c, port, headers, h->payload, total - headers);
}

#ifdef CLONES_IN_EGRESS
static __attribute__((noinline)) void leave_and_clone(struct context *c, struct phv *h, const struct packet *p, uint32_t port,
                                                      uint32_t depth) {
    const struct replicas *to = &c->state->sessions[h->clone_session & (SESSION_VALID - 1)];
    struct phv copy = *h;
    clear_metadata(&copy);
    preserve(h->clone_list, &copy, h);
    SET_instance_type(&copy, EGRESS_CLONE);
    if (GET_egress_spec(h) == DROP_PORT) end(c, DROPPED_BY_PROGRAM);
    else leave(c, h, p, port, depth);
    TRACE(CLONE_EGRESS, h->clone_session & (SESSION_VALID - 1), to->count, to->truncate);
    replicate(c, &copy, p, to, depth);
}
#endif

static void run_egress(struct context *c, struct phv *h, const struct packet *p, uint32_t port, uint32_t depth) {
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
#ifdef CLONES_IN_EGRESS
    if (h->clone_session) {
        leave_and_clone(c, h, p, port, depth);
        return;
    }
#endif
    if (GET_egress_spec(h) == DROP_PORT) end(c, DROPPED_BY_PROGRAM);
    else leave(c, h, p, port, depth);
}

/* Several packets are parsed before the first is run, so that entries of large tables come from memory meanwhile. */
static void receive(struct context *c, const struct packet *packets, uint32_t count) {
    struct phv parsed[STAGE];
    for (uint32_t at = 0; at < count; at += STAGE) {
        uint32_t n = count - at < STAGE ? count - at : STAGE;
        for (uint32_t i = 0; i < n; i++) {
            enter(c, &parsed[i], &packets[at + i], NORMAL, NULL, 0);
            prefetch(c, &parsed[i]);
        }
        for (uint32_t i = 0; i < n; i++) {
            c->budget = COPIES - 1;
            run_parsed(c, &parsed[i], &packets[at + i], 0);
        }
    }
}

#endif
