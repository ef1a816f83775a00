/* A packet that asks for it takes a record of this router along, put before those it has. Where there is no room for one, that is
 * counted in its stead: no packet is lost for being traced. */

#ifndef CFN_TRACE
#define CFN_TRACE

#include "checksum.p4"
#include "headers.p4"
#include "metadata.p4"

control Trace(inout headers_t hdr, inout metadata_t meta, in standard_metadata_t std) {
    action add_record() {
        hdr.record.setValid();
        hdr.record.router = meta.router;
        hdr.record.outcome = meta.outcome;
        hdr.record.hops = hdr.cfn.hops;
        hdr.record.site = 2w0 ++ meta.bound.site;
        hdr.record.instance = meta.bound.instance;
        hdr.record.time_us = meta.now[31:0];
        hdr.record.queue = std.enq_qdepth[15:0];
        hdr.record.residence_us = (std.egress_global_timestamp - meta.now)[15:0];
        hdr.trace.length = hdr.trace.length + TRACE_RECORD_WORDS;
        hdr.cfn.length = hdr.cfn.length + TRACE_RECORD_WORDS;
        hdr.udp.length = hdr.udp.length + TRACE_RECORD_BYTES;
    }

    action lengthen_ipv4() {
        hdr.ipv4.total_len = hdr.ipv4.total_len + TRACE_RECORD_BYTES;
    }

    action lengthen_ipv6() {
        hdr.ipv6.payload_len = hdr.ipv6.payload_len + TRACE_RECORD_BYTES;
    }

    action lengthen_outer() {
        hdr.outer.payload_len = hdr.outer.payload_len + TRACE_RECORD_BYTES;
    }

    /* The lengths grew: the extension's by 4 words and the header's by 4, both low bytes of a sum's word; UDP's counts twice. */
    action sum_record() {
        CSUM16(meta.delta, ({
            hdr.record.router, hdr.record.outcome, hdr.record.hops, hdr.record.site, hdr.record.instance,
            hdr.record.time_us, hdr.record.queue, hdr.record.residence_us,
            8w0, TRACE_RECORD_WORDS, TRACE_RECORD_WORDS, 8w0, TRACE_RECORD_BYTES, TRACE_RECORD_BYTES
        }));
    }

    action miss() {
        hdr.trace.missed = hdr.trace.missed + 1;
        CSUM16(meta.delta, ({ 8w1, 8w0 }));
    }

    apply {
        if (meta.room >= TRACE_RECORD_BYTES && hdr.cfn.length <= 255 - TRACE_RECORD_WORDS) {
            add_record();
            if (hdr.ipv4.isValid()) {
                lengthen_ipv4();
            } else {
                lengthen_ipv6();
            }
            if (meta.encapsulated == 1) {
                lengthen_outer();
            }
            sum_record();
        } else if (hdr.trace.missed != 255) {
            miss();
        }
    }
}

#endif
