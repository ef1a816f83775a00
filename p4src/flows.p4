/* Stage 4, continued: for hosts that don't echo cookies a service may have its flows remembered, for a time, in registers. A flow has its
 * place in one of 2 buckets of 4 cells. One that finds all 8 taken by others that live is drawn by hash, as if the service had no such
 * table, and counted as such. There are 8 cells for each of the FLOWS flows promised, so that this is rare below that number. */

#ifndef CFN_FLOWS
#define CFN_FLOWS

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

/* Who the flow is (32 bits), when it was last seen (16 bits, s), site (16), instance (16). */
register<bit<80>>(FLOWS * 8) flow_cell;

#define CELL_FLOW(cell) (cell)[79:48]
#define CELL_SEEN(cell) (cell)[47:32]
#define CELL_SITE(cell) (cell)[29:16]
#define CELL_INSTANCE(cell) (cell)[15:0]

/* 2^20 us, about a second. */
#define CLOCK_S(meta) (meta).now[35:20]

const bit<32> FLOW_SALT = 0x85ebca6b;

/* Look at one cell: this flow's, or else one to put it in. */
control LookAt(inout metadata_t meta, in bit<32> index) {
    bit<80> cell = 0;

    action is_ours() {
        meta.flow_known = 1;
        meta.flow_index = index;
        meta.bound.site = CELL_SITE(cell);
        meta.bound.instance = CELL_INSTANCE(cell);
    }

    action is_free() {
        meta.flow_room = 1;
        meta.flow_index = index;
    }

    apply {
        if (meta.flow_known == 0) {
            flow_cell.read(cell, index);
            if (cell == 0 || CLOCK_S(meta) - CELL_SEEN(cell) > (bit<16>)meta.flow_s) {
                if (meta.flow_room == 0) {
                    is_free();
                }
            } else if (CELL_FLOW(cell) == meta.flow_name) {
                is_ours();
            }
        }
    }
}

control RecallFlow(inout headers_t hdr, inout metadata_t meta) {
    LookAt() look_at;

    bit<32> bucket = 0;

    action name_flow() {
        hash(meta.flow_name, HashAlgorithm.crc32, 32w0,
             { meta.src, hdr.udp.src_port, hdr.cfn.func_id, hdr.cfn.tenant, meta.scope, FLOW_SALT },
             33w0x100000000);
    }

    action first_bucket() {
        hash(bucket, HashAlgorithm.crc32, 32w0, { meta.src, hdr.udp.src_port, hdr.cfn.func_id, hdr.cfn.tenant },
             (bit<32>)(FLOWS * 2));
        bucket = bucket << 2;
    }

    action second_bucket() {
        hash(bucket, HashAlgorithm.crc32, 32w0, { hdr.cfn.tenant, hdr.cfn.func_id, hdr.udp.src_port, meta.src, FLOW_SALT },
             (bit<32>)(FLOWS * 2));
        bucket = bucket << 2;
    }

    action is_recalled() {
        meta.outcome = Outcome.BOUND_BY_FLOW;
    }

    apply {
        name_flow();
        first_bucket();
        look_at.apply(meta, bucket);
        look_at.apply(meta, bucket + 1);
        look_at.apply(meta, bucket + 2);
        look_at.apply(meta, bucket + 3);
        second_bucket();
        look_at.apply(meta, bucket);
        look_at.apply(meta, bucket + 1);
        look_at.apply(meta, bucket + 2);
        look_at.apply(meta, bucket + 3);
        if (meta.flow_known == 1) {
            is_recalled();
        }
    }
}

/* After the choice: remember it, and that the flow was seen. */
control RememberFlow(inout metadata_t meta) {
    action is_overflow() {
        meta.outcome = Outcome.BOUND_FLOW_UNKEPT;
    }

    apply {
        if (meta.flow_known == 1 || meta.flow_room == 1) {
            flow_cell.write(meta.flow_index, meta.flow_name ++ CLOCK_S(meta) ++ 2w0 ++ meta.bound.site ++ meta.bound.instance);
        } else {
            is_overflow();
        }
    }
}

#endif
