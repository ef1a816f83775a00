/* Stage 8: where a response leaves for its client, learn the instance's load and response time from it and give it
 * the anycast address as its source again. */

#ifndef CFN_RESPOND
#define CFN_RESPOND

#include "headers.p4"
#include "ids.p4"
#include "sizes.p4"

/* What the controller is told of an instance, at most once every REPORT_INTERVAL_US by each router. */
struct instance_report {
    site_t     site;
    instance_t instance;
    bit<8>     load;
    bit<16>    queue;
    bit<32>    response_us;    /* smoothed, as this router sees it */
}

const bit<32> REPORT_INTERVAL_US = 100000;
/* A longer response time is taken for another router's clock: the client moved while it waited. */
const bit<32> LONGEST_RESPONSE_US = 1 << 24;

control Respond(inout headers_t hdr, inout metadata_t meta, in standard_metadata_t std) {
    register<bit<8>>(INSTANCES) instance_load;
    register<bit<16>>(INSTANCES) instance_queue;
    register<bit<32>>(INSTANCES) instance_response_us;
    register<bit<32>>(INSTANCES) instance_reported_us;

    bit<1> from_instance = 0;
    bit<32> now = std.ingress_global_timestamp[31:0];
    bit<32> slot = (bit<32>)meta.bound.slot;
    bit<32> sample = 0;
    bit<32> smoothed = 0;
    bit<32> reported = 0;

    @id(ID_A_RESTORE)
    action restore(ipv4_t ipv4, ipv6_t ipv6) {
        if (meta.is_ipv6 == 1) {
            hdr.ipv6.src_addr = ipv6;
        } else {
            hdr.ipv4.src_addr = ipv4;
        }
    }

    @id(ID_T_ANYCAST_SOURCE)
    table anycast_source {
        actions = { restore; NoAction; }
        default_action = NoAction;
    }

    /* Not for the last words of an instance that is gone: they are true, but there is nothing to learn. */
    action is_from_instance() {
        from_instance = 1;
    }

    action is_unverified() {
        meta.outcome = Outcome.RESPONSE_UNVERIFIED;
    }

    action is_answer() {
        meta.outcome = Outcome.RESPONDED;
    }

    apply {
        if (meta.outcome == Outcome.BOUND_BY_COOKIE) {
            if ((meta.is_ipv6 == 1 && hdr.ipv6.src_addr == meta.bound.ipv6)
                || (meta.is_ipv6 == 0 && hdr.ipv4.src_addr == meta.bound.ipv4)) {
                is_from_instance();
            } else {
                is_unverified();
            }
        } else if (meta.outcome != Outcome.REBOUND_DEAD) {
            is_unverified();
        }
        if (from_instance == 1 && hdr.cfn.kind == Kind.RESPONSE) {    /* a NACK has a code where the load would be */
            instance_load.write(slot, hdr.cfn.load);
            instance_queue.write(slot, hdr.cfn.queue);

            sample = now - hdr.cfn.timestamp;
            instance_response_us.read(smoothed, slot);
            if (sample < LONGEST_RESPONSE_US) {
                smoothed = smoothed == 0 ? sample : smoothed - (smoothed >> 3) + (sample >> 3);
                instance_response_us.write(slot, smoothed);
            }

            instance_reported_us.read(reported, slot);
            if (now - reported >= REPORT_INTERVAL_US) {
                instance_reported_us.write(slot, now);
                digest<instance_report>(1, { meta.bound.site, meta.bound.instance, hdr.cfn.load, hdr.cfn.queue,
                                             smoothed });
            }
        }
        if (meta.outcome != Outcome.RESPONSE_UNVERIFIED) {
            anycast_source.apply();
            is_answer();
        }
    }
}

#endif
