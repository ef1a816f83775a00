/* Frames of the controller's go out as they are, of the port that it says; a probe is stamped as it leaves. */

#ifndef CFN_EMIT
#define CFN_EMIT

#include "headers.p4"
#include "metadata.p4"

control Emit(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = hdr.packet_out.egress_port;
        hdr.packet_out.setInvalid();
        meta.path = Path.EMIT;
        meta.outcome = Outcome.EMITTED;
    }
}

#endif
