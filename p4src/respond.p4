/* Stage 8: a response passing by. Its source goes back as the destination of its request came: the site's router gives it the
 * site's address, the client's router the anycast address; either believes it only from whom its cookie names. Both learn the load
 * that it tells; the client's router, whose clock stamped the request, the response time too. */

#ifndef CFN_RESPOND
#define CFN_RESPOND

#include "headers.p4"
#include "ids.p4"
#include "loads.p4"
#include "metadata.p4"
#include "sizes.p4"

/* What the controller is told of a member, at most once every REPORT_INTERVAL_US by each router. */
struct member_report {
    site_t     site;
    instance_t instance;       /* of a site at this router; 0 where the site is remote */
    bit<8>     is_remote;
    bit<8>     load;
    bit<16>    queue;
    bit<32>    response_us;    /* a running median, as this router sees it */
}

const bit<32> REPORT_INTERVAL_US = 100000;
/* A longer response time is taken for another router's clock: the client moved while it waited. */
const bit<32> LONGEST_RESPONSE_US = 1 << 24;

control Verify(in headers_t hdr, inout metadata_t meta) {
    action is_verified() {
        meta.verified = 1;
    }

    action is_unverified() {
        meta.outcome = Outcome.RESPONSE_UNVERIFIED;
    }

    /* The last words of an instance that is gone are true, but there is nothing to learn: neither. */
    apply {
        if (meta.outcome == Outcome.BOUND_BY_COOKIE
            && ((meta.is_ipv6 == 1 && hdr.ipv6.src_addr == meta.bound.ipv6)
                || (meta.is_ipv6 == 0 && hdr.ipv4.src_addr == meta.bound.ipv4))) {
            is_verified();
        } else if (meta.outcome != Outcome.REBOUND_DEAD) {
            is_unverified();
        }
    }
}

control Respond(inout headers_t hdr, inout metadata_t meta) {
    bit<32> now = meta.now[31:0];
    bit<32> slot = (bit<32>)meta.bound.slot;
    bit<64> response = 0;
    bit<32> sample = 0;
    bit<32> median = 0;
    bit<32> reported = 0;

    /* Where the router was told no address of the family, the source stays. */
    action set_source(ipv4_t ipv4, ipv6_t ipv6) {
        if (meta.is_ipv6 == 1 && ipv6 != 0) {
            hdr.ipv6.src_addr = ipv6;
        } else if (meta.is_ipv6 == 0 && ipv4 != 0) {
            hdr.ipv4.src_addr = ipv4;
        }
    }

    action restore() {
        set_source(meta.anycast_ipv4, meta.anycast_ipv6);
        meta.outcome = Outcome.RESPONDED;
    }

    action relay() {
        set_source(meta.home_ipv4, meta.home_ipv6);
        meta.outcome = Outcome.RESPONSE_RELAYED;
    }

    action pass_on() {
        meta.outcome = Outcome.RESPONSE_PASSED;
    }

    apply {
        if (meta.at_edge == 0 && meta.is_home == 0) {
            pass_on();
            return;
        }
        if (meta.verified == 1 && hdr.cfn.kind == Kind.RESPONSE) {    /* a NACK has a code where the load would be */
            member_load.write(slot, now ++ hdr.cfn.queue ++ hdr.cfn.load ++ 8w0);
            if (meta.is_home == 1) {
                member_load.write((bit<32>)meta.home_slot, now ++ hdr.cfn.queue ++ hdr.cfn.load ++ 8w0);
            }
            if (meta.at_edge == 1) {
                member_response.read(response, slot);
                reported = response[63:32];
                median = response[31:0];
                sample = now - hdr.cfn.timestamp;
                if (hdr.cfn.timestamp != 0 && sample < LONGEST_RESPONSE_US) {
                    if (median == 0 || now - reported >= LOAD_EXPIRY_US) {    /* the first, or the first after long */
                        median = sample;
                    } else if (median < sample) {
                        median = median + (median >> 4) + 1;
                    } else {
                        median = median - (median >> 4);
                    }
                }
                if (now - reported >= REPORT_INTERVAL_US) {
                    reported = now;
                    digest<member_report>(1, { meta.bound.site, meta.bound.is_remote == 1 ? 0 : meta.bound.instance,
                                               7w0 ++ meta.bound.is_remote, hdr.cfn.load, hdr.cfn.queue, median });
                }
                member_response.write(slot, reported ++ median);
            }
        }
        if (meta.outcome != Outcome.RESPONSE_UNVERIFIED) {
            if (meta.at_edge == 1) {
                restore();
            } else {
                relay();
            }
        }
    }
}

#endif
