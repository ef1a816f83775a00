/* Stage 4: a true cookie names the instance that serves this session, as long as the instance lives.
 * A request with a cookie that is forged, of an expired key, or of a dead instance is bound anew. */

#ifndef CFN_AFFINITY
#define CFN_AFFINITY

#include "headers.p4"
#include "halfsiphash.p4"
#include "ids.p4"
#include "sizes.p4"

control Affinity(inout headers_t hdr, inout metadata_t meta) {
    HalfSipHash() siphash;
    bit<1> has_key = 0;
    bit<32> tag = 0;

    @id(ID_A_USE_KEY)
    action use_key(bit<32> k0, bit<32> k1) {
        has_key = 1;
        meta.sip.k0 = k0;
        meta.sip.k1 = k1;
    }

    @id(ID_A_LIVE)
    action live(slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound.chosen = 1;
        meta.bound.site = hdr.cfn.cookie[29:16];
        meta.bound.instance = hdr.cfn.cookie[15:0];
        meta.bound.slot = slot;
        meta.bound.ipv4 = ipv4;
        meta.bound.ipv6 = ipv6;
    }

    @id(ID_T_COOKIE_KEY)
    table cookie_key {
        key = { hdr.cfn.cookie[31:30] : exact @name("epoch"); }
        actions = { use_key; @defaultonly NoAction; }
        size = 4;
    }

    @id(ID_T_INSTANCE)
    table instance {
        key = {
            hdr.cfn.cookie[29:16] : exact @name("site");
            hdr.cfn.cookie[15:0]  : exact @name("instance");
        }
        actions = { live; @defaultonly NoAction; }
        size = INSTANCES;
    }

    action is_new() {
        meta.outcome = Outcome.BOUND_NEW;
    }

    action is_expired() {
        meta.outcome = Outcome.REBOUND_EXPIRED;
    }

    action is_forged() {
        meta.outcome = Outcome.REBOUND_FORGED;
    }

    action is_dead() {
        meta.outcome = Outcome.REBOUND_DEAD;
        meta.bound.chosen = 0;
    }

    action is_true() {
        meta.outcome = Outcome.BOUND_BY_COOKIE;
    }

    apply {
        if (hdr.cfn.cookie == 0 && hdr.cfn.cookie_tag == 0) {
            is_new();
            return;
        }
        cookie_key.apply();
        if (has_key == 0) {
            is_expired();
            return;
        }
        siphash.apply(meta.sip, hdr.cfn.cookie, hdr.cfn.func_id, hdr.cfn.tenant, tag);
        if (tag != hdr.cfn.cookie_tag) {
            is_forged();
            return;
        }
        is_true();
        instance.apply();
        if (meta.bound.chosen == 0
            || (meta.is_ipv6 == 1 && meta.bound.ipv6 == 0) || (meta.is_ipv6 == 0 && meta.bound.ipv4 == 0)) {
            is_dead();
        }
    }
}

#endif
