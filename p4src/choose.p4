/* Stage 6: draw a member of the group by weight, then a second one; the less loaded of the two wins (power of two choices;
 * Mitzenmacher, "The power of two choices in randomized load balancing", 2001). The weights are the controller's slow loop; the
 * loads come with responses, so this loop goes on without it.
 *
 * Each request raises its member's load until a response tells a newer one, so that those that come in between don't all follow the
 * same old news. No request is counted off, so none that is lost leaves anything behind.
 *
 * A stale load decides nothing: the request goes to the first draw and so asks anew. Until the answer comes the old load stands,
 * raised, for another period, so that a slow member is asked once a period and one that answers nothing is left alone. */

#ifndef CFN_CHOOSE
#define CFN_CHOOSE

#include "headers.p4"
#include "ids.p4"
#include "loads.p4"
#include "metadata.p4"
#include "sizes.p4"

const bit<8> NO_SECOND_DRAW = 255;
const bit<8> UNDER_WAY = 32;
/* The second draw's salt is a CRC over the flow in another order: CRC is linear, so that any constant would tie the second draw
 * to the first. */
const bit<32> SECOND_SALT = 0x9e3779b9;

control Choose(inout headers_t hdr, inout metadata_t meta) {
    bit<32> now = meta.now[31:0];
    bit<32> request = 0;
    bit<64> load_1 = 0;
    bit<64> load_2 = 0;
    binding_t drawn = meta.bound;

    @id(ID_A_BIND_INSTANCE)
    action bind_instance(site_t site, instance_t instance, slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound = { 1, 0, site, instance, slot, ipv4, ipv6 };
    }

    @id(ID_A_BIND_SITE)
    action bind_site(site_t site, slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound = { 1, 1, site, 0, slot, ipv4, ipv6 };
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

    @id(ID_T_FIRST)
    table first {
        key = {
            meta.group       : exact @name("group");
            hdr.udp.src_port : selector;
            request          : selector;
            hdr.cfn.func_id  : selector;
            meta.src         : selector;
            meta.salt        : selector;
        }
        actions = { bind_instance; bind_site; shed; @defaultonly NoAction; }
        implementation = members;
        size = GROUPS;
    }

    /* Holds what `first` holds. */
    @id(ID_T_SECOND)
    table second {
        key = {
            meta.group       : exact @name("group");
            hdr.udp.src_port : selector;
            request          : selector;
            hdr.cfn.func_id  : selector;
            meta.src         : selector;
            meta.salt        : selector;
        }
        actions = { bind_instance; bind_site; shed; @defaultonly NoAction; }
        implementation = members;
        size = GROUPS;
    }

    action refuse_no_capacity() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.NO_CAPACITY;
    }

    action count(bit<32> since) {
        member_load.write((bit<32>)meta.bound.slot, since ++ QUEUE_OF(load_1) ++ (LOAD_OF(load_1) |+| UNDER_WAY) ++ 8w0);
    }

    action take_first() {
        meta.bound = drawn;
    }

    action take_second() {
        meta.outcome = meta.outcome == Outcome.BOUND_NEW ? Outcome.BOUND_SECOND : meta.outcome;
    }

    /* What follows a draw hangs on hit or miss, never on which action ran: see route.p4. */
    apply {
        if (meta.per_request == 1) {
            request = hdr.cfn.request_id;
        }
        if (first.apply().hit) {
            drawn = meta.bound;
        }
        if (meta.bound.chosen == 0) {
            refuse_no_capacity();
            return;
        }
        if (meta.lead == NO_SECOND_DRAW) {
            return;
        }
        member_load.read(load_1, (bit<32>)meta.bound.slot);
        if (now - TOLD_US(load_1) > LOAD_EXPIRY_US) {
            count(now);
            return;
        }
        hash(meta.salt, HashAlgorithm.crc32, 32w0, { meta.src, hdr.cfn.func_id, request, hdr.udp.src_port, SECOND_SALT },
             33w0x100000000);
        if (second.apply().hit) {
            member_load.read(load_2, (bit<32>)meta.bound.slot);
        }
        if (meta.bound.chosen == 1 && now - TOLD_US(load_2) <= LOAD_EXPIRY_US
            && (LOAD_OF(load_2) |+| meta.lead) < LOAD_OF(load_1)) {
            take_second();
            load_1 = load_2;
        } else {
            take_first();
        }
        count(TOLD_US(load_1));
    }
}

#endif
