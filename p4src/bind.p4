/* Stage 7: rewrite the request to its instance or to its site's router; seal the cookie that will bring the session back. Only the
 * site's router knows the instance, so it is the one that seals. */

#ifndef CFN_BIND
#define CFN_BIND

#include "headers.p4"
#include "halfsiphash.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Bind(inout headers_t hdr, inout metadata_t meta) {
    CookieTag() cookie_tag;
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

    action count_hop() {
        hdr.cfn.hops = hdr.cfn.hops - 1;
    }

    /* By the client's router alone, which will see the response; 0 where another made the request out of a chain. */
    action stamp() {
        hdr.cfn.timestamp = meta.again == Again.CHAINED ? 0 : meta.now[31:0];
    }

    apply {
        if (meta.outcome != Outcome.BOUND_BY_COOKIE) {
            if (meta.bound.is_remote == 0) {
                seal_key.apply();
            }
            if (sealing == 1) {
                write_cookie();
                cookie_tag.apply(meta.sip, hdr.cfn.cookie, hdr.cfn.func_id, hdr.cfn.tenant, hdr.cfn.cookie_tag);
            } else {
                clear_cookie();
            }
        }
        count_hop();
        if (meta.scope == 0) {
            stamp();
        }
        if (meta.is_ipv6 == 1) {
            to_ipv6();
        } else {
            to_ipv4();
        }
    }
}

#endif
