/* A CFN router for v1model.
 *
 *  packet ─► parser ─► neighbour ─► classify ─┬─ request for the anycast address ─────────────┐
 *                          │                  ├─ response, NACK of an instance ──► affinity   │
 *                          │ ARP, ND          └─ anything else                          │     │
 *                          │                                 │                          │     ▼
 *                          │                                 │                          │   admit ──► demand ──► affinity
 *                          │                                 │                          │                          │
 *                          │                                 │                          │     bind ◄── service ◄───┤
 *                          │                                 │                          │      ▲    (no true cookie)│
 *                          │                                 │                          │      └───────────────────┘
 *                          │                                 ▼                          ▼      │
 *                          │                               route ◄──────────────────────┴──────┘
 *                          │                                 │
 *                          │                                 ├─ a response that leaves for its client ─► respond
 *                          ▼                                 ▼                                             │
 *                       outcome ◄──────────── nack ◄─────────┴─────────────────────────────────────────────┘
 *                          │            (what was refused)
 *                          ▼
 *                  egress: checksum ─► deparser
 */

#include <core.p4>
#include <v1model.p4>

#include "headers.p4"
#include "parser.p4"
#include "neighbour.p4"
#include "classify.p4"
#include "admit.p4"
#include "demand.p4"
#include "affinity.p4"
#include "service.p4"
#include "bind.p4"
#include "route.p4"
#include "respond.p4"
#include "nack.p4"
#include "outcome.p4"
#include "checksum.p4"

control CfnIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    Neighbour() neighbour;
    Classify() classify;
    Admit() admit;
    Demand() demand;
    Affinity() affinity;
    Service() service;
    Bind() bind;
    Route() route;
    Respond() respond;
    Nack() nack;
    CountOutcome() count_outcome;

    apply {
        meta.before.dst = meta.dst;
        meta.path = Path.DROP;
        neighbour.apply(hdr, meta, std);
        if (meta.path != Path.ANSWERED) {
            classify.apply(hdr, meta, std);
        }
        if (meta.path == Path.STEER) {
            admit.apply(hdr, meta);
        }
        if (meta.path == Path.STEER) {
            demand.apply(hdr, meta);
        }
        if (meta.path == Path.STEER || meta.path == Path.RESPOND) {
            affinity.apply(hdr, meta);
        }
        if (meta.path == Path.STEER && meta.bound.chosen == 0) {
            service.apply(hdr, meta);
        }
        if (meta.path == Path.STEER) {
            bind.apply(hdr, meta, std);
        }
        if (meta.path == Path.STEER || meta.path == Path.RESPOND || meta.path == Path.ROUTE) {
            route.apply(hdr, meta, std);
        }
        if (meta.path == Path.RESPOND) {
            if (meta.at_edge == 1) {
                respond.apply(hdr, meta, std);
            } else {
                meta.outcome = Outcome.RESPONSE_PASSED;
            }
        } else if (meta.path == Path.ROUTE) {
            meta.outcome = Outcome.ROUTED;
        } else if (meta.path == Path.REFUSE) {
            nack.apply(hdr, meta, std);
        } else if (meta.path == Path.DROP) {
            mark_to_drop(std);
        }
        count_outcome.apply(meta);
    }
}

control CfnEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    Checksum() checksum;

    apply {
        checksum.apply(hdr, meta);
    }
}

control CfnComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

@pkginfo(name = "cfn.p4", version = "0.1.0", organization = "Compute First Networking")
V1Switch(CfnParser(), CfnVerifyChecksum(), CfnIngress(), CfnEgress(), CfnComputeChecksum(), CfnDeparser()) main;
