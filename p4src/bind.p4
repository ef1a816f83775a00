/* Stage 7: rewrite the request to its instance; seal the cookie that will bring the session back there. */

#ifndef CFN_BIND
#define CFN_BIND

#include "headers.p4"
#include "halfsiphash.p4"
#include "ids.p4"
#include "sizes.p4"

control Bind(inout headers_t hdr, inout metadata_t meta, in standard_metadata_t std) {
    HalfSipHash() siphash;
    bit<1> sealing = 0;
    bit<2> epoch = 0;

    @id(ID_A_SEAL_WITH)
    action seal_with(bit<2> key_epoch, bit<32> k0, bit<32> k1) {
        sealing = 1;
        epoch = key_epoch;
        meta.sip.k0 = k0;
        meta.sip.k1 = k1;
    }

    /* The key of the newest epoch; without one, sessions get no cookie. */
    @id(ID_T_SEAL_KEY)
    table seal_key {
        actions = { seal_with; NoAction; }
        default_action = NoAction;
    }

    action write_cookie() {
        hdr.cfn.cookie = epoch ++ meta.bound.site ++ meta.bound.instance;
    }

    action clear_cookie() {
        hdr.cfn.cookie = 0;
        hdr.cfn.cookie_tag = 0;
    }

    action to_ipv4() {
        hdr.ipv4.dst_addr = meta.bound.ipv4;
        meta.dst = (bit<128>)meta.bound.ipv4;
    }

    action to_ipv6() {
        hdr.ipv6.dst_addr = meta.bound.ipv6;
        meta.dst = meta.bound.ipv6;
    }

    action stamp() {
        hdr.cfn.hops = hdr.cfn.hops - 1;
        hdr.cfn.timestamp = std.ingress_global_timestamp[31:0];
    }

    apply {
        if (meta.outcome != Outcome.BOUND_BY_COOKIE) {
            seal_key.apply();
            if (sealing == 1) {
                write_cookie();
                siphash.apply(meta.sip, hdr.cfn.cookie, hdr.cfn.func_id, hdr.cfn.tenant, hdr.cfn.cookie_tag);
            } else {
                clear_cookie();
            }
        }
        stamp();
        if (meta.is_ipv6 == 1) {
            to_ipv6();
        } else {
            to_ipv4();
        }
    }
}

#endif
