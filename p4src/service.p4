/* Stage 5: function × demand class → the group to draw from. A request that names its site has a group of that site's
 * instances alone, so it can't be sent on to another site: steering is free of loops while tables disagree. */

#ifndef CFN_SERVICE
#define CFN_SERVICE

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Service(inout headers_t hdr, inout metadata_t meta) {
    @id(ID_A_SET_GROUP)
    action set_group(group_t group) {
        meta.group = group;
    }

    /* Nobody takes requests now. */
    @id(ID_A_NO_CAPACITY)
    action no_capacity(bit<16> retry_after_ms) {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.NO_CAPACITY;
        meta.retry_after_ms = retry_after_ms;
    }

    /* Nobody can ever meet this part of the demand. */
    @id(ID_A_UNMET)
    action unmet(DemandPart part) {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.DEMAND_UNMET;
        meta.nack_detail = (bit<8>)part;
    }

    @id(ID_T_SERVICE)
    table service {
        key = {
            meta.is_ipv6    : exact @name("is_ipv6");
            meta.scope      : exact @name("scope");
            meta.class_id   : exact @name("class_id");
            hdr.cfn.func_id : lpm @name("func_id");
        }
        actions = { set_group; no_capacity; unmet; @defaultonly NoAction; }
        size = SERVICE_ENTRIES;
    }

    action refuse(NackCode code) {
        meta.path = Path.REFUSE;
        meta.nack = code;
    }

    apply {
        if (!service.apply().hit) {
            refuse(meta.scope == 0 ? NackCode.DEMAND_UNMET : NackCode.NO_CAPACITY);
        }
    }
}

#endif
