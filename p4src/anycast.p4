/* The address that clients of the network know, for whatever is to come from it. */

#ifndef CFN_ANYCAST
#define CFN_ANYCAST

#include "headers.p4"
#include "ids.p4"

control Anycast(inout metadata_t meta) {
    @id(ID_A_ANYCAST_IS)
    action anycast_is(ipv4_t ipv4, ipv6_t ipv6) {
        meta.anycast_ipv4 = ipv4;
        meta.anycast_ipv6 = ipv6;
    }

    @id(ID_T_ANYCAST_SOURCE)
    table anycast_source {
        actions = { anycast_is; NoAction; }
        default_action = NoAction;
    }

    apply {
        anycast_source.apply();
    }
}

#endif
