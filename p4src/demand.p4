/* Stage 2: what the request needs → a demand class, for which the service has a group of its own. */

#ifndef CFN_DEMAND
#define CFN_DEMAND

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Demand(in headers_t hdr, inout metadata_t meta) {
    @id(ID_A_SET_CLASS)
    action set_class(class_t class_id) {
        meta.class_id = class_id;
    }

    @id(ID_T_DEMAND_CLASS)
    table demand_class {
        key = {
            meta.service              : ternary @name("service");
            hdr.cfn.demand_type       : ternary @name("type");
            hdr.cfn.demand_grade      : ternary @name("grade");
            hdr.cfn.demand_latency_ms : range @name("latency_ms");
            hdr.cfn.demand_cost       : range @name("cost");
        }
        actions = { set_class; @defaultonly NoAction; }
        size = DEMAND_RULES;
    }

    apply {
        demand_class.apply();
    }
}

#endif
