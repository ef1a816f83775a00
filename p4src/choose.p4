/* Stage 6: draw a member of the group by weight; with it come up to three rivals, and the one that is expected to answer first
 * gets the request (shortest expected delay; Banawan and Zahorjan, "Load sharing in heterogeneous queueing systems", 1989). The
 * weights and what a member takes are the controller's slow loop; how many requests a member has comes with responses, so this loop
 * goes on without it.
 *
 * Each request counts at its member until a response tells a newer number, so that those that come in between don't all follow the
 * same old news. No request is counted off, so none that is lost leaves anything behind.
 *
 * A stale number decides nothing: the request goes to the member drawn and so asks anew. Until the answer comes the old number
 * stands, one higher, for another period, so that a slow member is asked once a period and one that answers nothing is left alone. */

#ifndef CFN_CHOOSE
#define CFN_CHOOSE

#include "headers.p4"
#include "ids.p4"
#include "loads.p4"
#include "metadata.p4"
#include "sizes.p4"

const bit<8> NO_RIVALS = 255;
/* What a request under way adds to its member's load. */
const bit<8> UNDER_WAY = 32;
const bit<64> NEVER = 0xffffffffffffffff;

/* An answer of a member takes `base`, and `unit` more for each request that it has beyond those that it does at once, which take
 * `free` together; in us. */
struct expected_t {
    slot_t  slot;
    bit<32> base;
    bit<32> unit;
    bit<32> free;
}
#define EXPECTED(n) bit<32> base_##n, bit<32> unit_##n, bit<32> free_##n
#define RIVAL(n) slot_t slot_##n, EXPECTED(n)

/* When a member would answer, as far as is known. */
control Expect(in metadata_t meta, in expected_t member, out bit<64> told, out bit<64> answer) {
    apply {
        member_load.read(told, (bit<32>)member.slot);
        answer = NEVER;
        if (meta.now[31:0] - TOLD_US(told) <= LOAD_EXPIRY_US) {
            answer = (bit<64>)member.base
                     + ((bit<64>)member.unit * (bit<64>)REQUESTS_OF(told) |-| (bit<64>)member.free);
        }
    }
}

control Choose(inout headers_t hdr, inout metadata_t meta) {
    Expect() expect_1;
    Expect() expect_2;
    Expect() expect_3;
    Expect() expect_4;
    bit<32> request = 0;
    slot_t winner = 0;
    expected_t drawn = { 0, 0, 0, 0 };
    expected_t rival_2 = { 0, 0, 0, 0 };
    expected_t rival_3 = { 0, 0, 0, 0 };
    expected_t rival_4 = { 0, 0, 0, 0 };
    bit<64> told = 0;
    bit<64> soonest = 0;
    bit<64> answer = 0;

    /* A rival in the slot of the member itself is none. */
    action race(slot_t slot_1, EXPECTED(1), RIVAL(2), RIVAL(3), RIVAL(4)) {
        drawn = { slot_1, base_1, unit_1, free_1 };
        rival_2 = { slot_2, base_2, unit_2, free_2 };
        rival_3 = { slot_3, base_3, unit_3, free_3 };
        rival_4 = { slot_4, base_4, unit_4, free_4 };
    }

    @id(ID_A_BIND_INSTANCE)
    action bind_instance(site_t site, instance_t instance, slot_t slot, ipv4_t ipv4, ipv6_t ipv6, EXPECTED(1), RIVAL(2), RIVAL(3),
                         RIVAL(4)) {
        meta.bound = { 1, 0, site, instance, slot, ipv4, ipv6 };
        race(slot, base_1, unit_1, free_1, slot_2, base_2, unit_2, free_2, slot_3, base_3, unit_3, free_3, slot_4, base_4, unit_4,
             free_4);
    }

    @id(ID_A_BIND_SITE)
    action bind_site(site_t site, slot_t slot, ipv4_t ipv4, ipv6_t ipv6, EXPECTED(1), RIVAL(2), RIVAL(3), RIVAL(4)) {
        meta.bound = { 1, 1, site, 0, slot, ipv4, ipv6 };
        race(slot, base_1, unit_1, free_1, slot_2, base_2, unit_2, free_2, slot_3, base_3, unit_3, free_3, slot_4, base_4, unit_4,
             free_4);
    }

    /* A part of the traffic that is refused by weight. */
    @id(ID_A_SHED)
    action shed(bit<16> retry_after_ms) {
        meta.bound.chosen = 0;
        meta.retry_after_ms = retry_after_ms;
    }

    @id(ID_P_MEMBERS)
    @max_group_size(GROUP_WEIGHT)
    action_selector(HashAlgorithm.crc32, SELECTOR_WEIGHT, 32) members;

    @id(ID_T_DRAW)
    table draw {
        key = {
            meta.group       : exact @name("group");
            hdr.udp.src_port : selector;
            request          : selector;
            hdr.cfn.func_id  : selector;
            meta.src         : selector;
        }
        actions = { bind_instance; bind_site; shed; @defaultonly NoAction; }
        implementation = members;
        size = GROUPS;
    }

    @id(ID_A_TO_INSTANCE)
    action to_instance(site_t site, instance_t instance, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound = { 1, 0, site, instance, winner, ipv4, ipv6 };
        meta.outcome = meta.outcome == Outcome.BOUND_NEW ? Outcome.BOUND_TO_RIVAL : meta.outcome;
    }

    @id(ID_A_TO_SITE)
    action to_site(site_t site, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound = { 1, 1, site, 0, winner, ipv4, ipv6 };
        meta.outcome = meta.outcome == Outcome.BOUND_NEW ? Outcome.BOUND_TO_RIVAL : meta.outcome;
    }

    /* Every member that can be a rival. */
    @id(ID_T_RIVAL)
    table rival {
        key = { winner : exact @name("slot"); }
        actions = { to_instance; to_site; @defaultonly NoAction; }
        size = SLOTS;
    }

    action refuse_no_capacity() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.NO_CAPACITY;
    }

    action lead(slot_t slot) {
        winner = slot;
        soonest = answer;
    }

    action count(bit<32> since) {
        member_load.write((bit<32>)meta.bound.slot,
                          since ++ (REQUESTS_OF(told) |+| 1) ++ (LOAD_OF(told) |+| UNDER_WAY) ++ 8w0);
    }

    apply {
        if (meta.per_request == 1) {
            request = hdr.cfn.request_id;
        }
        draw.apply();
        if (meta.bound.chosen == 0) {
            refuse_no_capacity();
            return;
        }
        if (meta.lead == NO_RIVALS) {
            return;
        }
        winner = drawn.slot;
        expect_1.apply(meta, drawn, told, soonest);
        if (soonest == NEVER) {
            count(meta.now[31:0]);
            return;
        }
        soonest = soonest - (soonest * (bit<64>)meta.lead >> 8);
        if (rival_2.slot != drawn.slot) {
            expect_2.apply(meta, rival_2, told, answer);
            if (answer < soonest) {
                lead(rival_2.slot);
            }
        }
        if (rival_3.slot != drawn.slot) {
            expect_3.apply(meta, rival_3, told, answer);
            if (answer < soonest) {
                lead(rival_3.slot);
            }
        }
        if (rival_4.slot != drawn.slot) {
            expect_4.apply(meta, rival_4, told, answer);
            if (answer < soonest) {
                lead(rival_4.slot);
            }
        }
        if (winner != drawn.slot) {
            rival.apply();
        }
        member_load.read(told, (bit<32>)meta.bound.slot);
        count(TOLD_US(told));
    }
}

#endif
