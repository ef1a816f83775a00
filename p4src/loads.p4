/* What responses told of each member, in registers: the fast loop's memory. `choose` reads it, `respond` writes it. */

#ifndef CFN_LOADS
#define CFN_LOADS

#include "numbers.p4"
#include "sizes.p4"

/* By slot: when it was told (32 bits, us of this router's clock), requests that it has (16), load (8), 0 (8). */
register<bit<64>>(SLOTS) member_load;
/* By slot: when the controller was told last (32 bits, us), running median of response times (32 bits, us): up by a
 * sixteenth for a longer one, down for a shorter one, so that few requests that take much longer hardly count (after Ma,
 * Muthukrishnan and Sandler, "Frugal streaming for estimating quantiles", 2013). */
register<bit<64>>(SLOTS) member_response;

/* A load that was told longer ago, about a second, is stale; and response times are measured anew. */
const bit<32> LOAD_EXPIRY_US = 1 << 20;

#define TOLD_US(load) (load)[63:32]
#define REQUESTS_OF(load) (load)[31:16]
#define LOAD_OF(load) (load)[15:8]

#endif
