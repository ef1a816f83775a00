/* Stage 1, continued: what a tenant may use, by rate, and what it used. Green goes on, yellow goes on marked
 * as what others come before, red is refused. The mark alone says so: BMv2 loses packets of a priority that it was not told of. */

#ifndef CFN_CONTRACT
#define CFN_CONTRACT

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

const bit<8> DSCP_LOWER_EFFORT = 1 << 2;    /* in its octet: RFC 8622 */
const bit<8> ECN = 3;

control Contract(inout headers_t hdr, inout metadata_t meta) {
    Color color = Color.GREEN;
    bit<16> retry_ms = 0;

    direct_meter<Color>(MeterType.packets) rate;

    @id(ID_A_MEASURE)
    action measure(bit<16> retry_after_ms) {
        rate.read(color);
        retry_ms = retry_after_ms;
    }

    /* Requests a second of a tenant at this router. */
    @id(ID_T_CONTRACT)
    table contract {
        key = { hdr.cfn.tenant : exact @name("tenant"); }
        actions = { measure; @defaultonly NoAction; }
        meters = rate;
        size = TENANTS;
    }

    action refuse() {
        meta.path = Path.REFUSE;
        meta.nack = NackCode.RATE_EXCEEDED;
        meta.retry_after_ms = retry_ms;
    }

    action lower_ipv4() {
        hdr.ipv4.tos = DSCP_LOWER_EFFORT | (hdr.ipv4.tos & ECN);
    }

    action lower_ipv6() {
        hdr.ipv6.traffic_class = DSCP_LOWER_EFFORT | (hdr.ipv6.traffic_class & ECN);
    }

    apply {
        contract.apply();
        if (color == Color.RED) {
            refuse();
        } else if (color == Color.YELLOW) {
            if (meta.is_ipv6 == 1) {
                lower_ipv6();
            } else {
                lower_ipv4();
            }
        }
    }
}

/* What bills are made of: requests and bytes bound, by tenant, service and site. */
control Usage(in headers_t hdr, in metadata_t meta) {
    direct_counter(CounterType.packets_and_bytes) used;

    @id(ID_A_COUNT_USE)
    action count_use() {
        used.count();
    }

    @id(ID_T_USAGE)
    table usage {
        key = {
            hdr.cfn.tenant  : exact @name("tenant");
            meta.service    : exact @name("service");
            meta.bound.site : exact @name("site");
        }
        actions = { count_use; @defaultonly NoAction; }
        counters = used;
        size = USAGES;
    }

    apply {
        usage.apply();
    }
}

#endif
