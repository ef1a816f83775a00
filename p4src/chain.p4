/* A response with functions left becomes the request for the next one at the site's own router, without a trip to the client: its
 * output is the next input, and its source the client. The request goes through the pipeline from the start. Where a function failed
 * the chain ends, and a NACK goes to the client instead; the function and DataOut in it tell the place. */

#ifndef CFN_CHAIN
#define CFN_CHAIN

#include "checksum.p4"
#include "headers.p4"
#include "loads.p4"
#include "metadata.p4"

control Chain(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    /* Ports change places, and the next function's identifiers move: neither shows in a sum. What does: the function and
     * input that are done with, the lengths (that of UDP twice), kind, report and the chain's own word. Egress sees to the
     * addresses. */
    action next_function() {
        bit<64> function_done = hdr.cfn.func_id;
        bit<128> input_done = hdr.cfn.data_in;
        bit<64> words_before = CFN_VERSION ++ Kind.RESPONSE ++ hdr.cfn.flags ++ hdr.cfn.length ++ (bit<8>)hdr.cfn.next
                               ++ hdr.cfn.status ++ hdr.cfn.load ++ hdr.cfn.queue;
        bit<32> chain_before = (bit<8>)hdr.chain.next ++ hdr.chain.length ++ hdr.chain.done ++ hdr.chain.left;
        bit<16> length_before = hdr.udp.length;
        bit<16> port = hdr.udp.src_port;

        hdr.cfn.kind = Kind.REQUEST;
        hdr.cfn.length = hdr.cfn.length - CHAIN_FUNCTION_WORDS;
        hdr.cfn.func_id = hdr.functions[0].func_id;
        hdr.cfn.data_in = hdr.cfn.data_out;
        hdr.cfn.data_out = hdr.functions[0].data_out;
        hdr.functions.pop_front(1);
        hdr.cfn.status = 0;
        hdr.cfn.load = 0;
        hdr.cfn.queue = 0;
        hdr.cfn.cookie = 0;
        hdr.cfn.cookie_tag = 0;
        hdr.chain.length = hdr.chain.length - CHAIN_FUNCTION_WORDS;
        hdr.chain.done = hdr.chain.done + 1;
        hdr.chain.left = hdr.chain.left - 1;
        hdr.udp.length = hdr.udp.length - CHAIN_FUNCTION_BYTES;
        hdr.udp.src_port = hdr.udp.dst_port;
        hdr.udp.dst_port = port;

        CSUM16(meta.delta, ({
            ~function_done, ~input_done, ~words_before, ~chain_before, ~length_before, ~length_before,
            CFN_VERSION ++ Kind.REQUEST ++ hdr.cfn.flags ++ hdr.cfn.length ++ (bit<8>)hdr.cfn.next,
            (bit<8>)hdr.chain.next ++ hdr.chain.length ++ hdr.chain.done ++ hdr.chain.left,
            hdr.udp.length, hdr.udp.length
        }));

        meta.path = Path.AGAIN;
        meta.again = Again.CHAINED;
        meta.outcome = Outcome.CHAINED;
        std.egress_spec = meta.port;
    }

    action ipv4_to_anycast() {
        hdr.ipv4.src_addr = hdr.ipv4.dst_addr;
        hdr.ipv4.dst_addr = meta.anycast_ipv4;
        hdr.ipv4.total_len = hdr.ipv4.total_len - CHAIN_FUNCTION_BYTES;
    }

    action ipv6_to_anycast() {
        hdr.ipv6.src_addr = hdr.ipv6.dst_addr;
        hdr.ipv6.dst_addr = meta.anycast_ipv6;
        hdr.ipv6.payload_len = hdr.ipv6.payload_len - CHAIN_FUNCTION_BYTES;
    }

    action break_chain() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.CHAIN_BROKEN;
        meta.nack_detail = hdr.cfn.status;
    }

    apply {
        member_load.write((bit<32>)meta.bound.slot,
                          meta.now[31:0] ++ hdr.cfn.queue ++ hdr.cfn.load ++ 8w0);
        if (hdr.cfn.status != STATUS_OK) {
            break_chain();
        } else {
            next_function();
            if (meta.is_ipv6 == 1) {
                ipv6_to_anycast();
            } else {
                ipv4_to_anycast();
            }
        }
    }
}

#endif
