/* Stage 3: where the data is. A result that is held already is asked of its holder; an input that a site holds draws the request there
 * while that site has room. Where the request goes elsewhere its header goes ahead to that site's data agent, so that the input is
 * there when the function begins. */

#ifndef CFN_LOCALITY
#define CFN_LOCALITY

#include "headers.p4"
#include "ids.p4"
#include "loads.p4"
#include "metadata.p4"
#include "sizes.p4"

/* From this load on something waits (docs/wire-format.md): a site with a queue has no room for more. */
const bit<8> LOAD_QUEUED = 192;

/* Who holds what the request is about. */
control Holder(in headers_t hdr, inout metadata_t meta) {
    @id(ID_A_RESULT_AT)
    action result_at(site_t site) {
        meta.wanted = site;
        meta.has_result = 1;
    }

    @id(ID_T_RESULT_HOLDER)
    table result_holder {
        key = {
            hdr.cfn.func_id : exact @name("func_id");
            hdr.cfn.data_in : exact @name("data_in");
        }
        actions = { result_at; @defaultonly NoAction; }
        size = RESULTS;
    }

    @id(ID_A_INPUT_AT)
    action input_at(site_t site) {
        meta.wanted = site;
        meta.holder = site;
    }

    @id(ID_T_INPUT_HOLDER)
    table input_holder {
        key = { hdr.cfn.data_in : exact @name("data_in"); }
        actions = { input_at; @defaultonly NoAction; }
        size = INPUTS;
    }

    apply {
        if (!result_holder.apply().hit) {
            input_holder.apply();
        }
    }
}

/* The group's member at the site that is wanted, if it has one and that has room. */
control Prefer(inout metadata_t meta) {
    bit<64> load = 0;
    bit<1> runs_there = 0;
    group_t there = 0;
    binding_t remote = meta.bound;

    @id(ID_A_MEMBER_REMOTE)
    action member_remote(slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        runs_there = 1;
        remote = { 1, 1, meta.wanted, 0, slot, ipv4, ipv6 };
    }

    /* A site at this router: its instances are a group of their own. */
    @id(ID_A_MEMBER_HERE)
    action member_here(slot_t slot, group_t group) {
        runs_there = 1;
        remote.slot = slot;
        there = group;
    }

    @id(ID_T_MEMBER)
    table member {
        key = {
            meta.group  : exact @name("group");
            meta.wanted : exact @name("site");
        }
        actions = { member_remote; member_here; @defaultonly NoAction; }
        size = MEMBERS;
    }

    action go_there() {
        meta.outcome = meta.has_result == 1 ? Outcome.BOUND_TO_RESULT : Outcome.BOUND_TO_INPUT;
    }

    action bind_remote() {
        meta.bound = remote;
    }

    action draw_there() {
        meta.group = there;
    }

    apply {
        member.apply();
        if (runs_there == 1) {
            member_load.read(load, (bit<32>)remote.slot);
            if (meta.has_result == 1 || LOAD_OF(load) < LOAD_QUEUED
                || meta.now[31:0] - TOLD_US(load) > LOAD_EXPIRY_US) {
                go_there();
                if (there == 0) {
                    bind_remote();
                } else {
                    draw_there();
                }
            }
        }
    }
}

/* The request will run where its input is not: send its header ahead to the data agent there. */
control SendAhead(inout metadata_t meta) {
    @id(ID_A_AGENT_AT)
    action agent_at(ipv4_t ipv4, ipv6_t ipv6) {
        meta.agent = meta.is_ipv6 == 1 ? ipv6 : (bit<128>)ipv4;
    }

    @id(ID_T_DATA_AGENT)
    table data_agent {
        key = { meta.bound.site : exact @name("site"); }
        actions = { agent_at; @defaultonly NoAction; }
        size = SITES;
    }

    apply {
        data_agent.apply();
        if (meta.agent != 0) {
            clone_preserving_field_list(CloneType.I2E, PREFETCH_SESSION, FIELDS_PREFETCH);
        }
    }
}

/* In egress, on the copy: the bare header as PREFETCH, which goes through the pipeline from the start to be routed. */
control MakePrefetch(inout headers_t hdr, inout metadata_t meta) {
    action rewrite() {
        hdr.auth.setInvalid();
        hdr.chain.setInvalid();
        hdr.functions.pop_front(CHAIN_FUNCTIONS);
        hdr.trace.setInvalid();
        hdr.cfn.kind = Kind.PREFETCH;
        hdr.cfn.length = CFN_WORDS;
        hdr.cfn.next = Extension.NONE;
        hdr.cfn.status = 0;
        hdr.cfn.load = 0;
        hdr.cfn.queue = 2w0 ++ meta.holder;
        hdr.udp.length = CFN_DATAGRAM;
        meta.is_new_message = 1;
        meta.path = Path.AGAIN;
        meta.again = Again.PREFETCH;
    }

    action to_ipv4() {
        hdr.ipv4.dst_addr = (ipv4_t)meta.agent;
        hdr.ipv4.total_len = 20 + CFN_DATAGRAM;
        truncate(NACK_FRAME_IPV4);
    }

    action to_ipv6() {
        hdr.ipv6.dst_addr = meta.agent;
        hdr.ipv6.payload_len = CFN_DATAGRAM;
        truncate(NACK_FRAME_IPV6);
    }

    apply {
        rewrite();
        if (hdr.ipv6.isValid()) {
            to_ipv6();
        } else {
            to_ipv4();
        }
    }
}

#endif
