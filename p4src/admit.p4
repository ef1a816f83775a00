/* Stage 1: is the function known, and may this tenant ask for it? */

#ifndef CFN_ADMIT
#define CFN_ADMIT

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Admit(inout headers_t hdr, inout metadata_t meta) {
    bit<1> is_known = 0;
    bit<1> is_allowed = 0;

    /* `public`: any tenant may ask. `per_request`: each request is drawn anew, not each flow. `lead`: a rival of the
     * member drawn is taken if it is expected to answer sooner by more than so many 256ths of the time; 255: none is. `flow_s`: for
     * how many seconds a flow without cookies is remembered; 0: it is not. */
    @id(ID_A_KNOWN)
    action known(service_t service, bit<1> public, bit<1> per_request, bit<8> lead, bit<8> flow_s) {
        is_known = 1;
        is_allowed = public;
        meta.service = service;
        meta.per_request = per_request;
        meta.lead = lead;
        meta.flow_s = flow_s;
    }

    @id(ID_A_ALLOW)
    action allow() {
        is_allowed = 1;
    }

    direct_counter(CounterType.packets_and_bytes) requests;
    direct_counter(CounterType.packets_and_bytes) permitted;

    @id(ID_T_FUNCTION)
    table function {
        key = { hdr.cfn.func_id : lpm @name("func_id"); }
        actions = { known; @defaultonly NoAction; }
        counters = requests;
        size = FUNCTION_PREFIXES;
    }

    @id(ID_T_PERMIT)
    table permit {
        key = {
            hdr.cfn.tenant  : exact @name("tenant");
            hdr.cfn.func_id : lpm @name("func_id");
        }
        actions = { allow; @defaultonly NoAction; }
        counters = permitted;
        size = PERMITS;
    }

    action refuse(NackCode code) {
        meta.path = Path.REFUSE;
        meta.nack = code;
    }

    apply {
        function.apply();
        if (is_known == 0) {
            refuse(NackCode.UNKNOWN_FUNCTION);
            return;
        }
        permit.apply();
        if (is_allowed == 0) {
            refuse(NackCode.NOT_PERMITTED);
        } else if (hdr.cfn.hops == 0) {
            refuse(NackCode.HOP_LIMIT);
        }
    }
}

#endif
