/* A CFN router for v1model.
 *
 *  packet ──► parser ──► emit (the controller's), neighbour (ARP, ND) ──► classify
 *               ▲                                                            │
 *               │        ┌─────────────────────────┬─────────────────┬───────┴───────────┐
 *               │     request               response, NACK     anything else      to this router
 *               │        │                         │                 │                   │
 *               │      admit                   affinity              │         echo, probe, end_segment ─► again
 *               │  auth, contract (ingress)      alive               │                   │
 *               │      demand                 verification           │                   │
 *               │     affinity                   chain ─► again      │                   │
 *               │  holder, recall_flow             │                 │                   │
 *               │      alive                       │                 │                   │
 *               │  service, prefer, choose         │                 │                   │
 *               │   remember_flow                  │                 │                   │
 *               │  bind, usage, encapsulate        │                 │                   │
 *               │        └───────────┬─────────────┴─────────────────┘                   │
 *               │                  route, send_ahead (a copy) ─► again                   │
 *               │                    │                                                   │
 *               │      respond, nack (refused), tell (ICMP)                              │
 *               │                    ├───────────────────────────────────────────────────┘
 *               │                 outcome
 *               │                    │
 *               └── again ── egress: make_prefetch, trace, stamp_probe, checksum ──► deparser
 */

#include <core.p4>
#include <v1model.p4>

#include "headers.p4"
#include "metadata.p4"
#include "parser.p4"
#include "neighbour.p4"
#include "classify.p4"
#include "admit.p4"
#include "auth.p4"
#include "contract.p4"
#include "demand.p4"
#include "affinity.p4"
#include "alive.p4"
#include "service.p4"
#include "locality.p4"
#include "flows.p4"
#include "choose.p4"
#include "bind.p4"
#include "own.p4"
#include "icmp.p4"
#include "segments.p4"
#include "trace.p4"
#include "probe.p4"
#include "emit.p4"
#include "chain.p4"
#include "route.p4"
#include "respond.p4"
#include "nack.p4"
#include "bare.p4"
#include "outcome.p4"
#include "checksum.p4"

control CfnIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    Neighbour() neighbour;
    Classify() classify;
    Anycast() anycast;
    Own() own;
    Echo() echo;
    Emit() emit;
    Probe() probe;
    Encapsulate() encapsulate;
    EndSegment() end_segment;
    Tell() tell;
    Affinity() affinity;
    Alive() alive;
    Admit() admit;
    Auth() auth;
    Contract() contract;
    Usage() usage;
    Demand() demand;
    Holder() holder;
    RecallFlow() recall_flow;
    RememberFlow() remember_flow;
    Service() service;
    Prefer() prefer;
    SendAhead() send_ahead;
    Choose() choose;
    Bind() bind;
    Verify() verification;
    Chain() chain;
    Route() route;
    Respond() respond;
    Nack() nack;
    Bare() bare;
    CountOutcome() count_outcome;

    apply {
        if (meta.again == Again.NO) {
            meta.port = std.ingress_port;
            meta.now = std.ingress_global_timestamp;
        }
        meta.before.dst = meta.dst;
        meta.path = Path.DROP;
        if (hdr.packet_out.isValid()) {
            emit.apply(hdr, meta, std);
        } else {
            neighbour.apply(hdr, meta, std);
        }
        if (meta.path == Path.DROP) {
            classify.apply(hdr, meta, std);
        }
        if (meta.path == Path.RESPOND || meta.scope != 0) {
            anycast.apply(meta);
        }
        if (meta.path == Path.ECHO) {
            echo.apply(hdr, meta, std);
        }
        if (meta.path == Path.SEGMENT) {
            end_segment.apply(hdr, meta, std);
        }
        if (meta.path == Path.PROBE) {
            probe.apply(hdr, meta, std);
        }
        if (meta.path == Path.STEER) {
            admit.apply(hdr, meta);
        }
        if (meta.path == Path.STEER && meta.scope == 0) {
            if (meta.again != Again.CHAINED) {
                auth.apply(hdr, meta);
            }
            if (meta.path == Path.STEER) {
                contract.apply(hdr, meta);
            }
        }
        if (meta.path == Path.STEER) {
            demand.apply(hdr, meta);
        }
        if (meta.path == Path.STEER || meta.path == Path.RESPOND) {
            affinity.apply(hdr, meta);
        }
        if (meta.path == Path.STEER && meta.scope == 0 && hdr.cfn.data_in != 0) {
            holder.apply(hdr, meta);
        }
        if (meta.path == Path.STEER && meta.flow_s != 0 && hdr.cfn.cookie == 0 && hdr.cfn.cookie_tag == 0) {
            recall_flow.apply(hdr, meta);
        }
        if (meta.outcome == Outcome.BOUND_BY_COOKIE || meta.outcome == Outcome.BOUND_BY_FLOW) {
            alive.apply(hdr, meta);
        }
        if (meta.path == Path.STEER && meta.bound.chosen == 0) {
            service.apply(hdr, meta);
            if (meta.path == Path.STEER && meta.wanted != 0) {
                prefer.apply(meta);
            }
            if (meta.path == Path.STEER && meta.bound.chosen == 0) {
                choose.apply(hdr, meta);
            }
        }
        if (meta.path == Path.STEER && meta.flow_s != 0 && hdr.cfn.cookie == 0 && hdr.cfn.cookie_tag == 0) {
            remember_flow.apply(meta);
        }
        if (meta.path == Path.STEER) {
            bind.apply(hdr, meta);
            if (meta.scope == 0) {
                usage.apply(hdr, meta);
            }
            if (meta.bound.is_remote == 1) {
                encapsulate.apply(hdr, meta);
            }
        }
        if (meta.path == Path.RESPOND) {
            verification.apply(hdr, meta);
            if (meta.is_home == 1 && meta.verified == 1 && hdr.cfn.kind == Kind.RESPONSE && hdr.chain.isValid()
                && hdr.chain.left != 0) {
                chain.apply(hdr, meta, std);
            }
        }
        if (meta.path == Path.STEER || meta.path == Path.RESPOND || meta.path == Path.ROUTE) {
            route.apply(hdr, meta, std);
        }
        if (meta.path == Path.STEER && meta.holder != 0 && meta.holder != meta.bound.site) {
            send_ahead.apply(meta);
        }
        if (meta.path == Path.TELL || meta.traced == 1) {
            own.apply(meta);
        }
        if (meta.path == Path.RESPOND) {
            respond.apply(hdr, meta);
        } else if (meta.path == Path.ROUTE) {
            meta.outcome = meta.again == Again.PREFETCH ? Outcome.PREFETCHED : Outcome.ROUTED;
        } else if (meta.path == Path.REFUSE) {
            nack.apply(hdr, meta, std);
        } else if (meta.path == Path.TELL) {
            tell.apply(hdr, meta, std);
        }
        if (meta.path == Path.DROP) {
            mark_to_drop(std);
        } else if (meta.again == Again.PREFETCH || (meta.again == Again.REFUSED && meta.path != Path.AGAIN)) {
            bare.apply(meta);
        }
        count_outcome.apply(meta);
    }
}

control CfnEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    MakePrefetch() make_prefetch;
    Trace() trace;
    StampProbe() stamp_probe;
    Checksum() checksum;

    apply {
        if (std.instance_type == INGRESS_CLONE) {
            make_prefetch.apply(hdr, meta);
        } else if (meta.traced == 1 && hdr.trace.isValid() && meta.path != Path.AGAIN) {
            trace.apply(hdr, meta, std);
        }
        if (meta.path == Path.REFLECT || (meta.path == Path.EMIT && hdr.cfn.isValid())) {
            stamp_probe.apply(hdr, meta, std);
        }
        checksum.apply(hdr, meta);
        if (meta.path == Path.AGAIN) {
            recirculate_preserving_field_list(FIELDS_AGAIN);
        }
    }
}

control CfnComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

@pkginfo(name = "cfn.p4", version = "0.4.0", organization = "Compute First Networking")
V1Switch(CfnParser(), CfnVerifyChecksum(), CfnIngress(), CfnEgress(), CfnComputeChecksum(), CfnDeparser()) main;
