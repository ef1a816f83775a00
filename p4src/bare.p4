/* A bare base header of the router's own making that comes again, a NACK or a PREFETCH, ends where its header does. It was cut when it
 * was made, but BMv2 forgets that when a packet is recirculated. */

#ifndef CFN_BARE
#define CFN_BARE

#include "headers.p4"
#include "metadata.p4"

control Bare(in metadata_t meta) {
    action cut_ipv4() {
        truncate(NACK_FRAME_IPV4);
    }

    action cut_ipv6() {
        truncate(NACK_FRAME_IPV6);
    }

    apply {
        if (meta.is_ipv6 == 1) {
            cut_ipv6();
        } else {
            cut_ipv4();
        }
    }
}

#endif
