/* Stage 1, continued: a tenant that has a key signs its requests (AUTH); who signed none, or signed wrongly, or sends what was sent
 * before, is refused where the request enters the network. Replay is told as IPsec does it (RFC 4303, section 3.4.3), with a window of
 * 32 sequence numbers for each sender of the tenant. */

#ifndef CFN_AUTH
#define CFN_AUTH

#include "headers.p4"
#include "halfsiphash.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

enum bit<8> AuthFault {
    NONE      = 0,
    NO_AUTH   = 1,
    WRONG_TAG = 2,
    REPLAYED  = 3
}

/* 64 bits of output over the 60 bytes of a request that AUTH vouches for. */
control RequestTag(inout siphash_t s, in headers_t hdr, out bit<32> high, out bit<32> low) {
    HALFSIPHASH_ACTIONS

    action finish() {
        s.v2 = s.v2 ^ 0xee;
    }

    action squeeze_high() {
        high = s.v1 ^ s.v3;
        s.v1 = s.v1 ^ 0xdd;
    }

    action squeeze_low() {
        low = s.v1 ^ s.v3;
    }

    action start_wide() {
        s.v1 = s.v1 ^ 0xee;
    }

    apply {
        start();
        start_wide();
        HALFSIPHASH_WORD(hdr.auth.sender ++ hdr.cfn.tenant)
        HALFSIPHASH_WORD(hdr.auth.sequence)
        HALFSIPHASH_WORD(hdr.cfn.request_id)
        HALFSIPHASH_WORD(hdr.cfn.func_id[63:32])
        HALFSIPHASH_WORD(hdr.cfn.func_id[31:0])
        HALFSIPHASH_WORD(hdr.cfn.data_in[127:96])
        HALFSIPHASH_WORD(hdr.cfn.data_in[95:64])
        HALFSIPHASH_WORD(hdr.cfn.data_in[63:32])
        HALFSIPHASH_WORD(hdr.cfn.data_in[31:0])
        HALFSIPHASH_WORD(hdr.cfn.data_out[127:96])
        HALFSIPHASH_WORD(hdr.cfn.data_out[95:64])
        HALFSIPHASH_WORD(hdr.cfn.data_out[63:32])
        HALFSIPHASH_WORD(hdr.cfn.data_out[31:0])
        HALFSIPHASH_WORD(hdr.cfn.demand_type ++ hdr.cfn.demand_grade ++ hdr.cfn.demand_latency_ms ++ hdr.cfn.demand_cost)
        HALFSIPHASH_WORD(hdr.cfn.flags ++ hdr.cfn.priority ++ 16w0)
        HALFSIPHASH_WORD(8w60 ++ 24w0)    /* the message's length */
        finish();
        HALFSIPHASH_4_ROUNDS
        squeeze_high();
        HALFSIPHASH_4_ROUNDS
        squeeze_low();
    }
}

control Auth(inout headers_t hdr, inout metadata_t meta) {
    RequestTag() request_tag;

    /* By tenant's slot and sender: the highest sequence seen, and which of the 32 up to it. */
    register<bit<64>>(AUTH_TENANTS << 8) windows;

    bit<1> signs = 0;
    bit<8> slot = 0;
    bit<32> high = 0;
    bit<32> low = 0;
    bit<64> window = 0;
    bit<32> highest = 0;
    bit<32> seen = 0;
    bit<32> distance = 0;
    AuthFault fault = AuthFault.NONE;

    @id(ID_A_SIGNS_WITH)
    action signs_with(bit<8> auth_slot, bit<32> k0, bit<32> k1) {
        signs = 1;
        slot = auth_slot;
        meta.sip.k0 = k0;
        meta.sip.k1 = k1;
    }

    @id(ID_T_TENANT_KEY)
    table tenant_key {
        key = { hdr.cfn.tenant : exact @name("tenant"); }
        actions = { signs_with; @defaultonly NoAction; }
        size = AUTH_TENANTS;
    }

    action refuse() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.UNAUTHENTICATED;
        meta.nack_detail = (bit<8>)fault;
    }

    action is_newer() {
        distance = hdr.auth.sequence - highest;
        seen = distance >= 32 ? 1 : (seen << (bit<8>)distance) | 1;
        highest = hdr.auth.sequence;
    }

    apply {
        tenant_key.apply();
        if (signs == 0) {
            return;
        }
        if (!hdr.auth.isValid()) {
            fault = AuthFault.NO_AUTH;
        } else {
            request_tag.apply(meta.sip, hdr, high, low);
            if (high ++ low != hdr.auth.tag || hdr.auth.sender > 255 || hdr.auth.sequence == 0) {
                fault = AuthFault.WRONG_TAG;
            } else {
                windows.read(window, (bit<32>)(slot ++ hdr.auth.sender[7:0]));
                highest = window[63:32];
                seen = window[31:0];
                if (hdr.auth.sequence > highest) {
                    is_newer();
                } else {
                    distance = highest - hdr.auth.sequence;
                    if (distance >= 32 || (seen >> (bit<8>)distance)[0:0] == 1) {
                        fault = AuthFault.REPLAYED;
                    }
                    seen = seen | ((bit<32>)1 << (bit<8>)distance);
                }
                if (fault == AuthFault.NONE) {
                    windows.write((bit<32>)(slot ++ hdr.auth.sender[7:0]), highest ++ seen);
                }
            }
        }
        if (fault != AuthFault.NONE) {
            refuse();
        }
    }
}

#endif
