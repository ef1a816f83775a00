/* Stage 4: a true cookie names the site and the instance that serve this session; `alive` tells whether they still do.
 * A request with a cookie that is forged or of an expired key is bound anew. */

#ifndef CFN_AFFINITY
#define CFN_AFFINITY

#include "headers.p4"
#include "halfsiphash.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Affinity(inout headers_t hdr, inout metadata_t meta) {
    CookieTag() cookie_tag;
    bit<1> has_key = 0;
    bit<32> tag = 0;

    @id(ID_A_USE_KEY)
    action use_key(bit<32> k0, bit<32> k1) {
        has_key = 1;
        meta.sip.k0 = k0;
        meta.sip.k1 = k1;
    }

    @id(ID_T_COOKIE_KEY)
    table cookie_key {
        key = { hdr.cfn.cookie[31:30] : exact @name("epoch"); }
        actions = { use_key; @defaultonly NoAction; }
        size = 4;
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

    action is_true() {
        meta.outcome = Outcome.BOUND_BY_COOKIE;
        meta.bound.site = hdr.cfn.cookie[29:16];
        meta.bound.instance = hdr.cfn.cookie[15:0];
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
        cookie_tag.apply(meta.sip, hdr.cfn.cookie, hdr.cfn.func_id, hdr.cfn.tenant, tag);
        if (tag == hdr.cfn.cookie_tag) {
            is_true();
        } else {
            is_forged();
        }
    }
}

#endif
