/* Stage 4, continued: is there still what the session was bound to? Of a remote site only that it is there: its own router
 * knows the instance. */

#ifndef CFN_ALIVE
#define CFN_ALIVE

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Alive(inout headers_t hdr, inout metadata_t meta) {
    @id(ID_A_REMOTE)
    action remote(slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound.chosen = 1;
        meta.bound.is_remote = 1;
        meta.bound.slot = slot;
        meta.bound.ipv4 = ipv4;
        meta.bound.ipv6 = ipv6;
    }

    /* A site at this router, and the address that other routers know it by. */
    @id(ID_A_HERE)
    action here(slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.is_home = 1;
        meta.home_slot = slot;
        meta.home_ipv4 = ipv4;
        meta.home_ipv6 = ipv6;
    }

    @id(ID_T_SITE)
    table site {
        key = { meta.bound.site : exact @name("site"); }
        actions = { remote; here; @defaultonly NoAction; }
        size = SITES;
    }

    @id(ID_A_LIVE)
    action live(slot_t slot, ipv4_t ipv4, ipv6_t ipv6) {
        meta.bound.chosen = 1;
        meta.bound.slot = slot;
        meta.bound.ipv4 = ipv4;
        meta.bound.ipv6 = ipv6;
    }

    @id(ID_T_INSTANCE)
    table instance {
        key = {
            meta.bound.site     : exact @name("site");
            meta.bound.instance : exact @name("instance");
        }
        actions = { live; @defaultonly NoAction; }
        size = INSTANCES;
    }

    action is_dead() {
        meta.outcome = Outcome.REBOUND_DEAD;
        meta.bound.chosen = 0;
        meta.bound.is_remote = 0;
    }

    apply {
        site.apply();
        if (meta.is_home == 1) {
            instance.apply();
        }
        if (meta.bound.chosen == 0 || (meta.scope != 0 && meta.bound.site != meta.scope)
            || (meta.is_ipv6 == 1 && meta.bound.ipv6 == 0) || (meta.is_ipv6 == 0 && meta.bound.ipv4 == 0)) {
            is_dead();
        }
    }
}

#endif
