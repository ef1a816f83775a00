/* What the router is called: the network's anycast address, and its own number and addresses. */

#ifndef CFN_OWN
#define CFN_OWN

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"

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

control Own(inout metadata_t meta) {
    @id(ID_A_ROUTER_IS)
    action router_is(bit<16> router, ipv4_t ipv4, ipv6_t ipv6) {
        meta.router = router;
        meta.router_ipv4 = ipv4;
        meta.router_ipv6 = ipv6;
    }

    @id(ID_T_ROUTER)
    table router {
        actions = { router_is; NoAction; }
        default_action = NoAction;
    }

    apply {
        router.apply();
    }
}

#endif
