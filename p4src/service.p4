/* Stage 5: function × demand class → a group of instances, drawn by weight. */

#ifndef CFN_SERVICE
#define CFN_SERVICE

#include "headers.p4"
#include "ids.p4"
#include "sizes.p4"

control Service(inout headers_t hdr, inout metadata_t meta) {
    bit<32> request = 0;

    @id(ID_A_BIND_INSTANCE)
    action bind_instance(site_t site, instance_t instance, slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound.chosen = 1;
        meta.bound.site = site;
        meta.bound.instance = instance;
        meta.bound.slot = slot;
        meta.bound.ipv4 = ipv4;
        meta.bound.ipv6 = ipv6;
    }

    @id(ID_A_NO_CAPACITY)
    action no_capacity(bit<16> retry_after_ms) {
        meta.retry_after_ms = retry_after_ms;
    }

    @id(ID_P_INSTANCES)
    @max_group_size(GROUP_WEIGHT)
    action_selector(HashAlgorithm.crc32, SELECTOR_WEIGHT, 32) instances;

    @id(ID_T_SERVICE)
    table service {
        key = {
            meta.is_ipv6    : exact @name("is_ipv6");
            meta.class_id   : exact @name("class_id");
            hdr.cfn.func_id : lpm @name("func_id");
            hdr.udp.src_port : selector;
            request         : selector;
            hdr.cfn.func_id : selector;
            meta.src        : selector;
        }
        actions = { bind_instance; no_capacity; @defaultonly NoAction; }
        implementation = instances;
        size = SERVICE_ENTRIES;
    }

    action refuse(NackCode code) {
        meta.path = Path.REFUSE;
        meta.nack = code;
    }

    apply {
        if (meta.per_request == 1) {
            request = hdr.cfn.request_id;
        }
        if (!service.apply().hit) {
            refuse(NackCode.DEMAND_UNMET);
        } else if (meta.bound.chosen == 0) {
            refuse(NackCode.NO_CAPACITY);
        }
    }
}

#endif
